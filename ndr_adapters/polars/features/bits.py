"""How many bits counts take: worked out once for each distinct count, as logarithms take long."""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from ndr_adapters.polars.expr import compile_expr
from ndr_core.correlations.formulas import BITS
from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import col, lit
from ndr_core.expressions.portable import bucket_middle, bucket_of
from ndr_core.int64 import INT64_MAX

BUCKETS: Final[int] = evaluate(bucket_of(lit(INT64_MAX)), {}) + 1
"""How many buckets there are, from 0 on."""


def bits_of(counts: pl.Series) -> pl.Series:
    """Give the bits of counts, null where they are: of many counts, of which few are distinct."""
    distinct = counts.drop_nulls().unique().sort()
    places = distinct.search_sorted(counts, side="left")
    known = pl.select(pl.when(counts.is_not_null()).then(places)).to_series()
    return _bits(distinct).gather(known)


def bits_of_buckets(buckets: pl.Series) -> pl.Series:
    """Give the bits of the middles of buckets, null where these are."""
    return _of_all_buckets().gather(buckets)


@cache
def _of_all_buckets() -> pl.Series:
    middle = compile_expr(bucket_middle(col("bucket")))
    buckets = pl.int_range(BUCKETS, dtype=pl.Int64, eager=True).alias("bucket").to_frame()
    return _bits(buckets.select(middle).to_series())


def _bits(counts: pl.Series) -> pl.Series:
    return counts.alias("count").to_frame().select(compile_expr(BITS)).to_series()
