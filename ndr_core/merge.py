"""Merging: the deltas and pair tables of the parts of a slice make those of the whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ndr_core.delta import DELTA_KEYS, PAIR_KEYS, PAIR_SUMS, overflow_place
from ndr_core.finish import Row, add_histograms, checked_sum, finish_row
from ndr_core.measures import Additive, Distribution, Measure


def merge_pairs(parts: Iterable[Mapping[str, Any]]) -> list[Row]:
    """One row per key of the pair table: counts and bytes add, `event_ts` is the latest.

    Columns that are no key are taken from the first row. Raises OverflowingColumnError.
    """
    merged = []
    for key, rows in sorted(
        _grouped(parts, PAIR_KEYS).items(), key=lambda item: _null_first(item[0])
    ):
        row = dict(rows[0])
        for name in (measure.name for measure in PAIR_SUMS):
            row[name] = checked_sum(name, (part[name] for part in rows), _where(key))
        row["event_ts"] = max(part["event_ts"] for part in rows)
        merged.append(row)
    return merged


def merge_deltas(
    parts: Iterable[Mapping[str, Any]],
    pairs: Iterable[Mapping[str, Any]],
    measures: Sequence[Measure],
) -> list[Row]:
    """One row per key of the delta table, as if it had been built from all records at once.

    `parts`: delta rows of any split of the records; `pairs`: the pair rows of the same records, merged
    or not. Sums and histograms add; everything else is derived anew, the distinct counts, entropies and
    shares from the pairs, since none of them can be had from its parts. Raises OverflowingColumnError.
    """
    pairs_of = _grouped(merge_pairs(pairs), DELTA_KEYS)
    merged = []
    for key, rows in sorted(_grouped(parts, DELTA_KEYS).items()):
        stored: Row = {}
        for measure in measures:
            if isinstance(measure, Additive):
                values = (part[measure.name] for part in rows)
                stored[measure.name] = checked_sum(measure.name, values, _where(key))
            elif isinstance(measure, Distribution):
                stored[measure.histogram] = add_histograms(part[measure.histogram] for part in rows)
        merged.append(dict(rows[0]) | finish_row(stored, pairs_of.get(key, []), measures))
    return merged


def _grouped(
    rows: Iterable[Mapping[str, Any]], keys: Sequence[str]
) -> dict[tuple[Any, ...], list[Mapping[str, Any]]]:
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in keys)].append(row)
    return groups


def _null_first(key: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple((value is not None, value) for value in key)


def _where(key: tuple[Any, ...]) -> str:
    return overflow_place(*key[:3])
