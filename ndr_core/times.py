"""Times as integer microseconds since 1970-01-01 UTC, to and from the calendar."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Final

from ndr_core.errors import SpecError, shown

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
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
