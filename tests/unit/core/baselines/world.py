"""Deltas and features in memory, with baselines: days pass, and engines that count build what is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, evolve, field

from ndr_core.baselines.engine import BaselineInputs, SummaryInputs
from ndr_core.baselines.job import BaselineRunner, SummaryRunner
from ndr_core.baselines.names import HostNames
from ndr_core.baselines.plan import BaselinePlan, SummaryPlan
from ndr_core.baselines.spec import FgBSpec, fg_b_spec_of
from ndr_core.correlations.engine import CorrelationInputs
from ndr_core.correlations.job import FgCRunner
from ndr_core.correlations.plan import CorrelationPlan
from ndr_core.correlations.spec import FgCSpec, fg_c_spec_of
from ndr_core.features.days import date_of
from ndr_core.features.running import Chosen, FeatureRunSummary
from ndr_core.jobs.ports import QuietLog
from ndr_core.tables.slices import day_path, slice_path
from ndr_core.times import Duration, day_start
from ndr_core.windows.settings import Windows
from ndr_core.windows.spec_reader import parse_fg_a_spec
from tests.unit.core.features.world import (
    FIRST_DAY,
    QUARTER,
    CountingEngine,
    TablesSink,
    World,
    at,
    days,
)

PART = 24
"""Quarters from the end of a window to that of the next one: there are four in a day."""
LABELS = Windows({"w_6h": Duration(PART * QUARTER), "w_24h": Duration(PART * QUARTER)})
SPEC = evolve(parse_fg_a_spec({"project_name": "test", "kind": "fg_a"}), windows=LABELS)


@define
class CountingSummaries(CountingEngine):
    def build(
        self, plan: SummaryPlan, inputs: SummaryInputs, staging_root: str
    ) -> Mapping[str, int]:
        del staging_root
        self._tried(inputs)
        return {_file("summary", plan.feature_spec_version, plan.date): 1}


@define
class CountingBaselines(CountingEngine):
    plans: list[BaselinePlan] = field(factory=list)

    def build(
        self, plan: BaselinePlan, inputs: BaselineInputs, staging_root: str
    ) -> Mapping[str, int]:
        del staging_root
        self.plans.append(plan)
        self._tried(inputs)
        has_rows = bool(inputs.summaries.pinned)
        return {_file("baseline", plan.feature_spec_version, plan.date): 1} if has_rows else {}


@define
class CountingCorrelations(CountingEngine):
    plans: list[CorrelationPlan] = field(factory=list)

    def build(
        self, plan: CorrelationPlan, inputs: CorrelationInputs, staging_root: str
    ) -> Mapping[str, int]:
        del staging_root
        self.plans.append(plan)
        self._tried(inputs)
        path = slice_path(plan.feature_spec_version, plan.anchor)
        return {f"fg_c/{path}/role=outbound/part.parquet": 1}


def _file(table: str, version: str, date: int) -> str:
    path = day_path(version, day_start(date))
    return f"{table}/{path}/role=outbound/time_band=we/part.parquet"


def date(day: int) -> str:
    """The date of a day, by its number from the first one on."""
    return date_of(FIRST_DAY + day)


@define
class BaselineWorld(World):
    """As `World`, with four windows a day."""

    spec: Any = SPEC
    fg_b: FgBSpec = field(factory=lambda: fg_b_spec_of(SPEC))
    fg_c: FgCSpec = field(factory=lambda: fg_c_spec_of(SPEC))
    names: HostNames = field(factory=HostNames)
    summary_engine: CountingSummaries = field(factory=CountingSummaries)
    baseline_engine: CountingBaselines = field(factory=CountingBaselines)
    correlation_engine: CountingCorrelations = field(factory=CountingCorrelations)

    def windows_of_day(self, day: int) -> None:
        """Publish the deltas of a day, and build its windows and its history."""
        self.contribute(f"day-{day}", days(day), days(day + 1))
        for part in range(1, 5):
            self.build_windows(days(day) + part * PART, allows_missing=day == 0)
        self.build_day(day)

    def pass_day(self, day: int) -> None:
        """Build all that the daily and the hourly jobs build of a day."""
        self.windows_of_day(day)
        self.daily(day)

    def pass_days(self, count: int) -> None:
        """Let so many days pass."""
        for day in range(count):
            self.pass_day(day)

    def daily(self, day: int) -> None:
        """Sum up a day, and make the baselines of the next one."""
        self.summarise(day)
        self.make_baselines(day + 1)

    def summary_runner(self, day: int, **changes: Any) -> SummaryRunner:
        return SummaryRunner(
            spec=changes.pop("spec", self.fg_b),
            date=FIRST_DAY + day,
            run_id=f"summary-{day}",
            features=self.features,
            sink=TablesSink(self.features),
            start_engine=lambda _: Chosen(self.summary_engine),
            log=changes.pop("log", QuietLog()),
            **changes,
        )

    def summarise(self, day: int, **changes: Any) -> FeatureRunSummary:
        return self.summary_runner(day, **changes).run()

    def baseline_runner(self, day: int, **changes: Any) -> BaselineRunner:
        return BaselineRunner(
            spec=changes.pop("spec", self.fg_b),
            date=FIRST_DAY + day,
            run_id=f"baseline-{day}",
            features=self.features,
            sink=TablesSink(self.features),
            start_engine=lambda _: Chosen(self.baseline_engine),
            log=changes.pop("log", QuietLog()),
            names=lambda: self.names,
            **changes,
        )

    def make_baselines(self, day: int, **changes: Any) -> FeatureRunSummary:
        return self.baseline_runner(day, **changes).run()

    def correlation_runner(self, quarter: int, **changes: Any) -> FgCRunner:
        return FgCRunner(
            spec=changes.pop("spec", self.fg_c),
            anchor=at(quarter),
            run_id=f"correlations-{quarter}",
            features=self.features,
            sink=TablesSink(self.features),
            start_engine=lambda _: Chosen(self.correlation_engine),
            log=changes.pop("log", QuietLog()),
            **changes,
        )

    def correlate(self, quarter: int, **changes: Any) -> FeatureRunSummary:
        return self.correlation_runner(quarter, **changes).run()
