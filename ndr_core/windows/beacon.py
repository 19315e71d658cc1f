"""Beacons: how regular the sessions of one pair are over a day, and what its history says of it.

The score ranks regularity. It does not tell whether a program is malicious: clocks and updaters are regular, too.
"""

from __future__ import annotations

from typing import Final

from ndr_core.expressions.expr import Expr, col, when
from ndr_core.tables.columns import ColumnType
from ndr_core.tables.units import PER_MILLE, RATIO, TIME
from ndr_core.times import SECOND_US
from ndr_core.windows.formulas import Formula
from ndr_core.windows.history_source import KNOWN_DAYS

LEAST_STARTS: Final = 9
"""A pair with fewer distinct start seconds makes no beacon row; one with fewer sessions can't have as many."""
SPAN_SECONDS: Final = 86_400
EVIDENCE_GAPS: Final = 8
"""Gaps at which one half of a score remains."""
THREAT_STEP: Final = 150
YOUNG_DAYS: Final = 7
OLD_DAYS: Final = 28
COMMON_PERCENT: Final = 50
RARE_PERCENT: Final = 2


def _larger(value: Expr, least: int) -> Expr:
    return when(value > least, value, least)


MODE_WIDTH: Final = _larger(col("period_s") // 5, 2)
"""Seconds by which a gap may differ from the median gap to count as equal."""
SIZE_WIDTH: Final = _larger(col("bytes_sent_median") // 20, 8)
"""Bytes by which a session may differ from their median to count as of equal size."""


def _int(name: str, value: Expr, meaning: str) -> Formula:
    return Formula(name, value, ColumnType.INT64, meaning, PER_MILLE)


def _step(condition: Expr) -> Expr:
    return when(condition, THREAT_STEP, 0)


_GAPS: Final = col("gaps_cnt")
_STEADY: Final = col("period_s") - col("beacon:mad")
_SPAN: Final = (col("beacon:last") - col("beacon:first")) * 1000 // SPAN_SECONDS
_SEEN: Final = col("beacon:hosts_seen")
_KNOWN: Final = col("history_days") >= KNOWN_DAYS
_HUNDREDFOLD: Final = col("prevalence_hosts") * 100
_THREAT: Final = (
    col("beacon_score")
    + _step((_SEEN > 0) & (_HUNDREDFOLD <= _SEEN * RARE_PERCENT))
    - _step((_SEEN > 0) & (_HUNDREDFOLD >= _SEEN * COMMON_PERCENT))
    + _step(_KNOWN & (col("age_days") <= YOUNG_DAYS))
    - _step(_KNOWN & (col("age_days") >= OLD_DAYS))
)

BEACON_FORMULAS: Final = (
    _int(
        "reg_pm",
        when(_STEADY > 0, _STEADY * 1000 // col("period_s"), 0),
        "how steady the gaps are, per mille: 1000 (period_s - median distance from it) // period_s, at least 0",
    ),
    _int(
        "mode_pm",
        col("beacon:mode_gaps") * 1000 // _GAPS,
        "per mille of the gaps that differ from period_s by at most max(2, period_s // 5) seconds",
    ),
    _int(
        "size_pm",
        col("beacon:like_sized") * 1000 // col("sessions_cnt"),
        "per mille of the sessions whose bytes sent differ from bytes_sent_median by at most "
        "max(8, bytes_sent_median // 20)",
    ),
    _int(
        "span_pm",
        when(_SPAN < 1000, _SPAN, 1000),
        "time from the first start to the last, per mille of a day, at most 1000",
    ),
    _int(
        "beacon_score",
        _GAPS
        * (col("mode_pm") * 400 + (col("reg_pm") + col("size_pm") + col("span_pm")) * 200)
        // ((_GAPS + EVIDENCE_GAPS) * 1000),
        "how regular the sessions are, 0 to 1000: gaps_cnt (400 mode_pm + 200 reg_pm + 200 size_pm + 200 span_pm) // "
        "(1000 (gaps_cnt + 8))",
    ),
    _int(
        "unanswered_pm",
        col("beacon:unanswered") * 1000 // col("sessions_cnt"),
        "per mille of the sessions that had no answer",
    ),
    Formula(
        "first_seen_ts",
        col("beacon:first") * SECOND_US,
        ColumnType.TIMESTAMP,
        "first start of a session, whole seconds",
        TIME,
    ),
    Formula(
        "last_seen_ts",
        col("beacon:last") * SECOND_US,
        ColumnType.TIMESTAMP,
        "last start of a session, whole seconds",
        TIME,
    ),
    Formula(
        "prevalence",
        when(_SEEN > 0, col("prevalence_hosts").to_float() / _SEEN.to_float(), None),
        ColumnType.FLOAT64,
        "share of the internal hosts of the 7 days before the window's that contacted the peer in them; "
        "null where no internal host was seen",
        RATIO,
    ),
    _int(
        "beacon_threat",
        when(_THREAT < 0, 0, when(_THREAT > 1000, 1000, _THREAT)),
        f"beacon_score, {THREAT_STEP} more for a peer of at most {RARE_PERCENT} % of the internal hosts, "
        f"{THREAT_STEP} less for one of at least {COMMON_PERCENT} %; {THREAT_STEP} more for a pair of at most "
        f"{YOUNG_DAYS} days, {THREAT_STEP} less for one of at least {OLD_DAYS} (neither while history_days < "
        f"{KNOWN_DAYS}); within 0 and 1000",
    ),
)
"""Over `PAIR_AGGREGATES`, in an order in which each reads only what is there before it."""
