"""Deriving a whole row from what is stored and merges: the last step of building and of merging."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import Expr
from ndr_core.expressions.portable import nearest_rank
from ndr_core.measures.kinds import (
    CELL_AGGREGATES,
    Derived,
    Distribution,
    LargestCount,
    Measure,
    PairDerived,
    PairKey,
    Untold,
)
from ndr_core.tables.columns import Histogram
from ndr_core.tables.merge import Row


def readouts(distribution: Distribution, histogram: Histogram | None) -> Row:
    """Give the readouts of a distribution, from its histogram; all are null where it is not known."""
    if histogram is None:
        return dict.fromkeys(readout.name for readout in distribution.readouts)
    row: Row = {}
    for readout in distribution.readouts:
        match readout:
            case LargestCount(name):
                row[name] = max((count for _, count in histogram), default=0)
            case quantile:
                bucket = nearest_rank(histogram, quantile.percent)
                row[quantile.name] = (
                    None if bucket is None else evaluate(quantile.value, {"bucket": bucket})
                )
    return row


def cell_row(pairs: Sequence[Mapping[str, Any]], key: PairKey) -> Row:
    """Aggregate over the distinct peers or ports of one host, from its rows of the pair table."""
    cells: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
    for pair in pairs:
        if pair[key] is not None:
            cells[pair[key]][0] += pair["sessions_cnt"]
            cells[pair[key]][1] += pair["bytes_sent_sum"]
    row: Row = {}
    for aggregate in CELL_AGGREGATES[key]:
        values = [_cell_value(aggregate.value, *cell) for cell in cells.values()]
        row[aggregate.name] = sum(values) if aggregate.how == "sum" else max(values, default=0)
    return row


@lru_cache(maxsize=1 << 16)
def _cell_value(value: Expr, sessions: int, sent: int) -> Any:
    return evaluate(value, {"sessions": sessions, "bytes": sent})


def derive_row(
    stored: Mapping[str, Any], pairs: Sequence[Mapping[str, Any]], measures: Sequence[Measure]
) -> Row:
    """Give all measured columns of a delta row, in the order of the measures.

    `stored`: the additive and histogram columns of the host; `pairs`: its rows of the pair table.
    """
    needed = {measure.key for measure in measures if isinstance(measure, PairDerived)}
    known = dict(stored)
    for key in needed:
        known |= cell_row(pairs, key)
    row: Row = {}
    for measure in measures:
        match measure:
            case Distribution():
                row[measure.histogram] = stored[measure.histogram]
                row |= readouts(measure, stored[measure.histogram])
            case PairDerived() | Derived():
                row[measure.name] = evaluate(measure.value, known)
            case Untold():
                row[measure.name] = stored.get(measure.name)
            case _:
                row[measure.name] = stored[measure.name]
    return row
