"""Medians of values and of histograms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import col
from ndr_core.expressions.portable import bucket_of
from ndr_core.tables.columns import add_histograms
from ndr_core.windows.medians import count_near, median, median_middle, middle

BUCKET = bucket_of(col("value"))


@pytest.mark.parametrize(
    ("values", "expected"), [([7], 7), ([9, 1], 1), ([3, 1, 2], 2), ([4, 3, 2, 1], 2)]
)
def test_the_median_of_an_even_number_of_values_is_the_lower_one(
    values: list[int], expected: int
) -> None:
    assert median(values) == expected


def test_the_middle_of_a_bucket_is_rounded_down() -> None:
    assert middle(127) == 127
    # 2000 = 125 * 16: exponent 4, bucket 4 * 64 + 125, which spans 2000..2015.
    assert middle(4 * 64 + 125) == 2007


@given(st.lists(st.integers(0, 1 << 40), min_size=1))
def test_the_median_of_a_histogram_is_the_middle_of_the_bucket_of_the_median(
    values: list[int],
) -> None:
    buckets = [evaluate(BUCKET, {"value": value}) for value in values]
    histogram = add_histograms([(bucket, 1)] for bucket in buckets)

    assert median_middle(histogram) == middle(evaluate(BUCKET, {"value": median(values)}))


def test_values_are_near_up_to_the_width_on_both_sides() -> None:
    histogram = ((80, 1), (90, 2), (100, 3), (110, 4), (111, 5))

    assert count_near(histogram, 100, 10) == 2 + 3 + 4
