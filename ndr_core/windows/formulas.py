"""The columns of `fg_a` that are formulas over other values of their row."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from ndr_core.expressions.expr import Expr, Scalar, col, columns_of, when
from ndr_core.expressions.portable import FIXED_POINT_SCALE
from ndr_core.tables.columns import ColumnType
from ndr_core.tables.origin import Origin
from ndr_core.tables.units import BITS, BYTES, COUNT, FLAG, RATIO, SCORE, SECONDS
from ndr_core.times import SECOND_US
from ndr_core.windows.history_source import KNOWN_DAYS

HSCAN_HALF: Final = 25
VSCAN_HALF: Final = 15
TARGETS_HALF: Final = 25
BRUTE_HALF: Final = 30
LATERAL_HALF: Final = 3
"""Counts at which a score is one half. Those of scans are the thresholds of Zeek's scan policy."""


@frozen
class Formula:
    """A column that is worked out from other values of its row."""

    name: str
    value: Expr
    """Over merged delta columns, aggregates, and formulas before this one."""
    type: ColumnType
    meaning: str
    unit: str

    @property
    def origin(self) -> Origin:
        """Say what it is made of."""
        return Origin(self.unit, self.value)


def _float(name: str, value: Expr, meaning: str, unit: str = RATIO) -> Formula:
    return Formula(name, value, ColumnType.FLOAT64, meaning, unit)


def _int(name: str, value: Expr, meaning: str, unit: str = COUNT) -> Formula:
    return Formula(name, value, ColumnType.INT64, meaning, unit)


def _divided(dividend: Expr, divisor: Expr) -> Expr:
    """A ratio of two counts; null where the divisor is 0 or unknown."""
    return when(divisor > 0, dividend.to_float() / divisor.to_float(), None)


def _of_sessions(name: str, counted: str, what: str) -> Formula:
    return _float(name, _divided(col(counted), _SESSIONS), f"{what} / sessions; null without any")


def _half_at(count: Expr, half: int) -> Expr:
    """A score from 0 to 1 that grows with a count: one half at `half`."""
    return count.to_float() / (count.to_float() + float(half))


def _larger(a: Expr, b: Expr) -> Expr:
    return when(a >= b, a, b)


def if_known(value: Expr | Scalar) -> Expr:
    """Give a value that is made of the history; null for a host of too few days of it."""
    return when(col("history_days") >= KNOWN_DAYS, value, None)


_SESSIONS: Final = col("sessions_cnt")
_SENT: Final = col("bytes_sent_sum")
_RECEIVED: Final = col("bytes_recv_sum")
_BOTH: Final = _SENT.to_float() + _RECEIVED.to_float()
_YOUNG: Final = f"null while history_days < {KNOWN_DAYS}"

RATIOS: Final = (
    _float(
        "duration_mean",
        _divided(col("duration_us_sum"), _SESSIONS) / float(SECOND_US),
        "mean session time, seconds; null without sessions",
        SECONDS,
    ),
    _of_sessions("drop_ratio", "drop_cnt", "sessions dropped, denied or reset"),
    _of_sessions("zero_reply_ratio", "zero_reply_cnt", "sessions without a reply"),
    _of_sessions("short_ratio", "short_session_cnt", "short sessions"),
    _of_sessions("tcp_ratio", "tcp_cnt", "TCP sessions"),
    _of_sessions("udp_ratio", "udp_cnt", "UDP sessions"),
    _of_sessions("icmp_ratio", "icmp_cnt", "ICMP sessions"),
    _float(
        "bytes_sent_share",
        when(_BOTH > 0.0, _SENT.to_float() / _BOTH, None),
        "bytes sent / (bytes sent + bytes received); null without bytes",
    ),
    _float(
        "bytes_asymmetry_ratio",
        _divided(_SENT, _RECEIVED),
        "bytes sent / bytes received; null where none were received",
    ),
    _int(
        "has_high_risk",
        when(
            col("high_risk_sessions_cnt").is_null(),
            None,
            when(col("high_risk_sessions_cnt") > 0, 1, 0),
        ),
        "1 with sessions to a port of the set high_risk, else 0",
        FLAG,
    ),
)

