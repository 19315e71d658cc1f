"""The buckets in which the values of metrics are counted: how many there are, and what stands for each."""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from ndr_adapters.polars.expr import compile_expr
from ndr_core.baselines.buckets import bucket
from ndr_core.baselines.readout import MIDDLE
from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import lit
from ndr_core.int64 import INT64_MAX

BUCKETS: Final[int] = evaluate(bucket(lit(INT64_MAX)), {}) + 1
"""How many buckets there are, from 0 on: without that of unknown values."""


@cache
def middles() -> pl.Series:
    """Give the middles of all buckets, by bucket: faster than to work each one out."""
    buckets = pl.int_range(BUCKETS, dtype=pl.Int64, eager=True).alias("bucket")
    return buckets.to_frame().select(compile_expr(MIDDLE)).to_series()
