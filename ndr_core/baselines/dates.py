"""Local dates, in days since 1970-01-01: which windows belong to one, when it begins, how many have a part of the week.

A window belongs to the local date of its last microsecond. Where clocks are set forward or back, a date has fewer or
more windows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import timedelta
from math import lcm
from typing import Final

from ndr_core.times import DAY_US, EPOCH, HOUR_US, MINUTE_US, SECOND_US, day_start
from ndr_core.windows.calendar import Calendar, TimeBand
from ndr_core.windows.labels import WindowLabel
from ndr_core.windows.schedule import anchors

_MOST_OFFSET: Final = 26 * HOUR_US
"""No zone is further from UTC."""
_HOUR_MINUTES: Final = 60
_WORKING_BANDS: Final = (TimeBand.WORK, TimeBand.OFF, TimeBand.NIGHT)


def local_date(calendar: Calendar, moment: int) -> int:
    """Give the local date of a moment, us."""
    return (calendar.local(moment).date() - EPOCH.date()).days


def date_of_window(calendar: Calendar, end: int) -> int:
    """Give the local date to which a window belongs that ends at a moment, us."""
    return local_date(calendar, end - 1)


def date_start(calendar: Calendar, date: int) -> int:
    """Give the moment, us, at which a local date begins; of a date that a zone has left out, the next one's."""
    first = (day_start(date) - _MOST_OFFSET) // SECOND_US
    seconds = range(first, first + 2 * _MOST_OFFSET // SECOND_US)
    place = bisect_left(seconds, date, key=lambda one: local_date(calendar, one * SECOND_US))
    return seconds[place] * SECOND_US


def ends_of_date(calendar: Calendar, labels: Sequence[WindowLabel], date: int) -> list[int]:
    """Give the ends, us, of all windows of some labels that belong to a local date, in the order of time."""
    first, last = day_start(date) - _MOST_OFFSET, day_start(date + 1) + _MOST_OFFSET
    ends = anchors(labels, max(first, 0), last)
    return [end for end in ends if date_of_window(calendar, end) == date]


def is_sampled(label: WindowLabel, end: int) -> bool:
    """Whether a window that ends at a moment, us, is counted, so that few of them overlap.

    Those of an hour and more are counted on hours, shorter ones as often as they follow each other, from midnight UTC
    on.
    """
    step = lcm(label.every, min(label.minutes, _HOUR_MINUTES))
    return end % DAY_US % (step * MINUTE_US) == 0


def sampled(labels: Iterable[WindowLabel], end: int) -> tuple[WindowLabel, ...]:
    """Give the labels of which a window that ends at a moment, us, is counted."""
    return tuple(label for label in labels if is_sampled(label, end))


def band_of(calendar: Calendar, label: WindowLabel, end: int) -> str:
    """Give the part of the week of a window that ends at a moment, us."""
    return calendar.facts(end, is_day=label.is_day).time_band.value


def band_dates(calendar: Calendar, dates: range) -> dict[str, int]:
    """Count the local dates that have each part of the week."""
    free = sum(calendar.is_free(EPOCH.date() + timedelta(days=date)) for date in dates)
    return {
        **{band.value: len(dates) - free for band in _WORKING_BANDS},
        TimeBand.WEEKEND.value: free,
        TimeBand.ALL.value: len(dates),
    }
