"""Histograms and logarithms of integers, exact where they can be and close where they can't."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import col
from ndr_core.expressions.portable import (
    FIXED_POINT_SCALE,
    bucket_middle,
    bucket_of,
    log2,
    n_log2_n_fixed_point,
    nearest_rank,
)

X = col("x")
BUCKET, MIDDLE, LOG2, FIXED_POINT = (
    function(X) for function in (bucket_of, bucket_middle, log2, n_log2_n_fixed_point)
)
MOST = (1 << 63) - 1
POSITIVE = st.one_of(
    st.integers(1, MOST), st.integers(1, 62).flatmap(lambda n: st.integers(1 << n - 1, 1 << n))
)


def bucket(value: int) -> int:
    return int(evaluate(BUCKET, {"x": value}))


def middle(number: int) -> int:
    return int(evaluate(MIDDLE, {"x": number}))


def fixed_point(value: int) -> int:
    return int(evaluate(FIXED_POINT, {"x": value}))


def test_small_values_have_buckets_of_their_own() -> None:
    values = list(range(128))

    assert [bucket(value) for value in values] == values
    assert [middle(value) for value in values] == values


@pytest.mark.parametrize(
    ("value", "number", "stands_for"),
    [
        (128, 128, 128),
        (129, 128, 128),
        (130, 129, 130),
        (255, 191, 254),
        (256, 192, 257),
        (259, 192, 257),
        (260, 193, 261),
        (MOST, 3711, MOST - (1 << 55)),
    ],
)
def test_larger_values_share_buckets(value: int, number: int, stands_for: int) -> None:
    assert bucket(value) == number
    assert middle(number) == stands_for


@settings(max_examples=50, deadline=None)
@given(POSITIVE)
def test_the_middle_of_a_bucket_is_near_its_values_and_lies_in_it(value: int) -> None:
    number = bucket(value)

    assert abs(middle(number) - value) <= value / 128
    assert bucket(middle(number)) == number


@settings(max_examples=50, deadline=None)
@given(POSITIVE, st.integers(0, 300))
def test_buckets_keep_the_order_of_values(value: int, more: int) -> None:
    other = min(value + more, MOST)

    assert bucket(value) <= bucket(other)


@settings(max_examples=50, deadline=None)
@given(POSITIVE)
def test_the_logarithm_is_one(value: int) -> None:
    assert abs(evaluate(LOG2, {"x": value}) - math.log2(value)) < 1e-11


@pytest.mark.parametrize("exponent", [0, 1, 10, 62])
def test_the_logarithm_of_a_power_of_two_is_exact(exponent: int) -> None:
    assert evaluate(LOG2, {"x": 1 << exponent}) == float(exponent)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (0, 0),
        (1, 0),
        (2, 2 * FIXED_POINT_SCALE),
        (3, round(3 * math.log2(3) * FIXED_POINT_SCALE)),
        (5, round(5 * math.log2(5) * FIXED_POINT_SCALE)),
        (1024, 10240 * FIXED_POINT_SCALE),
        (1_000_003, round(1_000_003 * math.log2(1_000_003) * FIXED_POINT_SCALE)),
    ],
)
def test_n_log_n_is_a_rounded_number_of_parts(value: int, found: int) -> None:
    assert FIXED_POINT_SCALE == 65536
    assert fixed_point(value) == found


def test_the_logarithm_of_a_null_is_null_and_so_is_its_bucket() -> None:
    for expr in (LOG2, BUCKET, MIDDLE):
        assert evaluate(expr, {"x": None}) is None


@pytest.mark.parametrize(
    ("percent", "found"),
    [(0, 3), (1, 3), (25, 3), (26, 5), (50, 5), (51, 9), (75, 9), (99, 9), (100, 9)],
)
def test_the_nearest_rank_is_that_of_the_sorted_values(percent: int, found: int) -> None:
    values = [3, 5, 9, 9]
    histogram = [(3, 1), (5, 1), (9, 2)]

    assert nearest_rank(iter(histogram), percent) == found
    assert values[max(math.ceil(percent / 100 * len(values)), 1) - 1] == found


def test_an_empty_histogram_has_no_rank() -> None:
    assert nearest_rank([], 50) is None


@pytest.mark.parametrize("percent", [0, 50, 100])
def test_a_bucket_without_values_holds_no_rank(percent: int) -> None:
    assert nearest_rank([(3, 0), (5, 2), (9, 0)], percent) == 5
    assert nearest_rank([(3, 0)], percent) is None
