"""The buckets of baselines."""

from __future__ import annotations

from ndr_core.baselines.buckets import BUCKET_BITS, bucket, middle
from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import col


def middle_of(value: int) -> int:
    found = evaluate(bucket(col("x")), {"x": value})
    return int(evaluate(middle(col("bucket")), {"bucket": found}))


def test_small_values_have_buckets_of_their_own() -> None:
    exact = 2 << BUCKET_BITS

    assert [middle_of(value) for value in range(exact)] == list(range(exact))


def test_the_middle_of_a_bucket_is_near_all_values_in_it() -> None:
    finest = 2 << BUCKET_BITS

    for value in range(finest, 64 * finest, 37):
        assert abs(middle_of(value) - value) * finest <= value
