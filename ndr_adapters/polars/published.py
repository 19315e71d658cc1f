"""Published tables as Polars frames."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from ndr_adapters.polars.contributions import levels_of, merged_lazily, parts_by
from ndr_adapters.polars.scan import Scanner
from ndr_adapters.polars.table_files import BATCH, TableFiles, delta_files, pair_files
from ndr_adapters.polars.write import empty_frame
from ndr_core.deltas.meaning import measures_of
from ndr_core.deltas.tables import PAIR, delta_table
from ndr_core.publishing.published import (
    PublishedFiles,
    PublishedTables,
    SliceRange,
    readable_files,
)
from ndr_core.tables.columns import Merge
from ndr_core.tables.table import Table


def read_table(
    published: PublishedTables,
    table: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> pl.LazyFrame:
    """The published rows of a table as they lie in its files, partition keys included as text.

    `since`, `until`: slices that start in [since, until). Only what a published run has made live: no file
    of a run that died or was replaced. Runs whose JobSpecs differ in measures or port sets make differing
    columns; a column that a row's run did not make is null. Without any run the frame has no columns.
    A frame that is collected after a later run replaced its files fails; read it again then. Raises as
    `readable_files`.
    """
    return scan_files(readable_files(published, table, SliceRange(since, until)))


def read_deltas(
    published: PublishedTables, *, since: datetime | None = None, until: datetime | None = None
) -> pl.LazyFrame:
    """The published delta table, one row per key: what several runs contributed to a slice is merged as it is read.

    Else as `read_table`; `mini_batch_id` is left out. A column that one of the merged contributions lacks is null;
    those that are derived from pairs are made from the merged pairs. Rows come in no order. A merged sum that
    leaves int64 raises OverflowingColumnError when the frame is collected.
    """
    files = delta_files(published, SliceRange(since, until))
    if not files.found.by_run:
        return pl.LazyFrame(schema=files.merging.schema)
    scanner = Scanner.of(files.found)
    return _read(files, scanner, delta_table(measures_of(scanner.columns, files.found.meanings)))


def read_pairs(
    published: PublishedTables, *, since: datetime | None = None, until: datetime | None = None
) -> pl.LazyFrame:
    """The published pair table, one row per key, as `read_deltas` reads its table, but never without columns."""
    files = pair_files(published, SliceRange(since, until))
    if not files.found.by_run:
        return empty_frame(PAIR.columns).lazy().drop(BATCH)
    return _read(files, Scanner.of(files.found), PAIR)


def scan_files(found: PublishedFiles) -> pl.LazyFrame:
    """Published files of one table, as they are, in one scan."""
    scanner = Scanner.of(found)
    return scanner.scan(found.files) if found.by_run else scanner.no_rows()


def _read(files: TableFiles, scanner: Scanner, table: Table) -> pl.LazyFrame:
    """Rows of a table: of folders with one contribution as they are, and those of others merged."""
    frames = []
    if files.alone:
        frames.append(scanner.scan(files.alone).select(list(files.merging.schema)))
    shared = files.merging.files
    parts = parts_by(shared.deltas, shared.pairs, levels_of)
    if parts:
        keys = [column.name for column in table.columns if column.merge is Merge.KEY]
        frames.append(merged_lazily(parts, files.merging, keys))
    return pl.concat(frames)
