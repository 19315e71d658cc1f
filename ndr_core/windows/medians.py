"""Medians, as features have them: of n values the one of rank (n + 1) // 2, never a mean of two."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import col
from ndr_core.expressions.portable import bucket_middle, nearest_rank
from ndr_core.tables.columns import Histogram

_MIDDLE: Final = bucket_middle(col("bucket"))
_HALF: Final = 50


def median(values: Iterable[int]) -> int:
    """Give the median of one or more values."""
    ordered = sorted(values)
    return ordered[(len(ordered) + 1) // 2 - 1]


def middle(bucket: int) -> int:
    """Give the value that stands for a bucket of a log-linear histogram."""
    value: int = evaluate(_MIDDLE, {"bucket": bucket})
    return value


def median_middle(histogram: Histogram) -> int:
    """Give the median of the values of a log-linear histogram that is not empty: the middle of its bucket.

    The rank of the 50th percentile, rounded up, is that of the median.
    """
    bucket = nearest_rank(histogram, _HALF)
    assert bucket is not None
    return middle(bucket)


def count_near(histogram: Histogram, value: int, width: int) -> int:
    """Count the values of a log-linear histogram whose bucket's middle differs from a value by at most `width`."""
    return sum(count for bucket, count in histogram if abs(middle(bucket) - value) <= width)
