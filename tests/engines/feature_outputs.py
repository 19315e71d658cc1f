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
from ndr_core.history.tables import HISTORY_TABLES
from ndr_core.publishing.manifest import RunFacts
from ndr_core.publishing.sink import Publication
from ndr_core.tables.merge import Row
from ndr_core.tables.slices import SliceBounds, partition_of
from ndr_core.tables.table import Table
from ndr_core.times import day_start
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
        placed = [{**row, "starts": None, "bytes_sent_hist": None} | _lacking(row) for row in rows]
        facts = RunFacts("test", "delta_builder", "v1", "00", batch, "run", "hand", "test")
        sink = FolderSink(self.root / "out")
        staging = sink.open_staging("run", [PAIR], print)
        frame = frame_of(placed, PAIR.columns)
        files = write_named(frame, PAIR, StagingRoot(staging.root), "part")
        staging.publish(Publication(facts, (PAIR,), files))
        staging.close()

    def build_day(
        self, engine: HistoryEngine, plan: HistoryPlan, inputs: HistoryInputs
    ) -> Mapping[str, int]:
        """Build the history of a day and publish it. Gives the staged files."""
        day = day_start(plan.day)
        facts = RunFacts("test", "pair_history", "v1", "00", date_of(plan.day), "run", "e", "test")
        facts = evolve(facts, bounds=SliceBounds(day, day_start(plan.day + 1)))
        sink = FolderSink(self.root / "out" / "features")
        staging = sink.open_staging("run", HISTORY_TABLES, print)
        files = engine.build(plan, inputs, staging.root)
        staging.publish(Publication(facts, HISTORY_TABLES, files))
        staging.close()
        return files

    def tables(self, day: int) -> dict[str, list[Row]]:
        """The published history of a day, as rows of the core, sorted by key."""
        return {table.name: self._rows(table, day) for table in HISTORY_TABLES}

    def _rows(self, table: Table, day: int) -> list[Row]:
        found = read_table(self.features, table.name).collect()
        of_day = found.filter(found.get_column("dt") == date_of(day)) if found.width else found
        if of_day.is_empty():
            return []
        return rows_of(of_day, table.columns, table.keys)


def _lacking(row: Mapping[str, Any]) -> Row:
    """What rows made by hand leave out."""
    place = partition_of(row["slice_start_ts"])
    return {"unanswered_cnt": None, "duration_s_sum": None, **place}


def sorted_as_read(tables: Mapping[str, Sequence[Row]]) -> dict[str, list[Row]]:
    """Tables of the core's reference, as `FeatureOutputs.tables` gives them."""
    return {
        table.name: rows_of(frame_of(tables[table.name], table.columns), table.columns, table.keys)
        for table in HISTORY_TABLES
    }
