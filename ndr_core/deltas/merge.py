"""Merging deltas and pairs: those of the parts of a slice make those of the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ndr_core.deltas.tables import CELL_SUMS, PAIR, PAIR_SUMS, delta_table, row_place
from ndr_core.measures.derive import derive_row
from ndr_core.measures.kinds import Measure
from ndr_core.tables.merge import Row, check_int64, group, merge_rows


def merge_pairs(parts: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Give one row per key of the pair table, each column by its `Merge`. Raises OverflowingColumnError."""
    return merge_rows(parts, PAIR, row_place)


def merge_deltas(
    parts: Iterable[Mapping[str, Any]],
    pairs: Iterable[Mapping[str, Any]],
    measures: Sequence[Measure],
) -> list[Row]:
    """Give one row per key of the delta table, as if it had been built from all records at once.

    `parts`: delta rows of any split of the records; `pairs`: the pair rows of the same records, merged
    or not; both as the core or as a reader gives rows. Stored columns merge; the others are derived: percentiles
    from the merged histograms, distinct counts, entropies and shares from the merged pairs, since none of them can
    be had from its parts. Raises OverflowingColumnError, also where the pairs of one host do not fit.
    """
    table = delta_table(measures)
    stored = merge_rows(parts, table, row_place)
    unread = {item.name: 0 for item in PAIR_SUMS if item.name not in CELL_SUMS}
    pairs_of = group((PAIR.plain_row(pair) | unread for pair in pairs), table.keys)
    for row in stored:
        for name in CELL_SUMS:
            total = sum(pair[name] for pair in pairs_of.get(table.key_of(row), []))
            check_int64(name, total, row_place(row))
    merged = []
    for row in stored:
        of_host = merge_pairs(pairs_of.get(table.key_of(row), []))
        whole = row | derive_row(row, of_host, measures)
        merged.append({column.name: whole[column.name] for column in table.columns})
    return merged
