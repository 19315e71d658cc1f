"""The local date that a person or a schedule asks for."""

from __future__ import annotations

import pytest

from ndr_core.baselines.asked_date import asked_date
from ndr_core.errors import SpecError
from ndr_core.features.days import date_of
from ndr_core.windows.calendar import Calendar


def date(day: str | None, scheduled: str | None, zone: str = "UTC") -> str:
    return date_of(asked_date(Calendar(zone=zone), day, scheduled))


def test_a_date_is_given_as_it_is() -> None:
    assert date("2025-03-01", None, "Asia/Tokyo") == "2025-03-01"


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", "2025-03-01"),
        ("Europe/Berlin", "2025-03-01"),
        ("Asia/Tokyo", "2025-03-01"),
        ("America/Los_Angeles", "2025-02-28"),
    ],
)
def test_a_schedule_asks_for_the_last_local_date_that_has_ended(zone: str, expected: str) -> None:
    assert date(None, "2025-03-02T02:00:00Z", zone) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [("2025-03-01T14:59:59Z", "2025-02-28"), ("2025-03-01T15:00:00Z", "2025-03-01")],
)
def test_a_local_date_ends_at_local_midnight(moment: str, expected: str) -> None:
    assert date(None, moment, "Asia/Tokyo") == expected


@pytest.mark.parametrize("both", [(None, None), ("2025-03-01", "2025-03-02T02:00:00Z")])
def test_not_just_one_of_both_is_refused(both: tuple[str | None, str | None]) -> None:
    with pytest.raises(SpecError, match="day: give either the day, or the time scheduled-ts"):
        date(*both)


def test_what_is_no_date_is_refused() -> None:
    with pytest.raises(SpecError, match="day: 'yesterday' is no day"):
        date("yesterday", None)
