"""Times as integer microseconds since 1970-01-01 UTC, to and from the calendar."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Final, NewType

from ndr_core.errors import SpecError, shown

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US
TIME_LIMIT_US: Final = 1 << 52
"""Times lie in [1970-01-01, 2^52 us = 2112-09-17): integers to which a double can add a half exactly."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def to_datetime(us: int) -> datetime:
    """The moment as an aware datetime in UTC."""
    return EPOCH + timedelta(microseconds=us)


LAST_DAY: Final = f"{to_datetime(TIME_LIMIT_US):%Y-%m-%d}"
"""The day on which the times that records can have end."""


def to_us(moment: datetime) -> int:
    """Microseconds of an aware datetime."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def day_of(us: int) -> int:
    """Give the UTC day of a time: whole days since 1970-01-01."""
    return us // DAY_US


def day_start(day: int) -> int:
    """Give the time, us, at which a UTC day begins. `day`: whole days since 1970-01-01."""
    return day * DAY_US


def to_record_us(moment: datetime) -> int:
    """Microseconds of an aware datetime; where no record can have that time, the nearest that one can."""
    return min(max(to_us(moment), 0), TIME_LIMIT_US)


def now_us() -> int:
    """Give the time of this machine's clock, to say when runs were made: no value of a table depends on it."""
    return time.time_ns() // 1_000


def iso_text(us: int) -> str:
    """ISO-8601 text in UTC, e.g. 2024-04-19T10:15:00Z; microseconds only where there are any."""
    return to_datetime(us).isoformat().removesuffix("+00:00") + "Z"


def parse_bound(text: str, name: str) -> int:
    """Slice bound from ISO-8601 text (UTC where it names no offset) in us; SpecError otherwise."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SpecError(
            f"{name}: {shown(text)} is no ISO-8601 time such as 2024-04-19T10:15:00Z"
        ) from error
    return to_us(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


Duration = NewType("Duration", int)
"""A length of time, us, that people write as a text such as 15m or 24h."""

_UNITS_US: Final = {"s": SECOND_US, "m": MINUTE_US, "h": HOUR_US, "d": DAY_US}
DURATION: Final = "([0-9]{1,12})([smhd])"
_DURATION: Final = re.compile(DURATION, re.ASCII)


def parse_duration(text: str) -> Duration:
    """Read a length of time, a whole number and a unit: `90s`, `15m`, `24h`, `7d`. Raises SpecError for others."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise SpecError(
            f"{shown(text)} is no duration such as 15m or 24h: a whole number, then s, m, h or d"
        )
    us = int(found[1]) * _UNITS_US[found[2]]
    if us > TIME_LIMIT_US:
        raise SpecError(f"{shown(text)} is longer than the time from 1970 to {LAST_DAY}")
    return Duration(us)


def duration_text(us: int) -> str:
    """Write a length of time of whole seconds in the largest unit that leaves no rest."""
    unit = max(
        (unit for unit in _UNITS_US if us and us % _UNITS_US[unit] == 0),
        key=_UNITS_US.__getitem__,
        default="s",
    )
    return f"{us // _UNITS_US[unit]}{unit}"
