"""Writing a compacted day: its slices as readers see them, one file for each table, slice and role."""

from __future__ import annotations

import warnings
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from ndr_adapters.polars.published import read_deltas, read_pairs
from ndr_adapters.polars.table_files import BATCH
from ndr_adapters.polars.write import StagingRoot, write_named
from ndr_core.deltas.meaning import measures_of
from ndr_core.deltas.tables import delta_table, pair_table
from ndr_core.deltas.timing import STARTS
from ndr_core.errors import NdrError
from ndr_core.publishing.compaction import Day
from ndr_core.publishing.pinned import PinnedTables
from ndr_core.publishing.published import GoneSlicesWarning, PublishedTables
from ndr_core.tables.slices import TIME_LEVELS
from ndr_core.tables.table import Table

_NAME: Final = "day"


def write_day(published: PublishedTables, day: Day, staging: StagingRoot) -> dict[str, int]:
    """Write the merged rows of a day, in the order of their keys. Gives staged file, below the root -> its rows.

    One slice is in memory at a time. Raises as `read_deltas`, and NdrError where a slice's folder is gone: the day
    would be without it for good.
    """
    tables = PinnedTables(published, day.manifests)
    with warnings.catch_warnings():
        warnings.simplefilter("error", GoneSlicesWarning)
        try:
            return _slices_written(tables, day, staging)
        except GoneSlicesWarning as gone:
            raise NdrError(f"{day.date} can't be compacted: {gone}") from gone


def _slices_written(tables: PublishedTables, day: Day, staging: StagingRoot) -> dict[str, int]:
    found: dict[str, int] = {}
    meanings = [manifest.facts.meaning for manifest in day.manifests]
    for start in _slices(day):
        end = start + timedelta(minutes=1)
        pairs = read_pairs(tables, since=start, until=end).collect()
        deltas = read_deltas(tables, since=start, until=end).collect()
        timing = STARTS.name in pairs.columns
        found |= _written(pairs, pair_table(timing=timing), staging)
        measures = measures_of(deltas.schema, meanings)
        found |= _written(deltas, delta_table(measures), staging)
    return found


def _slices(day: Day) -> list[datetime]:
    """The starts of the slices that have rows."""
    pattern = "/".join(f"{level}={spelt}" for level, spelt in TIME_LEVELS.items())
    places = {contribution.slice for contribution in day.contributions}
    return [datetime.strptime(f"{place} +0000", f"{pattern} %z") for place in sorted(places)]


def _written(rows: pl.DataFrame, table: Table, staging: StagingRoot) -> dict[str, int]:
    if rows.is_empty():
        return {}
    batch = pl.lit(None, dtype=pl.String).alias(BATCH)
    names = [column.name for column in table.columns]
    unknown = sorted(set(rows.columns).difference(names))
    if unknown:
        raise NdrError(
            f"table {table.name}: how {', '.join(unknown)} merges is not known to this version; compact with the one "
            "that published it"
        )
    return write_named(
        rows.with_columns(batch).select(names).sort(table.keys), table, staging, _NAME
    )
