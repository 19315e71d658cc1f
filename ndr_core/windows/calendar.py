"""The time of a window as people of the network live it: its local hour, weekday, holiday and band."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import Final

from attrs import field, frozen

from ndr_core.errors import Problem, nearest, shown, too_many
from ndr_core.flows.time_zone import zone_names, zone_of
from ndr_core.times import to_datetime

_MOST_HOLIDAYS: Final = 10_000
_HOURS: Final = {"minimum": 0, "maximum": 24}


class TimeBand(Enum):
    """A part of the week: hosts are compared with themselves in the same part."""

    WORK = "wd_work"
    OFF = "wd_off"
    NIGHT = "wd_night"
    WEEKEND = "we"
    ALL = "all"
    """Of windows of a whole day."""


@frozen
class TimeFacts:
    """The local time of a window: of its last microsecond."""

    hour_of_day: int
    day_of_week: int
    """Monday is 1, Sunday 7."""
    time_band: TimeBand
    is_weekend: bool
    is_holiday: bool


@frozen
class Calendar:
    """Where and when people work."""

    zone: str = field(
        default="UTC",
        metadata={"doc": "time zone of the network, such as Europe/Berlin (IANA name)"},
    )
    work_from: int = field(
        default=7, metadata={"doc": "local hour in which work begins", "schema": _HOURS}
    )
    work_until: int = field(
        default=17,
        metadata={"doc": "local hour in which work ends, and the evening begins", "schema": _HOURS},
    )
    off_until: int = field(
        default=22,
        metadata={
            "doc": "local hour in which the evening ends, and the night begins",
            "schema": _HOURS,
        },
    )
    weekend_days: tuple[int, ...] = field(
        default=(6, 7),
        metadata={
            "doc": "days of the week without work: Monday is 1, Sunday 7",
            "schema": {"items": {"type": "integer", "minimum": 1, "maximum": 7}},
        },
    )
    holidays: tuple[str, ...] = field(
        default=(),
        metadata={
            "doc": "local dates without work, YYYY-MM-DD",
            "schema": {
                "maxItems": _MOST_HOLIDAYS,
                "items": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
            },
        },
    )

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        found = []
        if self.zone not in zone_names():
            found.append(
                Problem(
                    "zone", f"unknown zone {shown(self.zone)}, {nearest(self.zone, zone_names())}"
                )
            )
        if not 0 <= self.work_from < self.work_until <= self.off_until <= 24:
            found.append(
                Problem(
                    "",
                    f"work_from ({self.work_from}) must be before work_until ({self.work_until}), this not after "
                    f"off_until ({self.off_until}), all within 0..24",
                )
            )
        for day in self.weekend_days:
            if not 1 <= day <= 7:
                found.append(
                    Problem("weekend_days", f"{day} is no day of the week: 1 is Monday, 7 Sunday")
                )
        if len(self.holidays) > _MOST_HOLIDAYS:
            found.append(Problem("holidays", too_many(len(self.holidays), _MOST_HOLIDAYS)))
        found += [
            Problem("holidays", f"{shown(text)} is no date such as 2025-12-25")
            for text in self.holidays
            if not _is_date(text)
        ]
        return found

    def local(self, us: int) -> datetime:
        """Give the local time of a moment, us since 1970-01-01 UTC."""
        return to_datetime(us).astimezone(zone_of(self.zone))

    def facts(self, window_end: int, *, is_day: bool) -> TimeFacts:
        """Give the local time of a window.

        `window_end`: us since 1970-01-01 UTC; the facts are those of the microsecond before. `is_day`: whether the
        window is a whole day long.
        """
        local = self.local(window_end - 1)
        is_weekend = local.isoweekday() in self.weekend_days
        is_holiday = local.date().isoformat() in self.holidays
        band = TimeBand.WEEKEND if self.is_free(local.date()) else self._band(local.hour)
        return TimeFacts(
            local.hour,
            local.isoweekday(),
            TimeBand.ALL if is_day else band,
            is_weekend,
            is_holiday,
        )

    def is_free(self, day: date) -> bool:
        """Whether nobody works on a local date: all of it is of the band `we`."""
        return day.isoweekday() in self.weekend_days or day.isoformat() in self.holidays

    def _band(self, hour: int) -> TimeBand:
        """The band of an hour of a working day."""
        if self.work_from <= hour < self.work_until:
            return TimeBand.WORK
        return TimeBand.OFF if self.work_until <= hour < self.off_until else TimeBand.NIGHT


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


CALENDAR: Final = {"doc": "where and when people work"}
"""What the key `calendar` of JobSpecs says of itself."""
