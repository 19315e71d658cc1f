"""The published files from which the history of a day is made, and their rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.scan import Scanner, check_format
from ndr_core.deltas.tables import PAIR
from ndr_core.features.days import date_of
from ndr_core.history.engine import HistoryInputs
from ndr_core.history.plan import ROLES, HistoryPlan
from ndr_core.history.tables import PAIR_HISTORY, PAIR_TILE
from ndr_core.publishing.manifest import OutputFile
from ndr_core.publishing.published import PublishedTables, SliceRange, readable_files
from ndr_core.tables.table import Table
from ndr_core.times import day_start, to_datetime

PAIR_COLUMNS: Final = (
    "host_ip",
    "role",
    "peer_ip",
    "peer_port",
    "slice_start_ts",
    "sessions_cnt",
    "bytes_sent_sum",
    "event_ts",
)
"""What is read of pair slices."""

TILE_COLUMNS: Final = (
    "host_ip",
    "role",
    "peer_ip",
    "peer_port",
    "day_ts",
    "sessions_cnt",
    "bytes_sent_sum",
    "last_seen_ts",
)
"""What is read of pair tiles."""

FORMER_COLUMNS: Final = (
    "host_ip",
    "role",
    "peer_ip",
    "peer_port",
    "days_mask",
    "last_seen_ts",
    "sessions_30d",
    "bytes_sent_30d",
)
"""What is read of the history of the day before."""


@frozen
class TableDays:
    """Published files of one table, of some days."""

    root: str
    table: Table
    files: tuple[OutputFile, ...] = ()

    def rows(self, columns: Sequence[str]) -> pl.LazyFrame:
        """Give some columns of their rows, the role among them."""
        scanner = Scanner.of_table(self.root, self.table)
        held = [name for name in columns if name != "role"]
        # A path is looked at once for each row, which would take longer than all else.
        by_role = (
            scanner.scan(file for file in self.files if file.partition["role"] == role)
            .select(held)
            .with_columns(role=pl.lit(role))
            for role in ROLES
        )
        return pl.concat(by_role).select(columns)


@frozen
class DayFiles:
    """The files from which the history of a day is made."""

    pairs: TableDays
    tiles: TableDays
    former: TableDays | None

    @property
    def row_count(self) -> int:
        """How many rows they have."""
        parts = (self.pairs, self.tiles, self.former)
        return sum(file.rows for part in parts if part is not None for file in part.files)


def day_files(plan: HistoryPlan, inputs: HistoryInputs) -> DayFiles:
    """Find the files from which the history of a day is made. Raises as `readable_files`."""
    earlier = plan.earlier_days if inputs.former is None else (plan.leaving_day,)
    slice_days = [day for day in earlier if day in inputs.slice_days]
    tile_days = [day for day in earlier if day not in inputs.slice_days]
    pairs = table_days(inputs.day_pairs, PAIR, plan.deltas_version, [*slice_days, plan.day])
    version = plan.feature_spec_version
    former = None
    if inputs.former is not None:
        former = table_days(inputs.former, PAIR_HISTORY, version, [plan.day - 1])
    if inputs.tiles is None:
        return DayFiles(pairs, TableDays("", PAIR_TILE), former)
    return DayFiles(pairs, table_days(inputs.tiles, PAIR_TILE, version, tile_days), former)


def table_days(
    published: PublishedTables, table: Table, version: str, days: Iterable[int]
) -> TableDays:
    """Find the files of a table, of one feature_spec_version and of the built-in roles, that lie in some UTC days.

    Raises as `readable_files`, and NdrError for a file of a format that this version does not know.
    """
    wanted = sorted(days)
    if not wanted:
        return TableDays(published.root, table)
    since, until = (to_datetime(day_start(day)) for day in (wanted[0], wanted[-1] + 1))
    found = readable_files(published, table.name, SliceRange(since, until))
    for sample in found.samples:
        check_format(found.root, sample.path)
    dates = {date_of(day) for day in wanted}
    files = (
        file
        for file in found.files
        if file.partition["feature_spec_version"] == version
        and file.partition["dt"] in dates
        and file.partition["role"] in ROLES
    )
    return TableDays(found.root, table, tuple(files))
