"""The beacon rows of an outbound host and a whole day, from its merged pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from ndr_core.deltas.timing import EARLY_START
from ndr_core.expressions.evaluate import evaluate
from ndr_core.features.networks import Networks, Side
from ndr_core.history.masks import age_days
from ndr_core.history.prevalence import Prevalence
from ndr_core.tables.columns import Histogram
from ndr_core.tables.merge import Row
from ndr_core.windows.beacon import BEACON_FORMULAS, LEAST_STARTS, MODE_WIDTH, SIZE_WIDTH
from ndr_core.windows.medians import count_near, median, median_middle
from ndr_core.windows.novelty import HostHistory


def beacon_rows(
    pairs: Iterable[Mapping[str, Any]],
    history: HostHistory | None,
    prevalence: Prevalence | None,
    networks: Networks,
) -> list[Row]:
    """Give the beacon rows of an outbound host: `PAIR_AGGREGATES`, and `BEACON_FORMULAS` over them.

    `pairs`: the merged pairs of a window of a whole day, their `starts` in whole seconds since 1970; `history`,
    `prevalence`: as the window sees them, None where the history is not known.
    """
    rows = []
    for pair in pairs:
        side = networks.side_of(pair["peer_ip"])
        seconds = distinct_starts(pair["starts"])
        if side is Side.NEITHER or len(seconds) < LEAST_STARTS:
            continue
        row: Row = {
            "host_ip": pair["host_ip"],
            "peer_ip": pair["peer_ip"],
            "peer_port": pair["peer_port"],
            "beacon:unanswered": pair["unanswered_cnt"],
            **regularity(seconds, pair["bytes_sent_hist"]),
            "is_external": int(side is Side.EXTERNAL),
            **_of_history(pair, history, prevalence),
        }
        for formula in BEACON_FORMULAS:
            row[formula.name] = evaluate(formula.value, row)
        rows.append(row)
    return rows


def distinct_starts(starts: Histogram) -> list[int]:
    """Give the seconds in which sessions began, in order; those that began too early to be told are left out."""
    return [second for second, _ in starts if second != EARLY_START]


def regularity(seconds: Sequence[int], sizes: Histogram) -> Row:
    """Give the aggregates of a pair that tell of its gaps and sizes.

    `seconds`: two or more distinct starts, in order; `sizes`: all its sessions by bucket of bytes sent.
    """
    gaps = [later - earlier for earlier, later in pairwise(seconds)]
    period = median(gaps)
    size = median_middle(sizes)
    widths = {"period_s": period, "bytes_sent_median": size}
    mode_width, size_width = evaluate(MODE_WIDTH, widths), evaluate(SIZE_WIDTH, widths)
    return {
        "sessions_cnt": sum(count for _, count in sizes),
        "gaps_cnt": len(gaps),
        **widths,
        "beacon:mad": median(abs(gap - period) for gap in gaps),
        "beacon:mode_gaps": sum(abs(gap - period) <= mode_width for gap in gaps),
        "beacon:like_sized": count_near(sizes, size, size_width),
        "beacon:first": seconds[0],
        "beacon:last": seconds[-1],
    }


def _of_history(
    pair: Mapping[str, Any], history: HostHistory | None, prevalence: Prevalence | None
) -> Row:
    names = ("prevalence_hosts", "beacon:hosts_seen", "age_days", "history_days")
    if history is None or prevalence is None:
        return dict.fromkeys(names)
    values = (
        prevalence.hosts_cnt.get(pair["peer_ip"], 0),
        prevalence.hosts_seen_cnt,
        age_days(history.of_pair(pair["peer_ip"], pair["peer_port"])) or 0,
        history.history_days,
    )
    return dict(zip(names, values, strict=True))
