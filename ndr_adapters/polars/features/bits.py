"""How many bits counts take: worked out once for each distinct count, as logarithms take long."""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.features.metric_buckets import middles
from ndr_core.correlations.formulas import BITS

_SMALL: Final = 1 << 16
"""Counts below it have their bits in a table: those of the windows of a host always do."""


def bits_of(counts: pl.Series) -> pl.Series:
    """Give the bits of counts, null where they are: of many counts, of which few are distinct."""
    largest = counts.max()
    if largest is None or largest < _SMALL:  # type: ignore[operator]  # it is an int
        return _of_small_counts().gather(counts)
    distinct = counts.drop_nulls().unique().sort()
    places = distinct.search_sorted(counts, side="left")
    known = pl.select(pl.when(counts.is_not_null()).then(places)).to_series()
    return _bits(distinct).gather(known)


def bits_of_middles(buckets: pl.Series) -> pl.Series:
    """Give the bits of the middles of buckets, null where these are."""
    return _of_middles().gather(buckets)


@cache
def _of_small_counts() -> pl.Series:
    return _bits(pl.int_range(_SMALL, dtype=pl.Int64, eager=True))


@cache
def _of_middles() -> pl.Series:
    return _bits(middles())


def _bits(counts: pl.Series) -> pl.Series:
    return counts.alias("count").to_frame().select(compile_expr(BITS)).to_series()
