"""Which local date a daily run is for, as a person or a schedule says it."""

from __future__ import annotations

from ndr_core.baselines.dates import local_date
from ndr_core.history.asked_day import asked_day
from ndr_core.times import parse_bound
from ndr_core.windows.calendar import Calendar


def asked_date(calendar: Calendar, day: str | None, scheduled: str | None) -> int:
    """Give the local date to sum up, in days since 1970-01-01.

    `day`: the date itself, `2025-03-01`. `scheduled`: an ISO-8601 time, such as that of a schedule: the last local date
    that ended before it, or with it. Raises SpecError where not just one of them is given, or it can't be read.
    """
    if day is None and scheduled is not None:
        return local_date(calendar, parse_bound(scheduled, "scheduled-ts")) - 1
    return asked_day(day, scheduled)