NOVELTY: Final = (
    _int(
        "new_peer_cnt",
        if_known(col("novelty:new_peers")),
        f"peers that are on no day of the history; {_YOUNG}",
    ),
    _float(
        "new_peer_ratio",
        _divided(col("new_peer_cnt"), col("peer_ip_nunique")),
        f"new_peer_cnt / peer_ip_nunique; null without peers; {_YOUNG}",
    ),
    _int(
        "rare_peer_cnt",
        if_known(col("novelty:rare_peers")),
        f"peers that are on 1 or 2 days of the history; {_YOUNG}",
    ),
    _int(
        "new_port_cnt",
        if_known(col("novelty:new_ports")),
        f"known peer ports that are on no day of the history; {_YOUNG}",
    ),
    _int(
        "rare_port_cnt",
        if_known(col("novelty:rare_ports")),
        f"known peer ports that are on 1 or 2 days of the history; {_YOUNG}",
    ),
    _int(
        "new_pair_cnt",
        if_known(col("novelty:new_pairs")),
        f"peers with their peer port (unknown is a port) that are on no day of the history; {_YOUNG}",
    ),
    _int(
        "rare_pair_cnt",
        if_known(col("novelty:rare_pairs")),
        f"peers with their peer port that are on 1 or 2 days of the history; {_YOUNG}",
    ),
    _int(
        "new_segment_cnt",
        if_known(col("novelty:new_segments")),
        f"segments of peers that are on no day of the history; {_YOUNG}",
    ),
    _int(
        "new_ext_bytes_sent",
        if_known(col("novelty:new_ext_bytes")),
        f"bytes the host sent to external peers that are on no day of the history; {_YOUNG}",
        BYTES,
    ),
)
"""Against the history of the window, before its column `history_days`."""

RARITY: Final = (
    _float(
        "pair_rarity_max",
        if_known(col("novelty:rarity_max")),
        f"largest rarity of a pair, bits; null without pairs; {_YOUNG}",
        BITS,
    ),
    _float(
        "pair_rarity_mean",
        if_known(
            _divided(col("novelty:rarity_sum"), col("novelty:pairs")) / float(FIXED_POINT_SCALE)
        ),
        f"mean rarity of the pairs, bits; null without pairs; {_YOUNG}",
        BITS,
    ),
)
"""Against the history of the window, behind its column `history_days`."""

_DIFFERENCE: Final = col("detection:failed_peers") - col("detection:answering_peers")

TRW_BITS: Final = _int(
    "trw_bits",
    when(_DIFFERENCE.is_null(), None, when(_DIFFERENCE > 0, _DIFFERENCE * 2, 0)),
    "log2 of how much likelier the host's failed and answered peers are for a scanner, at least 0: 8 and more "
    "is a scanner, at 1 % error",
    BITS,
)
SCAN_SCORE: Final = _float(
    "scan_score",
    _larger(
        _larger(
            _half_at(col("hscan_max_peers"), HSCAN_HALF),
            _half_at(col("vscan_max_ports"), VSCAN_HALF),
        ),
        _half_at(col("scan_targets_cnt"), TARGETS_HALF),
    ),
    f"0 to 1, the largest of hscan_max_peers / (it + {HSCAN_HALF}), vscan_max_ports / (it + {VSCAN_HALF}) and "
    f"scan_targets_cnt / (it + {TARGETS_HALF})",
    SCORE,
)
BRUTE_SCORE: Final = _float(
    "brute_score",
    _half_at(col("brute_max_sessions"), BRUTE_HALF)
    * col("brute_even_pm").or_else(0).to_float()
    / 1000.0,
    f"0 to 1: brute_max_sessions / (it + {BRUTE_HALF}) * brute_even_pm / 1000",
    SCORE,
)
NEW_ADMIN_PEERS: Final = _int(
    "new_admin_peer_cnt",
    if_known(col("detection:new_admin_peers")),
    f"of admin_peer_nunique, the peers with no such pair in the history; {_YOUNG}",
)
LATERAL_SCORE: Final = _float(
    "lateral_score",
    _half_at(col("new_admin_peer_cnt"), LATERAL_HALF),
    f"0 to 1: new_admin_peer_cnt / (it + {LATERAL_HALF}); {_YOUNG}",
    SCORE,
)

FORMULAS: Final = (
    *RATIOS,
    *NOVELTY,
    *RARITY,
    TRW_BITS,
    SCAN_SCORE,
    BRUTE_SCORE,
    NEW_ADMIN_PEERS,
    LATERAL_SCORE,
)
"""All of them, in an order in which each reads only what is there before it."""

OPERANDS: Final = frozenset().union(*(columns_of(formula.value) for formula in FORMULAS))
"""All columns that formulas read."""
