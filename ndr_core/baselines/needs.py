"""What the summary of a local date, and the baselines of one, are to be made from, of what is published."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Container, Iterable, Mapping

from attrs import frozen

from ndr_core.baselines.dates import band_of, ends_of_date, sampled
from ndr_core.baselines.engine import HorizonInputs
from ndr_core.baselines.horizon import Horizon
from ndr_core.baselines.names import addresses_digest
from ndr_core.baselines.plan import BandLabel
from ndr_core.baselines.runs import BaselinesRun, SummaryRun, WindowsRun, date_of_run
from ndr_core.baselines.settings import Period
from ndr_core.baselines.spec import FgBSpec
from ndr_core.features.days import date_of
from ndr_core.publishing.pinned import PinnedTables
from ndr_core.publishing.read_facts import (
    CoveredWindows,
    ReadFacts,
    SettingRead,
)
from ndr_core.times import day_start
from ndr_core.windows.labels import WindowLabel

Ends = Mapping[int, tuple[WindowLabel, ...]]
"""End of windows, us -> those of them."""


@frozen
class SummaryNeeds:
    """What the summary of a local date is made from."""

    ends: Ends
    """Windows of which all slices were published, outside of excluded periods."""
    excluded_ends: Ends
    """The same in excluded periods."""
    read: ReadFacts
    """All of it, as the run's manifest says it."""

    @property
    def read_ends(self) -> list[int]:
        """The ends, us, of the windows whose runs are read."""
        return sorted({*self.ends, *self.excluded_ends})


def judging_dates(spec: FgBSpec, date: int) -> range:
    """Give the local dates whose summaries the baselines hold by which the windows of a date are judged."""
    return spec.baselines.week.dates(date)


def is_judged(
    spec: FgBSpec, date: int, summaries: Container[int], judge: BaselinesRun | None
) -> bool:
    """Whether there are summaries that the baselines of a date hold: without any, no window of it is judged.

    `summaries`: dates that have one; `judge`: the run of the baselines, which may know of some that were pruned.
    """
    known = frozenset() if judge is None else judge.dates
    return any(day in summaries or day in known for day in judging_dates(spec, date))


def summary_needs(
    spec: FgBSpec,
    date: int,
    windows: Mapping[int, WindowsRun],
    judge: BaselinesRun | None,
    *,
    is_judged: bool,
    allows_missing: bool,
) -> SummaryNeeds:
    """Tell what the summary of a local date is made from.

    `windows`: the runs of windows of the date, by their ends, us; `judge`: the run of its baselines, None where it is
    missing; `is_judged`: whether windows are to be judged by them.
    """
    ends: dict[int, tuple[WindowLabel, ...]] = {}
    excluded: dict[int, tuple[WindowLabel, ...]] = {}
    counts: Counter[BandLabel] = Counter()
    periods = _periods_near(spec.excluded_periods, date)
    for end in ends_of_date(spec.calendar, spec.windows.window_labels, date):
        run = windows.get(end)
        labels = sampled(spec.windows.window_labels, end)
        covered = [label for label in labels if run is not None and run.covers(label, end)]
        counts.update((band_of(spec.calendar, label, end), label.name) for label in covered)
        apart = tuple(
            label
            for label in covered
            if any(start < end and label.start(end) < until for start, until in periods)
        )
        usual = tuple(label for label in covered if label not in apart)
        ends |= {end: usual} if usual else {}
        excluded |= {end: apart} if apart else {}
    judges = [judge.contribution] if is_judged and judge is not None else []
    read_ends = sorted({*ends, *excluded})
    read = ReadFacts(
        contributions=(*judges, *(windows[end].contribution for end in read_ends)),
        covered=tuple(
            CoveredWindows(band, label, count) for (band, label), count in sorted(counts.items())
        ),
        settings=_settings(excluded_periods=_ends_digest(excluded) if excluded else None),
        without_baseline=(date_of(date),) if is_judged and judge is None else (),
        allows_missing=allows_missing,
    )
    return SummaryNeeds(ends, excluded, read)


@frozen
class HorizonNeeds:
    """What the hosts' part of one horizon is made from."""

    added: tuple[int, ...]
    """Local dates whose summaries are added."""
    removed: tuple[int, ...] = ()
    """Those whose summaries are taken away."""
    goes_on: bool = False
    """Whether that is done to the baselines of the date before; else all dates are added up."""


