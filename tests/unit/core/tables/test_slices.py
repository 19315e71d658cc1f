"""Slices of time, and the folders that hold them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.errors import SpecError
from ndr_core.expressions.evaluate import evaluate
from ndr_core.tables.columns import Merge
from ndr_core.tables.slices import (
    SLICE_COLUMNS,
    SLICE_LEVELS,
    SLICE_US,
    TIME_LEVELS,
    SliceBounds,
    partition_of,
    slice_end,
    slice_path,
    slice_start,
)
from ndr_core.times import MINUTE_US, TIME_LIMIT_US, parse_bound

LAST_MINUTE = TIME_LIMIT_US // MINUTE_US * MINUTE_US
BOUNDS = SliceBounds(7 * MINUTE_US, 9 * MINUTE_US)


def test_a_slice_lasts_a_quarter_of_an_hour() -> None:
    assert SLICE_US == 15 * 60 * 1_000_000


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 1), (0, SLICE_US), (MINUTE_US, MINUTE_US + 1), (LAST_MINUTE, TIME_LIMIT_US - 1)],
)
def test_bounds_that_make_a_slice(start: int, end: int) -> None:
    bounds = SliceBounds(start, end)

    assert (bounds.start, bounds.end) == (start, end)


OUTSIDE = "lies outside the times that records can have, 1970-01-01 to 2112-09-17"


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (-MINUTE_US, SLICE_US, f"slice-start: {OUTSIDE}"),
        (-1, -1, f"slice-start: {OUTSIDE}"),
        (TIME_LIMIT_US, TIME_LIMIT_US + 1, f"slice-start: {OUTSIDE}"),
        (0, TIME_LIMIT_US, f"slice-end: {OUTSIDE}"),
        (0, -1, f"slice-end: {OUTSIDE}"),
        (0, 0, "slice bounds: slice-end must be later than slice-start"),
        (SLICE_US, 0, "slice bounds: slice-end must be later than slice-start"),
        (1, SLICE_US, "slice-start: must be a whole minute, as it becomes an output path"),
        (
            MINUTE_US - 1,
            SLICE_US,
            "slice-start: must be a whole minute, as it becomes an output path",
        ),
    ],
)
def test_bounds_that_make_no_slice_are_refused(start: int, end: int, message: str) -> None:
    with pytest.raises(SpecError) as refused:
        SliceBounds(start, end)

    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("event_start", "start"),
    [
        (0, 0),
        (SLICE_US - 1, 0),
        (SLICE_US, SLICE_US),
        (SLICE_US + 1, SLICE_US),
        (TIME_LIMIT_US - 1, (TIME_LIMIT_US - 1) // SLICE_US * SLICE_US),
    ],
)
def test_without_bounds_a_record_falls_into_its_quarter_of_an_hour(
    event_start: int, start: int
) -> None:
    assert evaluate(slice_start(None), {"event_start": event_start}) == start
    assert evaluate(slice_end(None), {"slice_start": start}) == start + SLICE_US


@pytest.mark.parametrize("event_start", [0, 8 * MINUTE_US, None])
def test_with_bounds_every_record_falls_into_the_one_slice(event_start: int | None) -> None:
    assert evaluate(slice_start(BOUNDS), {"event_start": event_start}) == BOUNDS.start
    assert evaluate(slice_end(BOUNDS), {"slice_start": BOUNDS.start}) == BOUNDS.end


@pytest.mark.parametrize(
    ("time", "levels"),
    [
        ("1970-01-01T00:00:00Z", {"dt": "1970-01-01", "hh": "00", "mm": "00"}),
        ("2025-03-09T05:07:59Z", {"dt": "2025-03-09", "hh": "05", "mm": "07"}),
        ("2025-12-31T23:45:00Z", {"dt": "2025-12-31", "hh": "23", "mm": "45"}),
    ],
)
def test_the_folders_of_a_slice_spell_its_start_in_utc(time: str, levels: dict[str, str]) -> None:
    assert partition_of(parse_bound(time, "time")) == levels


def test_the_path_of_a_slice_has_the_levels_in_their_order() -> None:
    path = slice_path("v1", parse_bound("2025-03-01T10:15:00Z", "time"))

    assert path == "feature_spec_version=v1/dt=2025-03-01/hh=10/mm=15"
    assert tuple(part.partition("=")[0] for part in path.split("/")) == SLICE_LEVELS


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, TIME_LIMIT_US // SLICE_US), min_size=2, max_size=2, unique=True))
def test_paths_sort_as_slices_do_and_no_two_slices_share_one(numbers: list[int]) -> None:
    first, second = (slice_path("v1", number * SLICE_US) for number in sorted(numbers))

    assert first < second


def test_the_levels_are_key_columns() -> None:
    assert SLICE_LEVELS == ("feature_spec_version", "dt", "hh", "mm")
    assert tuple(TIME_LEVELS) == SLICE_LEVELS[1:]
    assert {column.merge for column in SLICE_COLUMNS} == {Merge.KEY}
