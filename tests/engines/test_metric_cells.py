"""Cells of many histograms at once: how they add up, and how files have them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import polars as pl
import pytest
from polars.exceptions import ComputeError

from ndr_adapters.polars.features.metric_buckets import BUCKETS
from ndr_adapters.polars.features.metric_cells import (
    CELLS,
    added_up,
    changed,
    counted,
    exploded,
    groups_of,
    histograms,
    packed,
)
from ndr_adapters.polars.features.metric_codes import GROUP, Codes
from ndr_adapters.polars.features.metric_readouts import ZEROS, read_off
from ndr_adapters.polars.write import DTYPES
from ndr_core.baselines.buckets import bucket, middle
from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import col
from ndr_core.int64 import INT64_MAX
from ndr_core.tables.columns import ColumnType

Cell = tuple[int, int, int]


def cells(*rows: Cell) -> pl.DataFrame:
    return pl.DataFrame(rows, CELLS, orient="row")


SMALL = 7
LARGE = 1 << 50
"""Groups of which a cell is an integer of 64 bits, and groups of which it is not."""


@pytest.mark.parametrize("group", [SMALL, LARGE])
def test_counts_of_a_cell_add_and_subtract_and_those_of_0_are_gone(group: int) -> None:
    added = [cells((group, -1, 2), (group, 5, 1)), cells((1, 3, 1), (group, 5, 4))]
    removed = [cells((group, -1, 2), (group, 5, 2)), cells((group, 6, 1))]

    found = added_up(added, removed)

    assert found.rows() == [(1, 3, 1), (group, 5, 3), (group, 6, -1)]


def test_nothing_adds_up_to_no_cells() -> None:
    assert added_up([cells()], [cells()]).equals(cells())


@pytest.mark.parametrize("group", [SMALL, LARGE])
def test_changes_add_to_cells_and_take_away_and_those_of_0_are_gone(group: int) -> None:
    some = cells((1, 3, 1), (group, -1, 2), (group, 5, 4))
    changes = cells((2, 0, 1), (group, -1, -2), (group, 5, -1), (group, 6, -1), (group, 7, 1))

    found = changed(some, changes)

    assert found.rows() == [(1, 3, 1), (2, 0, 1), (group, 5, 3), (group, 6, -1), (group, 7, 1)]


def test_cells_without_changes_and_changes_of_no_cells_are_as_they_are() -> None:
    some = cells((1, 3, 1), (2, 5, -1))

    assert changed(some, cells()).equals(some)
    assert changed(cells(), some).equals(some)


def test_cells_add_up_in_any_order_however_often_they_come() -> None:
    far = BUCKETS - 1
    some = cells(
        (9, far, 1), (9, 63, 2), (1, 64, 1), (1, -1, 5), (9, 63, 3), (1, 64, -1), (5, 0, 1)
    )

    found = added_up([some], [cells((5, 0, 1), (9, 62, 4))])

    assert found.rows() == [(1, -1, 5), (9, 62, -4), (9, 63, 5), (9, far, 1)]


def test_cells_of_several_files_are_put_in_order_and_those_of_0_are_gone() -> None:
    some = cells((2, 3, 1), (2, 9, 0), (5, 9, 2), (5, 4, 1), (1, 3, 1), (9, 0, 0))

    assert added_up([some]).rows() == [(1, 3, 1), (2, 3, 1), (5, 4, 1), (5, 9, 2)]
    assert added_up([cells((1, 3, 0), (1, 4, 1))]).rows() == [(1, 4, 1)]


@pytest.mark.parametrize("cell", [(BUCKETS, 1), (-2, 1), (None, 1), (5, None)])
def test_a_bucket_that_can_not_be_is_refused(cell: tuple[int | None, int | None]) -> None:
    bucket, count = cell
    held = [[{"bucket": 7, "count": 1}, {"bucket": bucket, "count": count}]]
    schema = {GROUP: pl.UInt64(), "held": DTYPES[ColumnType.HISTOGRAM]}

    with pytest.raises(ComputeError, match="held: a histogram has a bucket that is not -1 to"):
        exploded(pl.DataFrame({GROUP: [1], "held": held}, schema), "held")


def test_samples_are_counted_in_the_smallest_and_the_largest_bucket() -> None:
    samples = pl.DataFrame({"group": [3, 2, 3, 2], "bucket": [BUCKETS - 1, -1, 0, -1]})
    packing = packed(pl.col("group").cast(pl.UInt64), pl.col("bucket"))

    found = counted(samples.select(packing).to_series())

    assert found.rows() == [(2, -1, 2), (3, 0, 1), (3, BUCKETS - 1, 1)]


def test_histograms_are_the_cells_of_each_group_and_empty_without_any() -> None:
    some = cells((2, -1, 4), (2, 9, 1), (5, 0, 1))
    groups = pl.Series(GROUP, [1, 2, 5, 8], dtype=pl.UInt64)

    found = histograms(groups, some)

    assert found.list.len().to_list() == [0, 2, 1, 0]
    assert exploded(pl.DataFrame({GROUP: groups, "held": found}), "held").equals(some)
    assert histograms(groups_of([some, cells((9, 1, 1))]), some).list.len().to_list() == [2, 1, 0]


def test_distances_of_the_whole_range_of_int64_are_ranked() -> None:
    of_largest = BUCKETS - 1
    far = int(evaluate(middle(col("bucket")), {"bucket": of_largest}))
    groups = pl.DataFrame({GROUP: [1 << 40], ZEROS: [3]}, {GROUP: pl.UInt64, ZEROS: pl.Int64})
    some = cells((1 << 40, 10, 2), (1 << 40, of_largest, 3))

    found = read_off(groups, some).row(0, named=True)

    assert found["median"] == 10
    assert found["mad"] == 10  # of 0, 0, 10, 10, 10 and three large ones the fourth
    assert found["p99"] == far
    assert of_largest == evaluate(bucket(col("x")), {"x": INT64_MAX})


def of_chunks(names: Sequence[str], size: int) -> list[tuple[str, ...]]:
    """Bands, names and metrics of rows of each metric and name, in the order of files."""
    codes = Codes.of(pl.Series(names), ["w_1h"], ["bytes", "sessions"], names_together=size)
    keys = [
        (band, place, metric)
        for band in ("wd_off", "wd_work")
        for metric in ("bytes", "sessions")
        for place in range(len(names))
    ]
    rows = pl.DataFrame(keys, ["time_band", "place", "metric"], orient="row").with_columns(
        role=pl.lit("outbound"), window_label=pl.lit("w_1h")
    )
    found = rows.select(codes.group()).sort(GROUP).with_columns(codes.row_of(), codes.metric_of())
    return found.with_columns(codes.key("name")).select("time_band", "name", "metric").rows()


def test_files_have_some_names_after_the_other_and_each_metric_of_these_together() -> None:
    names = ("a", "b", "c")

    assert of_chunks(names, 2)[:6] == [
        ("wd_off", "a", "bytes"),
        ("wd_off", "b", "bytes"),
        ("wd_off", "a", "sessions"),
        ("wd_off", "b", "sessions"),
        ("wd_off", "c", "bytes"),
        ("wd_off", "c", "sessions"),
    ]
    assert [metric for _, _, metric in of_chunks(names, 3)[:6]] == ["bytes"] * 3 + ["sessions"] * 3


def test_a_job_that_makes_no_baselines_starts_without_numba() -> None:
    program = (
        "import sys, ndr_entrypoints.feature_jobs; print(*{*sys.modules} & {'numba', 'numpy'})"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )

    assert done.stdout.split() == []