@frozen
class BaselineNeeds:
    """What the baselines of a local date are made from."""

    horizons: tuple[HorizonNeeds, ...]
    read: ReadFacts
    """What they are made of, as the run's manifest says it: the same whether they go on from the date before or not."""

    @property
    def read_dates(self) -> list[int]:
        """The local dates whose summaries are read."""
        return sorted({date for one in self.horizons for date in (*one.added, *one.removed)})

    @property
    def goes_on(self) -> bool:
        """Whether the baselines of the date before are read."""
        return any(one.goes_on for one in self.horizons)

    def inputs(self, former: PinnedTables) -> tuple[HorizonInputs, ...]:
        """Give what an engine is told of the horizons. `former`: the run of the date before, as far as it is read."""
        return tuple(
            HorizonInputs(former if one.goes_on else None, one.added, one.removed)
            for one in self.horizons
        )


def summary_dates(horizons: Iterable[Horizon], date: int) -> list[int]:
    """Give the local dates whose summaries may be read for the baselines of a date."""
    known = tuple(horizons)
    first = min(one.dates(date - 1).start for one in known)
    last = max(one.dates(date).stop for one in known)
    return [
        day
        for day in range(first, last)
        if any(day in one.dates(date) or day in one.dates(date - 1) for one in known)
    ]


def baseline_needs(
    spec: FgBSpec,
    date: int,
    summaries: Mapping[int, SummaryRun],
    former: ReadFacts | None,
    fleeting: Collection[str],
) -> BaselineNeeds:
    """Tell what the baselines of a local date are made from.

    `summaries`: those that are published of `summary_dates`; `former`: what the baselines of the date before were made
    of; `fleeting`: addresses of hosts whose names do not last. A horizon goes on from the date before only while that
    was made of the summaries that are published now; else it is made of all its dates.
    """
    horizons = spec.baselines.horizons
    parts = tuple(_horizon_needs(one, date, summaries, former) for one in horizons)
    read_dates = sorted({day for one in horizons for day in one.dates(date)} & summaries.keys())
    read = ReadFacts(
        contributions=tuple(summaries[day].contribution for day in read_dates),
        settings=_settings(names=addresses_digest(fleeting) if fleeting else None),
    )
    return BaselineNeeds(parts, read)


def _horizon_needs(
    horizon: Horizon, date: int, summaries: Mapping[int, SummaryRun], former: ReadFacts | None
) -> HorizonNeeds:
    dates, before = horizon.dates(date), horizon.dates(date - 1)
    if former is None or not _is_current(former, before, summaries):
        return HorizonNeeds(_known(dates, summaries))
    added = _known(range(before.stop, dates.stop), summaries)
    return HorizonNeeds(added, _known(range(before.start, dates.start), summaries), goes_on=True)


def windows_of(
    dates: range, summaries: Mapping[int, SummaryRun]
) -> dict[int, dict[BandLabel, int]]:
    """Count the windows of local dates that were there to be counted: date -> band and label -> windows."""
    return {
        date: {(one.time_band, one.window_label): one.windows for one in summaries[date].covered}
        for date in dates
        if date in summaries
    }


def _known(dates: range, summaries: Mapping[int, SummaryRun]) -> tuple[int, ...]:
    return tuple(date for date in dates if date in summaries)


def _is_current(former: ReadFacts, dates: range, summaries: Mapping[int, SummaryRun]) -> bool:
    """Whether the baselines of the date before were made, in a horizon, of what is published now."""
    made_of = {one for one in former.contributions if date_of_run(one.mini_batch_id) in dates}
    return made_of == {summaries[date].contribution for date in dates if date in summaries}


def _periods_near(periods: Iterable[Period], date: int) -> list[tuple[int, int]]:
    """The start and end, us, of the periods that windows of a local date may overlap."""
    since, until = day_start(date - 3), day_start(date + 3)
    spans = (period.bounds for period in periods)
    return [(start, end) for start, end in spans if start < until and since < end]


def _settings(**digests: str | None) -> tuple[SettingRead, ...]:
    return tuple(SettingRead(name, one) for name, one in digests.items() if one is not None)


def _ends_digest(ends: Ends) -> str:
    lines = [f"{end} {label.name}\n" for end in sorted(ends) for label in ends[end]]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
