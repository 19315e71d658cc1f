"""Samples of histograms from a bucket on, and the bits of counts: of many at once."""

from __future__ import annotations

import polars as pl

from ndr_adapters.polars.features.bits import bits_of, bits_of_middles
from ndr_adapters.polars.features.metric_buckets import BUCKETS
from ndr_adapters.polars.features.tails import Tails
from ndr_core.baselines.buckets import middle
from ndr_core.correlations.formulas import BITS
from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import col

HISTOGRAM = pl.List(pl.Struct({"bucket": pl.Int64, "count": pl.Int64}))


def histogram(*cells: tuple[int, int]) -> list[dict[str, int]]:
    return [{"bucket": bucket, "count": count} for bucket, count in cells]


def test_samples_are_counted_from_a_bucket_on_in_each_histogram() -> None:
    first, last = histogram((-1, 7), (3, 2), (5, 4)), histogram((BUCKETS - 1, 1))
    tails = Tails.of(pl.Series([first, [], None, last], dtype=HISTOGRAM))

    numbers = pl.Series([0, 0, 0, 0, 1, 2, 3, 3])
    buckets = pl.Series([1, 3, 4, 6, 1, 1, 1, BUCKETS - 1])

    assert tails.at_least(numbers, buckets).to_list() == [6, 6, 4, 0, 0, 0, 1, 1]


def test_where_histogram_or_bucket_is_null_nothing_is_counted() -> None:
    tails = Tails.of(pl.Series([histogram((1, 1))], dtype=HISTOGRAM))
    none = pl.Series([None, 0], dtype=pl.Int64)

    assert tails.at_least(none, pl.Series([1, 1])).to_list() == [None, 1]
    assert tails.at_least(pl.Series([0, 0]), none).to_list() == [None, 1]


def test_no_histograms_at_all_are_fine() -> None:
    tails = Tails.of(pl.Series([], dtype=HISTOGRAM))

    assert tails.at_least(pl.Series([None], dtype=pl.Int64), pl.Series([1])).to_list() == [None]


def test_bits_of_small_and_of_large_counts_are_those_of_the_core() -> None:
    small = [0, 1, 2, 65_535, None]

    for counts in (small, [*small, 65_536, 1 << 40, (1 << 63) - 2]):
        expected = [None if n is None else evaluate(BITS, {"count": n}) for n in counts]
        assert bits_of(pl.Series(counts, dtype=pl.Int64)).to_list() == expected


def test_bits_of_middles_of_buckets_are_those_of_the_core() -> None:
    buckets = [0, 1, 2047, 2048, 11_169, BUCKETS - 1]

    expected = [
        evaluate(BITS, {"count": evaluate(middle(col("bucket")), {"bucket": bucket})})
        for bucket in buckets
    ]

    assert bits_of_middles(pl.Series([*buckets, None])).to_list() == [*expected, None]
