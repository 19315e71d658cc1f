"""An output of features in a folder, for engines of summaries and baselines: rows in, rows out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from ndr_adapters.local.published import FolderTables
from ndr_adapters.local.sink import FolderSink
from ndr_adapters.polars.published import read_table
from ndr_adapters.polars.write import StagingRoot, write_named
from ndr_core.baselines.engine import (
    BaselineEngine,
    BaselineInputs,
    HorizonInputs,
    SummaryEngine,
    SummaryInputs,
)
from ndr_core.baselines.plan import BaselinePlan, SummaryPlan
from ndr_core.baselines.rows import BaselineTables, SummaryTables
from ndr_core.baselines.tables import (
    BASELINE,
    BASELINE_ROWS,
    BASELINE_TABLES,
    SUMMARY,
    SUMMARY_ROWS,
    SUMMARY_TABLES,
)
from ndr_core.correlations.engine import CorrelationEngine, CorrelationInputs
from ndr_core.correlations.plan import BaselineDates, CorrelationPlan
from ndr_core.features.days import date_of, day_of_date
from ndr_core.publishing.manifest import RunFacts
from ndr_core.publishing.pinned import PinnedTables
from ndr_core.publishing.sink import Publication
from ndr_core.tables.merge import Row
from ndr_core.tables.slices import SliceBounds
from ndr_core.tables.table import Table
from ndr_core.times import day_start
from tests.baseline_cases import BaselineCase, SummaryCase
from tests.property.frames import frame_of, rows_of
from tests.window_cases import window_plan

FG_A_TABLE = window_plan().fg_a
Tables = Mapping[Table, Sequence[Mapping[str, Any]]]


@frozen
class BaselineOutput:
    """An output of features below a folder."""

    root: Path

    def publish_windows(
        self, rows: Sequence[Mapping[str, Any]], without: Sequence[str] = ()
    ) -> None:
        """Publish rows of `fg_a`, without some columns, those of each end as a run."""
        columns = (column for column in FG_A_TABLE.columns if column.name not in without)
        table = evolve(FG_A_TABLE, columns=tuple(columns))
        for end in sorted({row["window_end_ts"] for row in rows}):
            of_end = [row for row in rows if row["window_end_ts"] == end]
            self._publish(_facts("fg_a", f"anchor-{end}"), {table: of_end})

    def publish_baselines(self, date: int, tables: BaselineTables) -> None:
        """Publish the baselines of a date."""
        rows = {BASELINE: tables.baseline, BASELINE_ROWS: tables.rows}
        self._publish(_facts("fg_b", f"baseline-{date_of(date)}", date), rows)

    def publish_summaries(self, tables: SummaryTables) -> None:
        """Publish the summaries of local dates, each as a run."""
        for text in sorted({row["dt"] for row in tables.rows}):
            summary, rows = (
                [row for row in of_table if row["dt"] == text]
                for of_table in (tables.summary, tables.rows)
            )
            facts = _facts("fg_b", f"summary-{text}", day_of_date(text))
            self._publish(facts, {SUMMARY: summary, SUMMARY_ROWS: rows})

    def build_summary(self, engine: SummaryEngine, case: SummaryCase) -> Mapping[str, int]:
        """Build the summary of a case and publish it. Gives the staged files."""
        inputs = SummaryInputs(
            self.pinned("anchor-"),
            case.ends,
            case.excluded_ends,
            self.pinned("baseline-") if case.judge.rows else None,
        )
        plan: SummaryPlan = case.plan
        facts = _facts("fg_b", f"summary-{case.date}", plan.date)
        return self._build(facts, SUMMARY_TABLES, lambda root: engine.build(plan, inputs, root))

    def build_baselines(
        self, engine: BaselineEngine, plan: BaselinePlan, horizons: Sequence[HorizonInputs]
    ) -> Mapping[str, int]:
        """Build the baselines of a date and publish them. Gives the staged files."""
        inputs = BaselineInputs(self.pinned("summary-"), tuple(horizons))
        facts = _facts("fg_b", f"baseline-{date_of(plan.date)}", plan.date)
        return self._build(facts, BASELINE_TABLES, lambda root: engine.build(plan, inputs, root))

    def build_correlations(
        self, engine: CorrelationEngine, plan: CorrelationPlan, dates: BaselineDates
    ) -> Mapping[str, int]:
        """Build the correlations of an anchor and publish them. Gives the staged files."""
        inputs = CorrelationInputs(self.pinned("anchor-"), self.pinned("baseline-"), dates)
        facts = _facts("fg_c", f"correlations-{plan.anchor}")
        return self._build(facts, [plan.table], lambda root: engine.build(plan, inputs, root))

    def anew(self, case: BaselineCase) -> list[HorizonInputs]:
        """Each horizon by the summaries of all its dates that there are."""
        known = {day_of_date(row["dt"]) for row in case.summaries.rows}
        return [
            HorizonInputs(None, tuple(one for one in plan.dates if one in known), ())
            for plan in case.plan.horizons
        ]

    def gone_on(self, case: BaselineCase) -> list[HorizonInputs]:
        """Each horizon by the baselines of the date before, which must be there."""
        known = {day_of_date(row["dt"]) for row in case.summaries.rows}
        former = self.pinned(f"baseline-{date_of(case.date - 1)}")
        return [
            HorizonInputs(
                former,
                tuple({plan.dates[-1]} & known),
                tuple({plan.dates[0] - 1} & known),
            )
            for plan in case.plan.horizons
        ]

    def pinned(self, batches: str) -> PinnedTables:
        """The runs whose mini_batch_id begins so."""
        runs = self._published.manifests(None, None)
        chosen = (run for run in runs if run.facts.mini_batch_id.startswith(batches))
        return PinnedTables(self._published, tuple(chosen))

    def rows(self, table: Table, date: int) -> list[Row]:
        """The published rows of a table of a date, as rows of the core, sorted by key."""
        found = read_table(self._published, table.name).collect()
        of_date = found.filter(found["dt"] == date_of(date)) if found.width else found
        return rows_of(of_date, table.columns, table.keys) if of_date.height else []

    @property
    def _published(self) -> FolderTables:
        return FolderTables(self.root)

    def _publish(self, facts: RunFacts, tables: Tables) -> None:
        def write(root: str) -> Mapping[str, int]:
            files: dict[str, int] = {}
            for table, rows in tables.items():
                frame = frame_of(rows, table.columns)
                files |= write_named(frame, table, StagingRoot(root), "part")
            return files

        self._build(facts, tuple(tables), write)

    def _build(self, facts: RunFacts, tables: Sequence[Table], build: Any) -> Mapping[str, int]:
        staging = FolderSink(self.root).open_staging("run", tables, print)
        files: Mapping[str, int] = build(staging.root)
        staging.publish(Publication(facts, tuple(tables), files))
        staging.close()
        return files


def _facts(job: str, batch: str, date: int | None = None) -> RunFacts:
    bounds = None if date is None else SliceBounds(day_start(date), day_start(date + 1))
    return RunFacts("test", job, "v1", "00", batch, "run", "hand", "test", bounds=bounds)
