"""Offsets of zones, by local time, from the package of their data."""

from __future__ import annotations

from itertools import pairwise

import pytest

from ndr_core.flows.time_zone import ZoneOffsets, zone_names, zone_offsets
from ndr_core.times import SECOND_US, parse_bound

HOUR = 3600


def local(text: str) -> int:
    """Seconds of a local time since 1970."""
    return parse_bound(f"{text}Z", "time") // SECOND_US


@pytest.mark.parametrize(
    ("zone", "time", "offset"),
    [
        ("Europe/Berlin", "2025-01-01T00:00:00", HOUR),
        ("Europe/Berlin", "2025-07-01T00:00:00", 2 * HOUR),
        ("Europe/Berlin", "2025-03-30T01:59:59", HOUR),
        ("Europe/Berlin", "2025-03-30T02:00:00", None),
        ("Europe/Berlin", "2025-03-30T02:59:59", None),
        ("Europe/Berlin", "2025-03-30T03:00:00", 2 * HOUR),
        ("Europe/Berlin", "2025-10-26T02:00:00", 2 * HOUR),
        ("Europe/Berlin", "2025-10-26T02:59:59", 2 * HOUR),
        ("Europe/Berlin", "2025-10-26T03:00:00", HOUR),
        ("Europe/Berlin", "2112-07-01T00:00:00", 2 * HOUR),
        ("America/New_York", "1970-07-01T00:00:00", -4 * HOUR),
        ("Africa/Monrovia", "1971-01-01T00:00:00", -2670),
        ("Pacific/Apia", "2011-12-30T12:00:00", None),  # a day that was left out
        ("Asia/Kolkata", "2025-01-01T00:00:00", HOUR * 11 // 2),
        ("Etc/UTC", "2025-01-01T00:00:00", 0),
    ],
)
def test_the_offset_of_a_local_time(zone: str, time: str, offset: int | None) -> None:
    assert zone_offsets(zone).offset_at(local(time)) == offset


def test_a_table_has_each_offset_once_in_its_time() -> None:
    found = zone_offsets("Europe/Berlin")

    assert all(one < other for one, other in pairwise(found.starts))
    assert all(one != other for one, other in pairwise(found.offsets))


def test_before_its_first_start_a_table_has_its_first_offset() -> None:
    assert ZoneOffsets((100, 200), (1, 2)).offset_at(0) == 1


def test_the_names_are_those_of_the_data() -> None:
    assert {"Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires"} <= zone_names()
