"""The reference engines of features: the core's references over published rows, written as Polars writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import polars as pl
from attrs import field, frozen

from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.polars.features.history_files import day_files, table_days
from ndr_adapters.polars.published import read_table
from ndr_adapters.polars.write import StagingRoot, write_named
from ndr_adapters.reference.frames import plain_frame
from ndr_core.deltas.tables import DELTA, PAIR
from ndr_core.history.engine import HistoryInputs
from ndr_core.history.plan import HistoryPlan
from ndr_core.history.reference import HistoryRows, history_tables
from ndr_core.history.tables import HISTORY_TABLES, PAIR_HISTORY, PAIR_TILE
from ndr_core.publishing.published import PublishedTables
from ndr_core.tables.merge import Row
from ndr_core.tables.table import Table
from ndr_core.times import to_datetime
from ndr_core.windows.engine import WindowInputs
from ndr_core.windows.history_source import HistorySource
from ndr_core.windows.labels import WindowLabel
from ndr_core.windows.plan import ROLE_NAMES, WindowPlan
from ndr_core.windows.reference import WindowRows, build_windows
from ndr_core.windows.tables import BEACON

_FILE = "part-00000"

Span = tuple[int, int]
"""[since, until), us."""


@frozen
class ReferenceHistoryEngine:
    """Builds the pair history in plain Python, all rows in memory: a `HistoryEngine`."""

    name: ClassVar[str] = "reference"
    storage_options: dict[str, Any] = field(factory=dict)

    def build(
        self, plan: HistoryPlan, inputs: HistoryInputs, staging_root: str
    ) -> Mapping[str, int]:
        found = day_files(plan, inputs)
        former = (
            None if found.former is None else plain_rows(found.former.rows(_names(PAIR_HISTORY)))
        )
        rows = HistoryRows(
            plain_rows(found.pairs.rows(_names(PAIR))),
            plain_rows(found.tiles.rows(_names(PAIR_TILE))),
            former,
        )
        tables = history_tables(rows, plan)
        made = [(table, tables[table.name]) for table in HISTORY_TABLES]
        return staged(made, StagingRoot(staging_root, self.storage_options))


@frozen
class ReferenceWindowEngine:
    """Builds windows in plain Python, all rows in memory: a `WindowEngine`."""

    name: ClassVar[str] = "reference"
    storage_options: dict[str, Any] = field(factory=dict)

    def build(self, plan: WindowPlan, inputs: WindowInputs, staging_root: str) -> Mapping[str, int]:
        rows = {label: _window_rows(label, inputs) for label in inputs.labels}
        tables = build_windows(plan, inputs.anchor, rows)
        made = [(plan.fg_a, tables.fg_a), (BEACON, tables.beacons)]
        return staged(made, StagingRoot(staging_root, self.storage_options))


def _window_rows(label: WindowLabel, inputs: WindowInputs) -> WindowRows:
    """What the window of one label is made of."""
    source = inputs.history[label]
    window = (label.start(inputs.anchor), inputs.anchor)
    return WindowRows(
        deltas=_slices(inputs, DELTA, [window]),
        pairs=_slices(inputs, PAIR.name, [window, *source.slices]),
        coverage=inputs.coverage[label],
        source=source,
        history=_history(inputs, source),
    )


def _slices(inputs: WindowInputs, table: str, spans: Iterable[Span]) -> list[Row]:
    """The rows of a table in the slices of some spans, of which no two meet, by the contributions as they are."""
    rows: list[Row] = []
    for since, until in spans:
        found = read_table(inputs.deltas, table, since=to_datetime(since), until=to_datetime(until))
        if found.collect_schema().names():  # else there is no run
            version = pl.col("feature_spec_version") == inputs.deltas_version
            rows += plain_rows(found.filter(version, pl.col("role").is_in(ROLE_NAMES)))
    return rows


def _history(inputs: WindowInputs, source: HistorySource) -> Sequence[Row]:
    if source.base is None:
        return ()
    found = table_days(inputs.features, PAIR_HISTORY, inputs.history_version, [source.base])
    return plain_rows(found.rows(_names(PAIR_HISTORY)))


def _names(table: Table) -> list[str]:
    return [column.name for column in table.columns]


def published_rows(published: PublishedTables, table: str, *conditions: pl.Expr) -> list[Row]:
    """Give the published rows of a table for which conditions hold, as mappings; none where no run has made it."""
    found = read_table(published, table)
    return plain_rows(found.filter(*conditions)) if found.collect_schema().names() else []


def plain_rows(rows: pl.LazyFrame) -> list[Row]:
    """Give rows as mappings from column to value."""
    return rows.collect().to_dicts()


def staged(made: Iterable[tuple[Table, Sequence[Row]]], staging: StagingRoot) -> dict[str, int]:
    """Write rows, each table to its folders: file, below the root -> rows."""
    files: dict[str, int] = {}
    with full_disk_named(staging.address):
        for table, rows in made:
            files |= write_named(plain_frame(rows, table).collect(), table, staging, _FILE)
    return files
