"""What the windows that end at one moment are made from, of what is published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import field, frozen

from ndr_core.features.coverage import PublishedDeltas
from ndr_core.features.days import date_of, day_digest
from ndr_core.history.masks import DAYS
from ndr_core.publishing.read_facts import DayRead, ReadContribution, ReadFacts
from ndr_core.tables.slices import slice_place
from ndr_core.times import day_of, day_start
from ndr_core.windows.history_source import HistorySource, history_source
from ndr_core.windows.labels import WindowLabel


@frozen
class Published:
    """What there is to make windows from, as of one moment."""

    deltas: PublishedDeltas
    slices: frozenset[int]
    """Starts, us, of the slices that are published, by all the jobs that the windows wait for."""
    history: Mapping[int, tuple[DayRead, ...]]
    """Day of which there are rows of the history -> the days that these were made from."""
    first_slice: int | None
    """Start of the first slice that was ever published, us; None where there is none."""
    runs: Mapping[int, ReadContribution] = field(factory=dict)
    """Day of which there are rows of the history -> the run that made them."""

    def unpublished(self, since: int, until: int) -> list[int]:
        """Give the starts, us, of the slices of [since, until) that are not published."""
        return [
            start for start in range(since, until, self.deltas.grid) if start not in self.slices
        ]

    def is_complete(self, label: WindowLabel, anchor: int) -> bool:
        """Whether all slices of the window that ends at a moment, us, are published."""
        return not self.unpublished(label.start(anchor), anchor)


@frozen
class WindowNeeds:
    """What the windows that end at one moment are made from."""

    labels: tuple[WindowLabel, ...]
    """The windows to build, the shortest first."""
    coverage: Mapping[WindowLabel, int]
    """Published slices of each."""
    history: Mapping[WindowLabel, HistorySource]
    read: ReadFacts
    """All of it, as the run's manifest says it."""

    @property
    def bases(self) -> list[int]:
        """The days of which rows of the history are read."""
        return sorted({one.base for one in self.history.values() if one.base is not None})

    def unknown_history(self) -> list[WindowLabel]:
        """Give the windows of which a part of the history is missing."""
        return [label for label in self.labels if not self.history[label].is_known]


def days_before(labels: Iterable[WindowLabel], anchor: int) -> range:
    """Give the days of which there may be rows of the history that windows need: two before each starts."""
    days = [day_of(label.start(anchor)) for label in labels]
    return range(min(days) - 2, max(days))


def first_read(labels: Iterable[WindowLabel], anchor: int) -> int:
    """Give the start of the first slice, us, that windows need where the history of the day before is there.

    It is that of the day in which the first one starts: what comes before it on this day is its history.
    """
    return min(day_start(day_of(label.start(anchor))) for label in labels)


def window_needs(
    anchor: int, labels: Sequence[WindowLabel], published: Published, *, allows_missing: bool
) -> WindowNeeds:
    """Tell what the windows of some labels that end at `anchor`, us, are made from.

    A window with slices that are not published is left out, or with `allows_missing` built of what there is.
    """
    whole = [label for label in labels if published.is_complete(label, anchor)]
    built = tuple(labels) if allows_missing else tuple(whole)
    coverage, history = {}, {}
    unpublished: set[int] = set()
    for label in built:
        start = label.start(anchor)
        missing = published.unpublished(start, anchor)
        unpublished.update(missing)
        coverage[label] = label.slices(published.deltas.slice_minutes) - len(missing)
        history[label] = history_source(start, published.history, published.first_slice)
    read = ReadFacts(
        contributions=_contributions(anchor, built, history, published),
        days=_days(history.values(), published),
        unpublished=tuple(map(slice_place, sorted(unpublished))),
        built=tuple(label.name for label in built),
        left_out=tuple(label.name for label in labels if label not in built),
        without_history=tuple(label.name for label in built if not history[label].is_known),
        allows_missing=allows_missing,
    )
    return WindowNeeds(built, coverage, history, read)


def _contributions(
    anchor: int,
    labels: Sequence[WindowLabel],
    history: Mapping[WindowLabel, HistorySource],
    published: Published,
) -> tuple[ReadContribution, ...]:
    """The runs of the history that are read, then what was contributed to the slices that are."""
    if not labels:
        return ()
    starts = [label.start(anchor) for label in labels]
    starts += [since for source in history.values() for since, _ in source.slices]
    bases = sorted({source.base for source in history.values() if source.base is not None})
    runs = (published.runs[day] for day in bases if day in published.runs)
    return (*runs, *published.deltas.contributed(min(starts), anchor))


def _days(sources: Iterable[HistorySource], published: Published) -> tuple[DayRead, ...]:
    """The days before those in which the windows start, as far as their history goes back."""
    found: set[DayRead] = set()
    for source in sources:
        if not source.is_known:
            continue
        first, end = date_of(source.day - DAYS + 1), date_of(source.day)
        base = () if source.base is None else published.history[source.base]
        found |= {one for one in base if first <= one.date < end}
        for since, until in source.slices:
            if day_of(since) < source.day:
                read = published.deltas.contributed(since, until)
                found |= {DayRead(date_of(day_of(since)), day_digest(read))} if read else set()
    return tuple(sorted(found, key=lambda one: (one.date, one.digest)))
