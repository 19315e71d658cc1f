"""Outputs of deltas and of features in folders, for engines of features: rows in, rows out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from ndr_adapters.local.published import FolderTables
from ndr_adapters.local.sink import FolderSink
from ndr_adapters.polars.published import read_table
from ndr_adapters.polars.write import StagingRoot, write_named
from ndr_core.deltas.tables import PAIR
from ndr_core.features.days import date_of
from ndr_core.history.engine import HistoryEngine, HistoryInputs
from ndr_core.history.plan import HistoryPlan
from ndr_core.history.reference import views_of
from ndr_core.history.tables import HISTORY_TABLES, PAIR_HISTORY
from ndr_core.publishing.manifest import RunFacts
from ndr_core.publishing.sink import Publication
from ndr_core.tables.merge import Row
from ndr_core.tables.slices import SliceBounds
from ndr_core.tables.table import Table
from ndr_core.times import day_start
from ndr_core.windows.engine import WindowEngine, WindowInputs
from ndr_core.windows.plan import WindowPlan
from tests.property.frames import frame_of, rows_of


@frozen
class FeatureOutputs:
    """An output of deltas, and one of features, below a folder."""

    root: Path

    @property
    def deltas(self) -> FolderTables:
        return FolderTables(self.root / "out")

    @property
    def features(self) -> FolderTables:
        return FolderTables(self.root / "out" / "features")

    def publish_pairs(self, batch: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Publish pair rows as one mini-batch: a later one of the same name replaces it."""
        self.publish(batch, {PAIR: list(rows)})

    def publish(self, batch: str, tables: Mapping[Table, Sequence[Mapping[str, Any]]]) -> None:
        """Publish rows of the deltas' tables as one mini-batch."""
        self._publish(FolderSink(self.root / "out"), _facts("delta_builder", batch), tables)

    def publish_history(self, rows: Sequence[Row], plan: HistoryPlan) -> None:
        """Publish rows of the pair history of a day, and the views of them."""
        views = {
            table: [row | plan.constants() for row in made]
            for table, made in views_of(rows, plan).items()
        }
        sink = FolderSink(self.root / "out" / "features")
        self._publish(sink, _facts_of_day(plan.day), {PAIR_HISTORY: rows, **views})

    def build_day(
        self, engine: HistoryEngine, plan: HistoryPlan, inputs: HistoryInputs
    ) -> Mapping[str, int]:
        """Build the history of a day and publish it. Gives the staged files."""
        sink = FolderSink(self.root / "out" / "features")
        staging = sink.open_staging("run", HISTORY_TABLES, print)
        files = engine.build(plan, inputs, staging.root)
        staging.publish(Publication(_facts_of_day(plan.day), HISTORY_TABLES, files))
        staging.close()
        return files

    def build_windows(
        self, engine: WindowEngine, plan: WindowPlan, inputs: WindowInputs
    ) -> Mapping[str, int]:
        """Build the windows of an anchor and publish them. Gives the staged files."""
        sink = FolderSink(self.root / "out" / "features")
        staging = sink.open_staging("run", plan.tables, print)
        files = engine.build(plan, inputs, staging.root)
        facts = _facts("fg_a", f"anchor-{inputs.anchor}")
        staging.publish(Publication(facts, plan.tables, files))
        staging.close()
        return files

    def tables(self, day: int) -> dict[str, list[Row]]:
        """The published history of a day, as rows of the core, sorted by key."""
        return {table.name: self.rows(table, date_of(day)) for table in HISTORY_TABLES}

    def rows(self, table: Table, date: str) -> list[Row]:
        """The published rows of a table of features of a date, as rows of the core, sorted by key."""
        found = read_table(self.features, table.name).collect()
        of_date = found.filter(found.get_column("dt") == date) if found.width else found
        return rows_of(of_date, table.columns, table.keys) if of_date.height else []

    def _publish(
        self,
        sink: FolderSink,
        facts: RunFacts,
        tables: Mapping[Table, Sequence[Mapping[str, Any]]],
    ) -> None:
        staging = sink.open_staging("run", list(tables), print)
        files: dict[str, int] = {}
        for table, rows in tables.items():
            frame = frame_of(rows, table.columns)
            files |= write_named(frame, table, StagingRoot(staging.root), "part")
        staging.publish(Publication(facts, tuple(tables), files))
        staging.close()


def sorted_as_read(rows: Sequence[Row], table: Table) -> list[Row]:
    """Rows of the core's reference, as `FeatureOutputs.rows` gives them."""
    return rows_of(frame_of(rows, table.columns), table.columns, table.keys)


def history_as_read(tables: Mapping[str, Sequence[Row]]) -> dict[str, list[Row]]:
    """Tables of the core's reference, as `FeatureOutputs.tables` gives them."""
    return {table.name: sorted_as_read(tables[table.name], table) for table in HISTORY_TABLES}


def _facts(job: str, batch: str) -> RunFacts:
    return RunFacts("test", job, "v1", "00", batch, "run", "hand", "test")


def _facts_of_day(day: int) -> RunFacts:
    bounds = SliceBounds(day_start(day), day_start(day + 1))
    return evolve(_facts("pair_history", date_of(day)), bounds=bounds)
