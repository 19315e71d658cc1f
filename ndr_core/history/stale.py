"""Which days of the history would be others if they were built now, and which were left out."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from ndr_core.features.coverage import PublishedDeltas
from ndr_core.features.days import LiveDays, date_of, live_days, read_of
from ndr_core.features.stale import StaleRun, changed_days, few
from ndr_core.history.masks import DAYS
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.read_facts import ReadFacts
from ndr_core.times import day_start


@frozen
class HistoryNow:
    """What the days of a history are, and would be."""

    now: LiveDays
    available: frozenset[int]
    """Days of which there are rows, once the stale ones are built."""
    stale: tuple[StaleRun, ...]
    """In the order in which they are to be built."""

    @property
    def unknown(self) -> set[str]:
        """Dates of which it is not known any more what was in them."""
        return set(map(date_of, self.now.unknown))


def history_now(job_name: str, deltas: PublishedDeltas, runs: Mapping[int, Manifest]) -> HistoryNow:
    """Compare the days of a history with what is published now.

    `deltas`: from 30 days before the first day on; `runs`: the history runs that count, by day. A day between the
    first and the last one without a run was left out. A late contribution to a day makes the 29 days after it stale.
    """
    if not runs:
        return HistoryNow(LiveDays({}, frozenset()), frozenset(), ())
    first, last = min(runs), max(runs)
    now = live_days(deltas, runs, range(first - DAYS, last + 1))
    stale, available = [], set(runs)
    for day in range(first, last + 1):
        if deltas.is_pruned(day_start(day)):
            continue  # it can't be built any more
        run = runs.get(day)
        available.add(day)
        reasons = ["not built"] if run is None else _changes(day, read_of(run), now)
        if reasons:
            allows = run is not None and read_of(run).allows_missing
            stale.append(StaleRun(job_name, date_of(day), day_start(day), few(reasons), allows))
    return HistoryNow(now, frozenset(available), tuple(stale))


def _changes(day: int, read: ReadFacts, now: LiveDays) -> list[str]:
    unknown = set(map(date_of, now.unknown))
    expected = ReadFacts(days=now.read(day - DAYS + 1, day + 1))
    known_by_now = [date for date in read.left_out if date not in unknown]
    return [
        *(f"the pairs of {date} were left out, and are there" for date in known_by_now),
        *changed_days(read, expected, unknown),
    ]
