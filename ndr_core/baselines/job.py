"""The jobs of baselines: the summary of a local date, and the baselines of one, built and published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from attrs import field, frozen

from ndr_core.baselines.dates import band_dates, date_start, ends_of_date
from ndr_core.baselines.engine import (
    BaselineEngine,
    BaselineInputs,
    SummaryEngine,
    SummaryInputs,
)
from ndr_core.baselines.horizon import Horizon
from ndr_core.baselines.names import HostNames
from ndr_core.baselines.needs import (
    BaselineNeeds,
    SummaryNeeds,
    baseline_needs,
    is_judged,
    judging_dates,
    summary_dates,
    summary_needs,
    windows_of,
)
from ndr_core.baselines.plan import BaselinePlan, HorizonPlan, SummaryPlan
from ndr_core.baselines.runs import (
    SummaryRun,
    baseline_runs,
    baselines_name,
    baselines_run,
    summary_name,
    summary_run,
    summary_runs,
    window_runs,
    windows_run,
)
from ndr_core.baselines.spec import FgBSpec
from ndr_core.baselines.tables import BASELINE_TABLES, SUMMARY_TABLES
from ndr_core.errors import SpecError
from ndr_core.features.days import date_of, read_of
from ndr_core.features.ground import network_ground_of, shared_meaning
from ndr_core.features.running import (
    Chosen,
    FeatureRunSummary,
    NotPublishedError,
    facts_of_run,
    look_and_build,
)
from ndr_core.features.settings import given
from ndr_core.jobs.ports import RunLog
from ndr_core.publishing.manifest import Manifest, RunFacts
from ndr_core.publishing.pinned import PinnedTables
from ndr_core.publishing.published import FollowedOutput
from ndr_core.publishing.read_facts import ReadFacts
from ndr_core.publishing.sink import Sink
from ndr_core.publishing.standing import Overrides, check_standing
from ndr_core.tables.slices import SliceBounds
from ndr_core.tables.table import Table
from ndr_core.times import DAY_US, LAST_DAY, TIME_LIMIT_US, day_start, now_us
from ndr_core.windows.tables import FG_A

MEANING_VERSION: Final = 1
"""A release that changes what a column of summaries or baselines means raises it."""

_LAST_DATE: Final = TIME_LIMIT_US // DAY_US - 2


def meaning_of(spec: FgBSpec) -> dict[str, Any]:
    """Give the keys of a JobSpec in which all feature jobs of an output must agree, with their values."""
    return {
        "baselines.meaning_version": MEANING_VERSION,
        **spec.baselines.meaning(),
        "calendar": given(spec.calendar),
        **network_ground_of(spec.networks, spec.hosts),
    }


@frozen
class FoundSummary:
    """What there is for the summary of a local date, as of one moment."""

    plan: SummaryPlan
    needs: SummaryNeeds
    windows: PinnedTables
    judge: PinnedTables
    """The run of the baselines by which they are judged; none where there is nothing to judge by."""
    facts: RunFacts

    @property
    def tables(self) -> tuple[Table, ...]:
        return SUMMARY_TABLES

    @property
    def state(self) -> object:
        """Another one where anything that it reads was replaced."""
        return self.facts.read, self.windows.pinned, self.judge.pinned

    @property
    def read_bytes(self) -> int:
        """Bytes of the windows and baselines that are read."""
        windows = self.windows.bytes_of((FG_A,), 0, TIME_LIMIT_US)
        return windows + _bytes_of(self.judge, BASELINE_TABLES)

    @property
    def inputs(self) -> SummaryInputs:
        """What an engine is given."""
        judge = self.judge if self.judge.pinned else None
        return SummaryInputs(self.windows, self.needs.ends, self.needs.excluded_ends, judge)


@frozen
class SummaryRunner:
    """Runs the job that sums up the windows of one local date through its ports."""

    spec: FgBSpec
    date: int
    """Local date, in days since 1970-01-01."""
    run_id: str
    features: FollowedOutput
    """The output that `sink` publishes to, for readers."""
    sink: Sink
    start_engine: Callable[[FoundSummary], Chosen[SummaryEngine]]
    """Makes the engine, once it is known what there is to read: starting one takes seconds."""
    log: RunLog
    code_version: str = "unknown"
    undisturbed: Callable[[], AbstractContextManager[Any]] = field(default=nullcontext)
    """Holds back requests to stop (StopRequested) while the run is published."""
    allows_missing: bool = False
    """Whether windows are summed up without being judged where the baselines of the date are missing."""

    def run(self) -> FeatureRunSummary:
        """Build and publish the summary, or publish nothing at all.

        Raises SpecError or UsageError before any work, NotPublishedError where the date has no windows or its baselines
        are missing, OverflowingColumnError after; what was published before is untouched then. From publication on, a
        failure is an AfterPublicationError; StopRequested passes, and says whether the run is published.
        """
        return look_and_build(self, _described_summary)

    def look(self, published_at: int) -> FoundSummary:
        """Look at what there is for the date. `published_at`: the time of the run, us. Raises as `run` before work."""
        spec, date = self.spec, self.date
        _refuse_date(date)
        key = (self.features, spec.feature_spec_version)
        ends = ends_of_date(spec.calendar, spec.windows.window_labels, date)
        windows = window_runs(*key, spec.inputs.fg_a_job, ends)
        if not windows:
            raise NotPublishedError(
                f"{date_of(date)}: there are no windows of this date (of job {spec.inputs.fg_a_job}) in "
                f"{self.features.root}; build them before they are summed up"
            )
        judge = baseline_runs(*key, spec.job_name, [date]).get(date)
        judging = None if judge is None else baselines_run(judge)
        summaries = summary_runs(*key, spec.job_name, judging_dates(spec, date))
        judged = is_judged(spec, date, summaries, judging)
        if judged and judging is None and not self.allows_missing:
            raise NotPublishedError(
                f"{date_of(date)}: there are no baselines of this date in {self.features.root}, by which its windows "
                f"are judged; build them (ndr features run --job fg-b --day {date_of(date - 1)}), or leave that out by "
                "--partial"
            )
        needs = summary_needs(
            spec,
            date,
            {end: windows_run(run, end) for end, run in windows.items()},
            judging,
            is_judged=judged,
            allows_missing=self.allows_missing,
        )
        read = tuple(windows[end] for end in needs.read_ends)
        judges = (judge,) if judged and judge is not None else ()
        facts = _facts(self, summary_name(date), needs.read, (*read, *judges))
        return FoundSummary(
            self._plan(published_at),
            needs,
            PinnedTables(self.features, read),
            PinnedTables(self.features, judges),
            facts,
        )

    def _plan(self, published_at: int) -> SummaryPlan:
        spec = self.spec
        return SummaryPlan(
            date=self.date,
            labels=spec.windows.window_labels,
            metrics=spec.baselines.chosen,
            key_metrics=spec.baselines.judging,
            feature_spec_version=spec.feature_spec_version,
            published_at=published_at,
        )


@frozen
class FoundBaselines:
    """What there is for the baselines of a local date, as of one moment."""

    plan: BaselinePlan
    needs: BaselineNeeds
    summaries: PinnedTables
    former: PinnedTables
    """The run of the date before, where one goes on from it; else none."""
    facts: RunFacts

    @property
    def tables(self) -> tuple[Table, ...]:
        return BASELINE_TABLES

    @property
    def state(self) -> object:
        """Another one where anything that it reads was replaced."""
        return self.facts.read, self.summaries.pinned, self.former.pinned

    @property
    def read_bytes(self) -> int:
        """Bytes of the summaries and baselines that are read."""
        return _bytes_of(self.summaries, SUMMARY_TABLES) + _bytes_of(self.former, BASELINE_TABLES)

    @property
    def inputs(self) -> BaselineInputs:
        """What an engine is given."""
        return BaselineInputs(self.summaries, self.needs.inputs(self.former))


@frozen
class BaselineRunner:
    """Runs the job that makes the baselines of one local date through its ports."""

    spec: FgBSpec
    date: int
    """The local date on which windows begin that are compared with them, in days since 1970-01-01."""
    run_id: str
    features: FollowedOutput
    """The output that `sink` publishes to, for readers."""
    sink: Sink
    start_engine: Callable[[FoundBaselines], Chosen[BaselineEngine]]
    """Makes the engine, once it is known what there is to read: starting one takes seconds."""
    log: RunLog
    names: Callable[[], HostNames] = HostNames
    """Reads the table of names that the spec says."""
    code_version: str = "unknown"
    undisturbed: Callable[[], AbstractContextManager[Any]] = field(default=nullcontext)
    """Holds back requests to stop (StopRequested) while the run is published."""

    def run(self) -> FeatureRunSummary:
        """Build and publish the baselines, of the summaries that there are, or publish nothing at all.

        Raises SpecError or UsageError before any work, OverflowingColumnError after; what was published before is
        untouched then. From publication on, a failure is an AfterPublicationError; StopRequested passes, and says
        whether the run is published.
        """
        return look_and_build(self, _described_baselines)

    def look(self, published_at: int) -> FoundBaselines:
        """Look at what there is for the date. `published_at`: the time of the run, us. Raises as `run` before work."""
        spec, date = self.spec, self.date
        _refuse_date(date)
        key = (self.features, spec.feature_spec_version, spec.job_name)
        runs = summary_runs(*key, summary_dates(spec.baselines.horizons, date))
        former = baseline_runs(*key, [date - 1]).get(date - 1)
        summaries = {day: summary_run(run) for day, run in runs.items()}
        fleeting = fleeting_hosts(spec, self.names(), date)
        needs = baseline_needs(
            spec, date, summaries, None if former is None else read_of(former), fleeting
        )
        read = tuple(runs[day] for day in needs.read_dates)
        gone_on = (former,) if former is not None and needs.goes_on else ()
        return FoundBaselines(
            self._plan(summaries, fleeting, published_at),
            needs,
            PinnedTables(self.features, read),
            PinnedTables(self.features, gone_on),
            _facts(self, baselines_name(date), needs.read, (*read, *gone_on)),
        )

    def _plan(
        self, summaries: Mapping[int, SummaryRun], fleeting: frozenset[str], published_at: int
    ) -> BaselinePlan:
        spec = self.spec
        return BaselinePlan(
            date=self.date,
            labels=spec.windows.window_labels,
            metrics=spec.baselines.chosen,
            horizons=tuple(
                _horizon_plan(spec, one, self.date, summaries) for one in spec.baselines.horizons
            ),
            networks=spec.networks,
            feature_spec_version=spec.feature_spec_version,
            published_at=published_at,
            fleeting=fleeting,
        )


def fleeting_hosts(spec: FgBSpec, names: HostNames, date: int) -> frozenset[str]:
    """Give the addresses whose names do not last, as a local date begins."""
    return names.fleeting(spec.names.non_persistent_prefixes, date_start(spec.calendar, date))


def _horizon_plan(
    spec: FgBSpec, horizon: Horizon, date: int, summaries: Mapping[int, SummaryRun]
) -> HorizonPlan:
    dates = horizon.dates(date)
    return HorizonPlan(
        horizon=horizon,
        dates=dates,
        windows=windows_of(dates, summaries),
        band_dates=band_dates(spec.calendar, dates),
        start=date_start(spec.calendar, dates.start),
        end=date_start(spec.calendar, dates.stop),
    )


def _facts(
    runner: SummaryRunner | BaselineRunner,
    name: str,
    read: ReadFacts,
    runs: tuple[Manifest, ...],
) -> RunFacts:
    """The facts of a run. `runs`: those that it reads. Raises SpecError, UsageError where it would do harm."""
    bounds = SliceBounds(day_start(runner.date), day_start(runner.date + 1))
    facts = facts_of_run(runner, name, bounds, read)
    found = shared_meaning(meaning_of(runner.spec), runs, facts)
    check_standing(runner.sink.standing(found, now_us()), found, {}, Overrides())
    return found


def _refuse_date(date: int) -> None:
    """Raise SpecError for a date of which no record can be."""
    if not 1 <= date <= _LAST_DATE:
        raise SpecError(
            f"day: lies outside the times that records can have, 1970-01-02 to {LAST_DAY}"
        )


def _bytes_of(pinned: PinnedTables, tables: tuple[Table, ...]) -> int:
    return pinned.bytes_of((table.name for table in tables), 0, TIME_LIMIT_US)


def _described_summary(found: FoundSummary) -> dict[str, Any]:
    judged = "judged by the baselines of the date" if found.judge.pinned else "not judged"
    return {
        "date": date_of(found.plan.date),
        "windows": sum(one.windows for one in found.needs.read.covered),
        "contributions": len(found.needs.read.contributions),
        "outliers": judged,
    }


def _described_baselines(found: FoundBaselines) -> dict[str, Any]:
    built = {
        plan.horizon.name: "from the date before" if needs.goes_on else "from all its dates"
        for plan, needs in zip(found.plan.horizons, found.needs.horizons, strict=True)
    }
    return {
        "date": date_of(found.plan.date),
        "built": ", ".join(f"{name} {how}" for name, how in built.items()),
        "contributions": len(found.needs.read.contributions),
    }
