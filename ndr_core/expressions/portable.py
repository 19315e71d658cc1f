"""Integer histograms and a portable logarithm, written as expressions.

Both are built only from int64 operations and IEEE + - * /, so that every engine gives the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from ndr_core.expressions.expr import (
    Expr,
    let,
    lit,
    when,
)

MANTISSA_BITS = 6
FIXED_POINT_SCALE = 1 << 16
_ATANH_TERMS = 11  # (1/3)^23 / 23: below 1e-12 for a mantissa in [1, 2)


def bucket_of(value: Expr, bits: int = MANTISSA_BITS) -> Expr:
    """Histogram bucket of a non-negative int64.

    Log-linear: the exponent and 6 mantissa bits, as in HdrHistogram. Values below 128 have a bucket of
    their own; above, a bucket spans 1/64 of a power of two at most, so its middle is within 1/128 of any value in it.
    `bits`: mantissa bits; each one more halves the buckets, and doubles the values that have their own.
    """

    def with_exponent(exponent: Expr) -> Expr:
        return exponent * (1 << bits) + value.shift_right(exponent)

    shifted = let("exponent", value.bit_length() - (bits + 1), with_exponent)
    return when(value < 2 << bits, value, shifted)


def bucket_middle(bucket: Expr, bits: int = MANTISSA_BITS) -> Expr:
    """The value that stands for a bucket: its middle, rounded down (inverse of `bucket_of`)."""

    def with_exponent(exponent: Expr) -> Expr:
        low = (bucket - exponent * (1 << bits)).shift_left(exponent)
        return low + (lit(1).shift_left(exponent) - 1) // 2

    spread = let("exponent", bucket // (1 << bits) - 1, with_exponent)
    return when(bucket < 2 << bits, bucket, spread)


def log2(count: Expr) -> Expr:
    """Base-2 logarithm of a positive int64 as a float, error below 1e-11.

    count = 2^e * m with m in [1, 2); ln m = 2 atanh((m - 1) / (m + 1)) by its power series.
    Library logarithms differ in the last bit from engine to engine; these operations do not.
    """

    def with_exponent(exponent: Expr) -> Expr:
        mantissa = count.to_float() / lit(1).shift_left(exponent).to_float()
        log_mantissa = let("mantissa", mantissa, lambda m: _atanh((m - 1.0) / (m + 1.0)))
        return exponent.to_float() + log_mantissa * (2.0 / math.log(2.0))

    return let("exponent", count.bit_length() - 1, with_exponent)


def _atanh(argument: Expr) -> Expr:
    """Inverse hyperbolic tangent of a number in [0, 1/3], by its power series in Horner's form."""

    def series(s: Expr, z: Expr) -> Expr:
        total: Expr = lit(1.0 / (2 * _ATANH_TERMS - 1))
        for k in range(_ATANH_TERMS - 2, -1, -1):
            total = total * z + 1.0 / (2 * k + 1)
        return s * total

    return let("s", argument, lambda s: let("z", s * s, lambda z: series(s, z)))


def n_log2_n_fixed_point(count: Expr) -> Expr:
    """n * log2(n) of a count, rounded to a multiple of 2^-16 and given as an integer count of 2^-16."""
    scaled = count.to_float() * log2(count) * float(FIXED_POINT_SCALE)
    return when(count < 2, 0, (scaled + 0.5).floor_to_int())


def nearest_rank(histogram: Iterable[tuple[int, int]], percent: int) -> int | None:
    """Bucket that holds the value of rank ceil(percent / 100 * n); None for an empty histogram.

    `histogram`: (bucket, count) pairs in ascending order of bucket.
    """
    cells = list(histogram)
    rank = (percent * sum(count for _, count in cells) + 99) // 100
    seen = 0
    for bucket, count in cells:
        seen += count
        if seen >= max(rank, 1):
            return bucket
    return None
