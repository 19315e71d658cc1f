"""The local time of windows: hours, weekdays, holidays and bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import pytest

from ndr_core.errors import Problem
from ndr_core.times import MINUTE_US
from ndr_core.windows.calendar import Calendar, TimeBand, TimeFacts
from tests.makers import us

BERLIN = Calendar(zone="Europe/Berlin")
EVERY_DAY = Calendar(zone="Europe/Berlin", weekend_days=())
"""Of whom Sundays, on which clocks change, are days like others."""

Value = TypeVar("Value", str, int)
QUARTER_US = 15 * MINUTE_US

# Last anchor (UTC) of each run of anchors of one value; the first run begins at 00:15.
# 2025-03-30: until 01:00 UTC Berlin is one hour ahead, then two. Local 07, 17, 22 o'clock are 05, 15, 20 UTC.
# 2025-10-26: until 01:00 UTC Berlin is two hours ahead, then one. Local 07, 17, 22 o'clock are 06, 16, 21 UTC.
BANDS = {
    "2025-03-30": [("05:00", "wd_night"), ("15:00", "wd_work"), ("20:00", "wd_off"), ("24:00", "wd_night")],
    "2025-10-26": [("06:00", "wd_night"), ("16:00", "wd_work"), ("21:00", "wd_off"), ("24:00", "wd_night")],
}  # fmt: skip
# Both are Sundays; the local Sunday ends at 22:00 and at 23:00 UTC.
WEEKEND_BANDS = {
    "2025-03-30": [("22:00", "we"), ("24:00", "wd_night")],
    "2025-10-26": [("23:00", "we"), ("24:00", "wd_night")],
}
# The local hour of each UTC hour: 02 is skipped in March, and comes twice in October.
HOURS = {
    "2025-03-30": [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 0, 1],
    "2025-10-26": [2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 0],
}  # fmt: skip
DAYS = {
    "2025-03-30": [("22:00", 7), ("24:00", 1)],
    "2025-10-26": [("23:00", 7), ("24:00", 1)],
}


def anchors(day: str) -> list[int]:
    """The ends of all quarters of a UTC day."""
    midnight = us(f"{day}T00:00:00Z")
    return [midnight + number * QUARTER_US for number in range(1, 97)]


def spread(runs: Sequence[tuple[str, Value]]) -> list[Value]:
    """A value for each of the 96 anchors."""
    values: list[Value] = []
    for last, value in runs:
        hours, minutes = map(int, last.split(":"))
        values += [value] * ((hours * 60 + minutes) // 15 - len(values))
    return values


@pytest.mark.parametrize("day", BANDS)
def test_the_bands_of_all_anchors_follow_the_clocks_of_the_day_on_which_they_change(
    day: str,
) -> None:
    facts = [EVERY_DAY.facts(anchor, is_day=False) for anchor in anchors(day)]

    assert [one.time_band.value for one in facts] == spread(BANDS[day])


@pytest.mark.parametrize("day", WEEKEND_BANDS)
def test_the_local_weekend_is_a_band_of_its_own(day: str) -> None:
    facts = [BERLIN.facts(anchor, is_day=False) for anchor in anchors(day)]

    assert [one.time_band.value for one in facts] == spread(WEEKEND_BANDS[day])
    assert [one.is_weekend for one in facts] == [
        band == "we" for band in spread(WEEKEND_BANDS[day])
    ]
    assert [one.day_of_week for one in facts] == spread(DAYS[day])


@pytest.mark.parametrize("day", HOURS)
def test_the_hours_of_all_anchors_follow_the_clocks(day: str) -> None:
    hours = [BERLIN.facts(anchor, is_day=False).hour_of_day for anchor in anchors(day)]

    assert hours == [hour for hour in HOURS[day] for _ in range(4)]


def test_a_window_that_ends_at_an_hour_belongs_to_the_hour_before() -> None:
    calendar = Calendar()

    before, behind = (
        calendar.facts(us(f"2025-03-12T{end}Z"), is_day=False) for end in ("17:00:00", "17:15:00")
    )

    assert (before.hour_of_day, before.time_band) == (16, TimeBand.WORK)
    assert (behind.hour_of_day, behind.time_band) == (17, TimeBand.OFF)


def test_a_window_of_a_whole_day_has_the_band_all() -> None:
    facts = Calendar().facts(us("2025-03-16T00:00:00Z"), is_day=True)

    assert facts == TimeFacts(23, 6, TimeBand.ALL, is_weekend=True, is_holiday=False)


def test_a_local_holiday_has_the_band_of_a_weekend() -> None:
    calendar = Calendar(zone="Asia/Tokyo", holidays=("2025-03-13",))

    # 15:15 UTC of the 12th is a quarter past midnight of the 13th in Tokyo.
    eve = calendar.facts(us("2025-03-12T15:00:00Z"), is_day=False)
    holiday = calendar.facts(us("2025-03-12T15:15:00Z"), is_day=False)

    assert (eve.is_holiday, eve.time_band) == (False, TimeBand.NIGHT)
    assert holiday == TimeFacts(0, 4, TimeBand.WEEKEND, is_weekend=False, is_holiday=True)


def test_the_local_time_of_a_moment_is_that_of_the_zone() -> None:
    assert BERLIN.local(us("2025-07-01T12:00:00Z")).isoformat() == "2025-07-01T14:00:00+02:00"


@pytest.mark.parametrize(
    ("calendar", "problem"),
    [
        (
            Calendar(zone="Europe/Berln"),
            Problem("zone", "unknown zone 'Europe/Berln', did you mean 'Europe/Berlin'?"),
        ),
        (
            Calendar(work_from=17, work_until=7),
            Problem(
                "",
                "work_from (17) must be before work_until (7), this not after off_until (22), all within 0..24",
            ),
        ),
        (
            Calendar(weekend_days=(0,)),
            Problem("weekend_days", "0 is no day of the week: 1 is Monday, 7 Sunday"),
        ),
        (
            Calendar(holidays=("2025-02-30",)),
            Problem("holidays", "'2025-02-30' is no date such as 2025-12-25"),
        ),
        (
            Calendar(holidays=("20251225",)),
            Problem("holidays", "'20251225' is no date such as 2025-12-25"),
        ),
        (
            Calendar(holidays=("2025-12-25",) * 10_001),
            Problem("holidays", "has 10001 entries; at most 10000 are possible"),
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_key(calendar: Calendar, problem: Problem) -> None:
    assert calendar.problems() == [problem]


def test_the_default_calendar_has_no_problems() -> None:
    assert Calendar().problems() == []
