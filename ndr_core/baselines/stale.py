"""Which summaries and baselines would be others if they were built now, and which were left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from attrs import field, frozen

from ndr_core.baselines.dates import ends_of_date, local_date
from ndr_core.baselines.job import fleeting_hosts
from ndr_core.baselines.names import HostNames
from ndr_core.baselines.needs import baseline_needs, is_judged, summary_needs
from ndr_core.baselines.runs import (
    BaselinesRun,
    SummaryRun,
    WindowsRun,
    baselines_name,
    baselines_run,
    date_of_run,
    date_place,
    is_summary,
    summary_dates_of,
    summary_name,
    summary_run,
    windows_run,
)
from ndr_core.baselines.spec import FgBSpec
from ndr_core.features.days import read_of
from ndr_core.features.stale import StaleRun, changed_runs, few, is_lost
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.pruned import Pruned
from ndr_core.publishing.read_facts import FEATURES, ReadContribution, ReadFacts
from ndr_core.tables.slices import slice_place
from ndr_core.times import DAY_US, day_start

_NEW: Final = ""
"""The digest of a run that is to be done again: another one than any."""

_NOT_BUILT: Final = "not built"


def reach_of(spec: FgBSpec) -> int:
    """Give the time, us, before a moment on which the baselines of later dates depend."""
    return (max(one.days + one.gap for one in spec.baselines.horizons) + 3) * DAY_US


def windows_now(
    job_name: str, runs: Iterable[Manifest], stale: Iterable[StaleRun]
) -> dict[int, WindowsRun]:
    """Give the runs of a job of windows as they will be once the stale ones are done again, by the end of the windows.

    `runs`: those of an output that count; `stale`: those of the job that are out of date.
    """
    found = {
        run.facts.bounds.start: windows_run(run, run.facts.bounds.start)
        for run in runs
        if run.facts.job_name == job_name and run.facts.bounds is not None
    }
    for one in stale:
        read = one.read or ReadFacts()
        place = slice_place(one.start)
        contribution = ReadContribution(FEATURES, job_name, one.mini_batch_id, place, _NEW)
        built, unpublished = frozenset(read.built), frozenset(read.unpublished)
        found[one.start] = WindowsRun(contribution, built, unpublished)
    return found


@frozen
class BaselinesNow:
    """What the baselines of a job are, and would be."""

    runs: Mapping[int, BaselinesRun]
    """Date -> its run, once the stale ones are done again."""
    stale: tuple[StaleRun, ...]
    """In the order in which they are to be built: of each date the summary, then the baselines of the next date."""


@frozen
class _Walk:
    """The runs of a job, date by date, as they will be."""

    spec: FgBSpec
    windows: Mapping[int, WindowsRun]
    pruned: Pruned
    names: HostNames
    own: Mapping[str, Manifest]
    """Name -> published run."""
    summaries: dict[int, SummaryRun] = field(factory=dict)
    baselines: dict[int, BaselinesRun] = field(factory=dict)

    def run(self, dates: range) -> Iterator[StaleRun]:
        for date in dates:
            if not self.pruned.holds(self.spec.feature_spec_version, date_place(date)):
                yield from self._summary(date)
            yield from self._baselines(date + 1)

    def _summary(self, date: int) -> Iterator[StaleRun]:
        spec, name = self.spec, summary_name(date)
        run = self.own.get(name)
        ends = ends_of_date(spec.calendar, spec.windows.window_labels, date)
        windows = {end: self.windows[end] for end in ends if end in self.windows}
        judge = self.baselines.get(date)
        needs = summary_needs(
            spec,
            date,
            windows,
            judge,
            is_judged=is_judged(spec, date, self.summaries, judge),
            allows_missing=True,
        )
        is_over = date < max(self.summaries, default=date)
        if run is None and (not is_over or not windows or needs.read.without_baseline):
            return
        reasons = self._reasons(run, needs.read)
        if reasons:
            self.summaries[date] = SummaryRun(self._new(name, date), needs.read.covered)
            yield self._stale(name, date, reasons, run)

    def _baselines(self, date: int) -> Iterator[StaleRun]:
        spec, name = self.spec, baselines_name(date)
        run = self.own.get(name)
        fleeting = fleeting_hosts(spec, self.names, date)
        read = baseline_needs(spec, date, self.summaries, None, fleeting).read
        reasons = self._reasons(run, read)
        if reasons:
            self.baselines[date] = BaselinesRun(self._new(name, date), summary_dates_of(read))
            yield self._stale(name, date, reasons, run)

    def _reasons(self, run: Manifest | None, now: ReadFacts) -> list[str]:
        if run is None:
            return [_NOT_BUILT]
        before = read_of(run)
        if is_lost(before, self.pruned, self.spec.feature_spec_version):
            return []
        return changed_runs(before, now)

    def _new(self, name: str, date: int) -> ReadContribution:
        return ReadContribution(FEATURES, self.spec.job_name, name, date_place(date), _NEW)

    def _stale(self, name: str, date: int, reasons: list[str], run: Manifest | None) -> StaleRun:
        allows = run is not None and read_of(run).allows_missing
        return StaleRun(self.spec.job_name, name, day_start(date), few(reasons), allows)


def baselines_now(
    spec: FgBSpec,
    runs: Sequence[Manifest],
    windows: Mapping[int, WindowsRun],
    pruned: Pruned,
    names: HostNames,
    since: int | None = None,
) -> BaselinesNow:
    """Compare the summaries and baselines of a job with what is published now.

    `runs`: those of the output that count, from `reach_of` before `since` on; `windows`: as they will be, as
    `windows_now`; `pruned`: up to where the output was; `names`: of hosts; `since`: us, dates before it are not looked
    at. A date between the first and the last one without a run was left out; after the last summary there is none, as
    baselines may be made before their date has begun.
    """
    own = {run.facts.mini_batch_id: run for run in runs if run.facts.job_name == spec.job_name}
    walk = _Walk(spec, windows, pruned, names, own)
    for name, run in own.items():
        if is_summary(name):
            walk.summaries[date_of_run(name)] = summary_run(run)
        else:
            walk.baselines[date_of_run(name)] = baselines_run(run)
    dates = _dates(walk.summaries, walk.baselines)
    if since is not None:
        dates = range(max(dates.start, local_date(spec.calendar, since)), dates.stop)
    stale = tuple(walk.run(dates))
    return BaselinesNow(walk.baselines, stale)


def _dates(summaries: Collection[int], baselines: Collection[int]) -> range:
    """The dates from the first to the last one of which there is a summary, or the baselines of the next date."""
    dates = {*summaries, *(date - 1 for date in baselines)}
    return range(min(dates), max(dates) + 1) if dates else range(0)
