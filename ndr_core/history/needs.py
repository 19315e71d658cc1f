"""What the history of a day is to be made from, of what is published."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from ndr_core.features.coverage import PublishedDeltas
from ndr_core.features.days import (
    LiveDays,
    date_of,
    live_days,
    own_digest,
    read_of,
    read_run,
)
from ndr_core.history.masks import DAYS
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.read_facts import ReadFacts
from ndr_core.times import day_start


@frozen
class DayNeeds:
    """What the history of a day is made from."""

    former: Manifest | None
    """The history run of the day before, to go on from; None where there is none, or what it was made from changed."""
    tiles: tuple[Manifest, ...]
    """The history runs of earlier days whose pair tiles are read."""
    slice_days: tuple[int, ...]
    """Earlier days that are read from their slices."""
    unknown: tuple[int, ...]
    """Earlier days of which nobody can tell any more what was in them: their slices were pruned."""
    read: ReadFacts
    """All of it, as the run's manifest says it."""


def earlier_days(day: int) -> range:
    """Give the days that must be looked at for the history of a day: the one that leaves it, and those before it."""
    return range(day - DAYS, day)


def day_needs(day: int, deltas: PublishedDeltas, runs: Mapping[int, Manifest]) -> DayNeeds:
    """Tell what the history of a day is made from.

    `deltas`: of the day and the 30 days before; `runs`: the history runs that count of those 30 days. The history of
    the day before is gone on from only while it was made from what is published now. Else the day is made anew of the
    last 30 days: of their pair tiles, and where these are missing or were made from something else, of their slices.
    """
    now = live_days(deltas, runs, range(day - DAYS, day + 1))
    first = day - DAYS + 1
    former = runs.get(day - 1)
    if former is not None and _is_current(former, day, now, runs):
        leaving = runs.get(day - DAYS)
        has_tile = leaving is not None and own_digest(leaving) is not None
        return _needs(day, deltas, now, former, (leaving,) if leaving and has_tile else ())
    own = {one: own_digest(run) for one, run in runs.items()}
    current = [one for one in range(first, day) if one in now.digests]
    slice_days = tuple(one for one in current if own.get(one) != now.digests[one])
    tiles = tuple(runs[one] for one in current if one not in slice_days)
    unknown = tuple(one for one in range(first, day) if one in now.unknown)
    return _needs(day, deltas, now, None, tiles, slice_days, unknown)


def _is_current(former: Manifest, day: int, now: LiveDays, runs: Mapping[int, Manifest]) -> bool:
    """Whether the history of the day before was made from what is published now.

    Of the day that leaves it is enough that its pair tile is the one that went in, so that just that goes out again.
    """
    read = read_of(former)
    made_of = {one.date: one.digest for one in read.days}
    leaving = day - DAYS
    tile = own_digest(runs[leaving]) if leaving in runs else None
    if made_of.get(date_of(leaving)) != tile:
        return False
    if any(date not in map(date_of, now.unknown) for date in read.left_out):
        return False  # it was made without a day that is known by now
    return all(
        made_of.get(date_of(one)) == now.digests.get(one)
        for one in range(leaving + 1, day)
        if one not in now.unknown
    )


def _needs(
    day: int,
    deltas: PublishedDeltas,
    now: LiveDays,
    former: Manifest | None,
    tiles: tuple[Manifest, ...],
    slice_days: tuple[int, ...] = (),
    unknown: tuple[int, ...] = (),
) -> DayNeeds:
    first = date_of(day - DAYS + 1)
    slices = [
        one
        for each in (*slice_days, day)
        for one in deltas.contributed(day_start(each), day_start(each + 1))
    ]
    days = {one.date: one for one in now.read(day - DAYS + 1, day + 1)}
    left_out = list(map(date_of, unknown))
    if former is not None:
        pruned = set(map(date_of, now.unknown))
        made_of = read_of(former)
        days |= {one.date: one for one in made_of.days if one.date in pruned and one.date >= first}
        left_out = [date for date in made_of.left_out if date >= first]
    read = ReadFacts(
        contributions=(*map(read_run, [*tiles, *filter(None, [former])]), *slices),
        days=tuple(days[date] for date in sorted(days)),
        left_out=tuple(left_out),
    )
    return DayNeeds(former, tiles, slice_days, unknown, read)
