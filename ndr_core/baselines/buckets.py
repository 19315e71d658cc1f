"""The buckets in which the windows of a host are counted, by the value of a metric."""

from __future__ import annotations

from typing import Final

from ndr_core.expressions.expr import Expr
from ndr_core.expressions.portable import MANTISSA_BITS, bucket_middle, bucket_of

BUCKET_BITS: Final = MANTISSA_BITS
"""Mantissa bits of the buckets: those of all histograms."""


def bucket(value: Expr) -> Expr:
    """Give the bucket of a value of a metric, an int64 of at least 0."""
    return bucket_of(value, BUCKET_BITS)


def middle(of_bucket: Expr) -> Expr:
    """Give the value that stands for a bucket: its middle, rounded down."""
    return bucket_middle(of_bucket, BUCKET_BITS)
