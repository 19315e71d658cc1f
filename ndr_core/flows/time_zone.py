"""Offsets of a time zone from UTC, by local time: tabulated from the `tzdata` package, never from the machine's own."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from attrs import frozen

from ndr_core.times import DAY_US, SECOND_US, TIME_LIMIT_US

_DATA: Final = "tzdata"
_DAY: Final = DAY_US // SECOND_US
_FIRST: Final = -2 * _DAY
_LAST: Final = TIME_LIMIT_US // SECOND_US + 2 * _DAY
"""Seconds since 1970 UTC: whatever its offset, no time of a record lies outside of them."""


@frozen
class ZoneOffsets:
    """Offsets of one zone, for all times that records can have."""

    starts: tuple[int, ...]
    """Local times, seconds since 1970, from which another offset holds; the first is before all times of records."""
    offsets: tuple[int | None, ...]
    """Seconds east of UTC from each start on; None for local times that the zone's clocks skip."""

    def offset_at(self, local: int) -> int | None:
        """Give the offset of a local time, in seconds: the earlier moment's, where clocks show the time twice."""
        place = bisect_right(self.starts, local) - 1
        return self.offsets[place] if place >= 0 else self.offsets[0]


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Name all zones that there are."""
    return frozenset((files(_DATA) / "zones").read_text(encoding="ascii").split())


@lru_cache(maxsize=8)
def zone_offsets(name: str) -> ZoneOffsets:
    """Tabulate a zone. `name`: one of `zone_names`."""
    spans = list(_spans(zone_of(name)))
    edges = sorted(
        {edge for start, end, offset in spans for edge in (start + offset, end + offset)}
    )
    starts: list[int] = []
    offsets: list[int | None] = []
    for edge in edges[:-1]:
        here = next((o for start, end, o in spans if start + o <= edge < end + o), None)
        if not offsets or here != offsets[-1]:
            starts.append(edge)
            offsets.append(here)
    return ZoneOffsets(tuple(starts), tuple(offsets))


@lru_cache(maxsize=8)
def zone_of(name: str) -> ZoneInfo:
    """Give a zone with the changes of its offset. `name`: one of `zone_names`."""
    with files(_DATA).joinpath("zoneinfo", *name.split("/")).open("rb") as stream:
        return ZoneInfo.from_file(stream, name)


def _spans(zone: ZoneInfo) -> Iterator[tuple[int, int, int]]:
    """Start and end (seconds since 1970 UTC) of each time without a change, and its offset."""
    start, offset = _FIRST, _offset(zone, _FIRST)
    for day in range(_FIRST, _LAST, _DAY):
        next_offset = _offset(zone, day + _DAY)
        if next_offset != offset:
            change = _change(zone, day)
            yield start, change, offset
            start, offset = change, next_offset
    yield start, _LAST, offset


def _change(zone: ZoneInfo, day: int) -> int:
    """The second from which the offset is another one than at the start of a day."""
    before = _offset(zone, day)
    first, last = day, day + _DAY
    while last - first > 1:
        middle = (first + last) // 2
        first, last = (middle, last) if _offset(zone, middle) == before else (first, middle)
    return last


def _offset(zone: ZoneInfo, at: int) -> int:
    east = datetime.fromtimestamp(at, zone).utcoffset()
    assert east is not None
    return east.days * _DAY + east.seconds
