"""Slices of time, and the folders that hold them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.errors import SpecError
from ndr_core.expressions.evaluate import evaluate
from ndr_core.tables.columns import Merge
from ndr_core.tables.slices import (
    DAY_LEVELS,
    SLICE_COLUMNS,
    SLICE_LEVELS,
    SLICE_MINUTES,
    TIME_LEVELS,
    SliceBounds,
    day_path,
    ends_before,
    partition_of,
    place_of,
    place_start,
    place_us,
    slice_end,
    slice_path,
    slice_start,
)
from ndr_core.times import MINUTE_US, TIME_LIMIT_US, parse_bound

LAST_MINUTE = TIME_LIMIT_US // MINUTE_US * MINUTE_US
QUARTER = 15 * MINUTE_US


def test_a_slice_lasts_a_quarter_of_an_hour_where_nothing_else_is_said() -> None:
    assert SLICE_MINUTES == 15


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 1), (0, QUARTER), (MINUTE_US, MINUTE_US + 1), (LAST_MINUTE, TIME_LIMIT_US - 1)],
)
def test_bounds_that_make_a_span(start: int, end: int) -> None:
    bounds = SliceBounds(start, end)

    assert (bounds.start, bounds.end) == (start, end)


OUTSIDE = "lies outside the times that records can have, 1970-01-01 to 2112-09-17"


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (-MINUTE_US, QUARTER, f"slice-start: {OUTSIDE}"),
        (-1, -1, f"slice-start: {OUTSIDE}"),
        (TIME_LIMIT_US, TIME_LIMIT_US + 1, f"slice-start: {OUTSIDE}"),
        (0, TIME_LIMIT_US, f"slice-end: {OUTSIDE}"),
        (0, -1, f"slice-end: {OUTSIDE}"),
        (0, 0, "slice bounds: slice-end must be later than slice-start"),
        (QUARTER, 0, "slice bounds: slice-end must be later than slice-start"),
    ],
)
def test_bounds_that_make_no_span_are_refused(start: int, end: int, message: str) -> None:
    with pytest.raises(SpecError) as refused:
        SliceBounds(start, end)

    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [(0, QUARTER, 15), (QUARTER, 9 * QUARTER, 15), (7 * MINUTE_US, 8 * MINUTE_US, 1)],
)
def test_bounds_at_which_slices_begin_are_those_of_a_span(
    start: int, end: int, minutes: int
) -> None:
    SliceBounds(start, end).refuse_off_grid(minutes)


@pytest.mark.parametrize(
    ("start", "end", "minutes", "message"),
    [
        (
            QUARTER + 1,
            2 * QUARTER,
            15,
            "slice-start: 1970-01-01T00:15:00.000001Z is no border of slices, which last 15 min "
            "(delta.slice_minutes); next to it are 1970-01-01T00:15:00Z and 1970-01-01T00:30:00Z",
        ),
        (
            0,
            QUARTER,
            60,
            "slice-end: 1970-01-01T00:15:00Z is no border of slices, which last 60 min "
            "(delta.slice_minutes); next to it are 1970-01-01T00:00:00Z and 1970-01-01T01:00:00Z",
        ),
    ],
)
def test_a_bound_at_which_no_slice_begins_is_refused_with_those_next_to_it(
    start: int, end: int, minutes: int, message: str
) -> None:
    with pytest.raises(SpecError) as refused:
        SliceBounds(start, end).refuse_off_grid(minutes)

    assert str(refused.value) == message


@pytest.mark.parametrize("minutes", [1, 15, 60])
@pytest.mark.parametrize("slices", [0, 1, 1000])
def test_a_record_falls_into_the_slice_that_holds_its_moment(minutes: int, slices: int) -> None:
    length = minutes * MINUTE_US
    start = slices * length

    for moment in (start, start + 1, start + length - 1):
        assert evaluate(slice_start(minutes), {"moment": moment}) == start
    assert evaluate(slice_end(minutes), {"slice_start": start}) == start + length


def test_a_record_without_a_moment_has_no_slice() -> None:
    assert evaluate(slice_start(15), {"moment": None}) is None


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
@given(st.lists(st.integers(0, TIME_LIMIT_US // QUARTER), min_size=2, max_size=2, unique=True))
def test_paths_sort_as_slices_do_and_no_two_slices_share_one(numbers: list[int]) -> None:
    first, second = (slice_path("v1", number * QUARTER) for number in sorted(numbers))

    assert first < second


def test_the_levels_are_key_columns() -> None:
    assert SLICE_LEVELS == ("feature_spec_version", "dt", "hh", "mm")
    assert tuple(TIME_LEVELS) == SLICE_LEVELS[1:]
    assert {column.merge for column in SLICE_COLUMNS} == {Merge.KEY}


def test_a_day_lies_in_the_first_folders_of_its_slices() -> None:
    noon = parse_bound("2025-03-01T12:00:00Z", "noon")

    assert DAY_LEVELS == ("feature_spec_version", "dt")
    assert day_path("v1", noon) == "feature_spec_version=v1/dt=2025-03-01"


@pytest.mark.parametrize(
    ("folders", "place"),
    [
        (["dt=2025-03-01", "hh=10", "mm=15", "role=inbound"], "dt=2025-03-01/hh=10/mm=15"),
        (["dt=2025-03-01", "hh=10", "mm=15"], "dt=2025-03-01/hh=10/mm=15"),
        (["dt=2025-03-01", "role=inbound"], "dt=2025-03-01"),
        (["dt=2025-03-01"], "dt=2025-03-01"),
        (["role=inbound", "dt=2025-03-01"], ""),
        (["dtx=2025-03-01"], ""),
        ([], ""),
    ],
)
def test_the_first_folders_of_a_file_tell_its_slice_or_day(folders: list[str], place: str) -> None:
    assert place_of(folders) == place


def test_the_start_of_a_slice_or_day_is_read_from_its_folders() -> None:
    assert place_us("dt=2025-03-01/hh=10/mm=15") == parse_bound("2025-03-01T10:15:00Z", "start")
    assert place_us("dt=2025-03-01") == parse_bound("2025-03-01T00:00:00Z", "start")
    with pytest.raises(ValueError, match="Invalid isoformat string"):
        place_us("dt=first")


def test_slices_and_days_sort_by_their_first_minutes() -> None:
    assert place_start("dt=2025-03-01") == "dt=2025-03-01/hh=00/mm=00"
    assert place_start("dt=2025-03-01/hh=10/mm=15") == "dt=2025-03-01/hh=10/mm=15"


@pytest.mark.parametrize(
    ("place", "is_over"),
    [
        ("dt=2025-02-28", True),
        ("dt=2025-03-01", False),
        ("dt=2025-03-02", False),
        ("dt=2025-03-01/hh=09/mm=45", True),
        ("dt=2025-03-01/hh=10/mm=00", False),
    ],
)
def test_a_day_is_over_when_the_next_one_begins(place: str, is_over: bool) -> None:
    assert ends_before(place, "dt=2025-03-01/hh=10/mm=00") is is_over


def test_a_day_is_over_at_the_first_minute_of_the_next() -> None:
    assert ends_before("dt=2025-02-28", "dt=2025-03-01/hh=00/mm=00")
