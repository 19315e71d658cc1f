"""Rows that are sorted by a key, added up by running sums: several times faster than each group by itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import polars as pl

from ndr_adapters.polars.marks import marks


def _is_last(*keys: str) -> pl.Expr:
    """Whether a row is the last one of its keys. Rows of the same keys lie behind each other."""
    is_other = (pl.col(name) != pl.col(name).shift(-1) for name in keys)
    return pl.any_horizontal(is_other).fill_null(True)


def run_sums(
    rows: pl.LazyFrame, keys: Collection[str], *sums: pl.Expr, kept: Collection[str] = ()
) -> pl.LazyFrame:
    """Add up the rows of the same keys: gives `keys`, `kept` and the sums, in the order of the rows.

    `rows`: those of the same keys lie behind each other; `sums`: integers of 64 bits, no null; `kept`: columns that
    are the same in all rows of the same keys. The running sum of all rows may leave int64 and come back: only the sum
    of each group must be within.
    """
    totals = [one.cum_sum() for one in sums]
    names = [one.meta.output_name() for one in totals]
    ends = rows.select(*keys, *kept, *totals).filter(_is_last(*keys))
    return ends.with_columns(pl.col(name) - pl.col(name).shift(1, fill_value=0) for name in names)


def united(places: pl.Series, sets: pl.Series, bits: Iterable[int], size: int) -> pl.Series:
    """Give the union of the sets of each place below `size`. `sets`: of each of `places`, as bits, in UInt64."""
    union = pl.zeros(size, dtype=pl.UInt64, eager=True)
    for bit in bits:
        has_bit = marks(places.filter((sets & bit) != 0), size)
        union = union | has_bit.cast(pl.UInt64) * bit
    return union.alias(sets.name)
