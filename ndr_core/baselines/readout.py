"""What is read off a histogram of a metric, and how far a value lies from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from ndr_core.baselines.buckets import middle
from ndr_core.baselines.metrics import Unit
from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import Expr, col, lit, when
from ndr_core.expressions.portable import nearest_rank
from ndr_core.tables.columns import Histogram

SCALE_OF_MAD: Final = 1.4826
SCALE_OF_IQR: Final = 0.7413
"""What makes a median distance, and the distance of the quartiles, that of the standard deviation of a normal law."""
SCALE_OF_MEDIAN: Final = 0.05
P99_OF_NORMAL: Final = 2.3263
"""How many standard deviations the 99th percentile of a normal law lies above its median."""

MIDDLE: Final = middle(col("bucket"))
"""The value that stands for a bucket, over `bucket`."""

LEAST_SAMPLES: Final = 20
"""A baseline of fewer samples tells nothing of a host."""


@frozen
class Readout:
    """What is read off the histogram of a metric: middles of buckets, in the metric's unit. Null for no sample."""

    n: int
    """Samples."""
    median: int | None
    """Of rank (n + 1) // 2, as all percentiles here are of nearest rank."""
    p25: int | None
    p75: int | None
    p95: int | None
    p99: int | None
    mad: int | None
    """Median distance of a sample from the median."""
    iqr: int | None
    """p75 - p25."""


def read_off(histogram: Histogram) -> Readout:
    """Read off a whole histogram: bucket 0 is in it, and no unknown values are."""
    n = sum(count for _, count in histogram)
    if n == 0:
        return Readout(0, None, None, None, None, None, None, None)
    median, p25, p75, p95, p99 = (_at(histogram, percent) for percent in (50, 25, 75, 95, 99))
    distances: dict[int, int] = {}
    for bucket, count in histogram:
        distance = abs(middle_of(bucket) - median)
        distances[distance] = distances.get(distance, 0) + count
    mad = nearest_rank(sorted(distances.items()), 50)
    return Readout(n, median, p25, p75, p95, p99, mad, p75 - p25)


def middle_of(bucket: int) -> int:
    """Give the value that stands for a bucket."""
    return int(evaluate(MIDDLE, {"bucket": bucket}))


def _at(histogram: Histogram, percent: int) -> int:
    bucket = nearest_rank(histogram, percent)
    assert bucket is not None
    return middle_of(bucket)


def _larger(a: Expr, b: Expr) -> Expr:
    return when(a >= b, a, b)


def scale_of(unit: Unit) -> Expr:
    """Give the scale of departures of a metric of a unit, over `mad`, `iqr` and `median`: a float above 0.

    The floor of the unit makes z of histograms agree with z of the values themselves, and a departure from a constant
    visible.
    """
    scale = _larger(
        _larger(col("mad").to_float() * SCALE_OF_MAD, col("iqr").to_float() * SCALE_OF_IQR),
        col("median").to_float() * SCALE_OF_MEDIAN,
    )
    return _larger(scale, lit(float(unit.floor)))


def z_of(unit: Unit) -> Expr:
    """Give how many scales a value `x` lies above the median, over `x`, `median`, `mad` and `iqr`."""
    return (col("x") - col("median")).to_float() / scale_of(unit)


def upper_z_of(unit: Unit) -> Expr:
    """Give z by the larger of two scales: that of z, and what the upper tail of the baseline says.

    Over `x`, `median`, `mad`, `iqr` and `p99`. For a normal law both scales are the standard deviation. What is large
    in a few of a hundred samples moves neither mad nor iqr, but p99.
    """
    of_tail = (col("p99") - col("median")).to_float() / P99_OF_NORMAL
    return (col("x") - col("median")).to_float() / _larger(scale_of(unit), of_tail)


Z: Final[Mapping[Unit, Expr]] = {unit: z_of(unit) for unit in Unit}
"""Unit -> z."""
UPPER_Z: Final[Mapping[Unit, Expr]] = {unit: upper_z_of(unit) for unit in Unit}
"""Unit -> upper_z."""
