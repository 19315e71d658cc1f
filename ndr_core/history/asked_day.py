"""Which day a run of the history is for, as a person or a schedule says it."""

from __future__ import annotations

from ndr_core.errors import SpecError, shown
from ndr_core.features.days import day_of_date
from ndr_core.times import day_of, parse_bound


def asked_day(day: str | None, scheduled: str | None) -> int:
    """Give the UTC day to build, in days since 1970-01-01.

    `day`: the day itself, `2025-03-01`. `scheduled`: an ISO-8601 time, such as that of a schedule: the last day that
    ended before it, or with it. Raises SpecError where not just one of them is given, or it can't be read.
    """
    if (day is None) == (scheduled is None):
        raise SpecError("day: give either the day, or the time scheduled-ts before which it ended")
    if scheduled is not None:
        return day_of(parse_bound(scheduled, "scheduled-ts")) - 1
    assert day is not None
    try:
        return day_of_date(day)
    except ValueError as error:
        raise SpecError(f"day: {shown(day)} is no day such as 2025-03-01") from error
