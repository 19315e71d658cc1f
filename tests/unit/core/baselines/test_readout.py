"""What is read off a histogram, and how far a value lies from it, by hand."""

from __future__ import annotations

import pytest

from ndr_core.baselines.metrics import Unit
from ndr_core.baselines.readout import Readout, Z, middle_of, read_off, scale_of
from ndr_core.expressions.evaluate import evaluate


def test_percentiles_are_the_middles_of_the_buckets_of_their_ranks() -> None:
    # 1, 2 twice, 4, 9, 100 to 119 once each: 25 values
    histogram = ((1, 1), (2, 2), (4, 1), (9, 1), *((100 + more, 1) for more in range(20)))

    # Ranks 13, 7, 19, 24 and 25. Distances from 107: 0; 1 to 7 twice (ranks 2..15).
    assert read_off(histogram) == Readout(
        n=25, median=107, p25=101, p75=113, p95=118, p99=119, mad=6, iqr=12
    )


def test_the_median_of_an_even_number_of_samples_is_the_lower_one() -> None:
    assert read_off(((1, 1), (2, 1))).median == 1


def test_distances_on_both_sides_of_the_median_count_together() -> None:
    # 8, 10, 10, 10, 12, 12, 12: distances 0 three times, 2 four times
    assert read_off(((8, 1), (10, 3), (12, 3))).mad == 2


def test_nothing_is_read_off_an_empty_histogram() -> None:
    assert read_off(()) == Readout(0, None, None, None, None, None, None, None)


@pytest.mark.parametrize(("bucket", "value"), [(0, 0), (2047, 2047), (2524, 3000), (7706, 99_999)])
def test_the_middle_of_a_bucket_stands_for_it(bucket: int, value: int) -> None:
    assert middle_of(bucket) == value


@pytest.mark.parametrize(
    ("unit", "median", "mad", "iqr", "scale"),
    [
        (Unit.COUNT, 10, 100, 100, 1.4826 * 100),
        (Unit.COUNT, 10, 100, 1000, 0.7413 * 1000),
        (Unit.COUNT, 1000, 1, 1, 0.05 * 1000),
        (Unit.COUNT, 10, 0, 0, 1.0),
        (Unit.BYTES, 10, 0, 0, 1024.0),
        (Unit.MILLISECONDS, 10, 0, 0, 1000.0),
        (Unit.THOUSANDTHS, 10, 0, 0, 50.0),
    ],
)
def test_the_scale_is_the_largest_of_four(
    unit: Unit, median: int, mad: int, iqr: int, scale: float
) -> None:
    values = {"median": median, "mad": mad, "iqr": iqr}

    assert evaluate(scale_of(unit), values) == scale
    assert evaluate(Z[unit], values | {"x": median - 7}) == -7 / scale


@pytest.mark.parametrize("missing", ["x", "median"])
def test_z_is_unknown_without_a_value_or_a_baseline(missing: str) -> None:
    values = {"x": 1, "median": 1, "mad": 1, "iqr": 1}

    assert evaluate(Z[Unit.COUNT], values | {missing: None}) is None
