"""Published tables as Polars frames."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import polars as pl

from ndr_adapters.polars.contributions import (
    MergePart,
    Part,
    apart,
    check_known,
    levels_of,
    merged_lazily,
    parts_by,
    where,
)
from ndr_adapters.polars.merge import SLICE_KEYS, Keys, merge_deltas, merge_pairs
from ndr_adapters.polars.scan import Scanner
from ndr_adapters.polars.write import empty_frame
from ndr_core.deltas.measures import measures_in
from ndr_core.deltas.tables import DELTA, PAIR, delta_table
from ndr_core.publishing.manifest import OutputFile
from ndr_core.publishing.published import (
    PublishedFiles,
    PublishedTables,
    SliceRange,
    readable_files,
    readable_runs,
)
from ndr_core.tables.columns import Merge
from ndr_core.tables.table import Table

BATCH: Final = "mini_batch_id"
"""Tells contributions apart: a merged row is of several."""


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
    slices = SliceRange(since, until)
    found = readable_files(published, DELTA, slices)
    alone, shared = apart(found)
    pair_files: Sequence[OutputFile] = ()
    if shared.by_run:
        # As of one moment: the pairs of these deltas.
        runs = readable_runs(published, [DELTA, PAIR.name], slices)
        found, pair_files = runs.files(DELTA), runs.files(PAIR.name).files
        alone, shared = apart(found)
    if not found.by_run:
        return Scanner.of(found).no_rows().drop(BATCH, strict=False)
    scanner, pairs = Scanner.of(found), Scanner.of_table(found.root, PAIR)
    measures = measures_in(scanner.columns)
    if shared.by_run:
        check_known(found, scanner.names, measures)

    def merge(part: Part, columns: Sequence[str], condition: pl.Expr | None) -> pl.DataFrame:
        return merge_deltas(
            where(scanner.scan(part.deltas), condition),
            where(pairs.scan(part.pairs), condition),
            Keys(SLICE_KEYS),
            measures,
            columns,
        )

    folders = {levels_of(file) for file in shared.files}
    of_shared = (file for file in pair_files if levels_of(file) in folders)
    parts = parts_by(shared.files, of_shared, levels_of)
    return _read(alone, parts, scanner, delta_table(measures), merge)


def read_pairs(
    published: PublishedTables, *, since: datetime | None = None, until: datetime | None = None
) -> pl.LazyFrame:
    """The published pair table, one row per key, as `read_deltas` reads its table, but never without columns."""
    found = readable_files(published, PAIR.name, SliceRange(since, until))
    if not found.by_run:
        return empty_frame(PAIR.columns).lazy().drop(BATCH)
    scanner = Scanner.of(found)
    alone, shared = apart(found)

    def merge(part: Part, columns: Sequence[str], condition: pl.Expr | None) -> pl.DataFrame:
        return merge_pairs(where(scanner.scan(part.pairs), condition), columns)

    return _read(alone, parts_by((), shared.files, levels_of), scanner, PAIR, merge)


def scan_files(found: PublishedFiles) -> pl.LazyFrame:
    """Published files of one table, as they are, in one scan."""
    scanner = Scanner.of(found)
    return scanner.scan(found.files) if found.by_run else scanner.no_rows()


def _read(
    alone: PublishedFiles, parts: Sequence[Part], scanner: Scanner, table: Table, merge: MergePart
) -> pl.LazyFrame:
    """Rows of a table: of folders with one contribution as they are, and those of parts merged."""
    names = [name for name in scanner.names if name != BATCH]
    frames = []
    if alone.by_run:
        frames.append(scanner.scan(alone.files).select(names))
    if parts:
        schema = {name: scanner.schema[name] for name in names}
        keys = [column.name for column in table.columns if column.merge is Merge.KEY]
        frames.append(merged_lazily(parts, merge, schema, keys, "host_ip"))
    return pl.concat(frames)
