"""Local dates: which windows belong to one, when it begins, which windows are counted."""

from __future__ import annotations

import pytest

from ndr_core.baselines.dates import (
    band_dates,
    band_of,
    date_of_window,
    date_start,
    ends_of_date,
    is_sampled,
    local_date,
    sampled,
)
from ndr_core.features.days import day_of_date
from ndr_core.times import HOUR_US, MINUTE_US, iso_text
from ndr_core.windows.calendar import Calendar
from ndr_core.windows.labels import DEFAULT_LABELS, WindowLabel
from tests.makers import us

UTC = Calendar()
BERLIN = Calendar(zone="Europe/Berlin")
QUARTERS = WindowLabel(15, 15)


def date(text: str) -> int:
    return day_of_date(text)


def test_a_window_belongs_to_the_date_of_its_last_microsecond() -> None:
    midnight = us("2025-03-02T00:00:00Z")

    assert date_of_window(UTC, midnight) == date("2025-03-01")
    assert date_of_window(UTC, midnight + 1) == date("2025-03-02")
    assert local_date(UTC, midnight) == date("2025-03-02")


def test_dates_are_those_of_the_zone() -> None:
    assert local_date(BERLIN, us("2025-03-01T22:59:59Z")) == date("2025-03-01")
    assert local_date(BERLIN, us("2025-03-01T23:00:00Z")) == date("2025-03-02")


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        ("UTC", "2025-03-01", "2025-03-01T00:00:00Z"),
        ("Europe/Berlin", "2025-03-30", "2025-03-29T23:00:00Z"),
        ("Europe/Berlin", "2025-03-31", "2025-03-30T22:00:00Z"),
        ("America/New_York", "2025-03-09", "2025-03-09T05:00:00Z"),
        ("Asia/Kathmandu", "2025-03-01", "2025-02-28T18:15:00Z"),
        ("Pacific/Kiritimati", "2025-03-01", "2025-02-28T10:00:00Z"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
    ],
)
def test_a_date_begins_at_local_midnight_or_where_the_clocks_skip_it_right_after(
    zone: str, day: str, start: str
) -> None:
    assert iso_text(date_start(Calendar(zone=zone), date(day))) == start


def test_a_date_that_a_zone_has_left_out_begins_as_the_next_one_does() -> None:
    apia = Calendar(zone="Pacific/Apia")

    assert date_start(apia, date("2011-12-30")) == date_start(apia, date("2011-12-31"))
    assert ends_of_date(apia, [QUARTERS], date("2011-12-30")) == []


@pytest.mark.parametrize(
    ("day", "windows"), [("2025-03-29", 96), ("2025-03-30", 92), ("2025-10-26", 100)]
)
def test_where_clocks_change_a_date_has_fewer_or_more_windows(day: str, windows: int) -> None:
    ends = ends_of_date(BERLIN, [QUARTERS], date(day))

    assert len(ends) == windows
    assert ends == sorted(set(ends))
    assert ends[0] - 15 * MINUTE_US == date_start(BERLIN, date(day))
    assert ends[-1] == date_start(BERLIN, date(day) + 1)


def test_the_ends_of_a_date_are_those_at_which_any_of_its_windows_ends() -> None:
    ends = ends_of_date(UTC, [WindowLabel(360, 360), WindowLabel(480, 480)], date("2025-03-01"))

    assert [iso_text(end)[11:16] for end in ends] == ["06:00", "08:00", "12:00", "16:00", "18:00", "00:00"]  # fmt: skip
    assert ends_of_date(UTC, [QUARTERS], 0)[0] == 15 * MINUTE_US


@pytest.mark.parametrize(
    ("minutes", "every", "step"),
    [(15, 15, 15), (30, 15, 30), (60, 15, 60), (480, 60, 60), (1440, 60, 60), (360, 360, 360), (20, 5, 20)],
)  # fmt: skip
def test_windows_are_counted_as_often_as_they_follow_each_other_and_long_ones_on_hours(
    minutes: int, every: int, step: int
) -> None:
    label = WindowLabel(minutes, every)
    midnight = us("2025-03-01T00:00:00Z")

    counted = [
        number
        for number in range(0, 1440, every)
        if is_sampled(label, midnight + number * MINUTE_US)
    ]

    assert counted == list(range(0, 1440, step))


def test_the_labels_that_are_counted_at_a_moment() -> None:
    hour = us("2025-03-01T10:00:00Z")

    assert sampled(DEFAULT_LABELS, hour) == DEFAULT_LABELS
    assert [label.name for label in sampled(DEFAULT_LABELS, hour + 30 * MINUTE_US)] == ["w_15m", "w_30m"]  # fmt: skip
    assert [label.name for label in sampled(DEFAULT_LABELS, hour + 15 * MINUTE_US)] == ["w_15m"]


def test_the_band_of_a_window_is_that_of_its_end_and_of_whole_days_all() -> None:
    monday_noon = us("2025-03-03T12:00:00Z")

    assert band_of(UTC, QUARTERS, monday_noon) == "wd_work"
    assert band_of(UTC, WindowLabel(1440, 60), monday_noon) == "all"
    assert band_of(BERLIN, QUARTERS, monday_noon + 5 * HOUR_US) == "wd_off"


def test_dates_without_work_have_one_band_and_all_have_that_of_whole_days() -> None:
    calendar = Calendar(holidays=("2025-03-05",))
    week = range(date("2025-03-03"), date("2025-03-10"))

    assert band_dates(calendar, week) == {
        "wd_work": 4,
        "wd_off": 4,
        "wd_night": 4,
        "we": 3,
        "all": 7,
    }
