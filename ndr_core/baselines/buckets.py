"""The buckets in which the windows of a host are counted, by the value of a metric."""

from __future__ import annotations

from typing import Final

from ndr_core.expressions.expr import Expr
from ndr_core.expressions.portable import bucket_middle, bucket_of

BUCKET_BITS: Final = 10
"""Mantissa bits: more than the 6 of the histograms of deltas. Values below 2048 have buckets of their own, the middle
of another bucket is within 1/2048 of all values in it. A median distance is a difference of middles: with wide buckets
that of values which hardly vary would be much too large or too small, and z with it."""


def bucket(value: Expr) -> Expr:
    """Give the bucket of a value of a metric, an int64 of at least 0."""
    return bucket_of(value, BUCKET_BITS)


def middle(of_bucket: Expr) -> Expr:
    """Give the value that stands for a bucket: its middle, rounded down."""
    return bucket_middle(of_bucket, BUCKET_BITS)
