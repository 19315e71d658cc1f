"""Published tables as Spark frames, one row per key: contributions are merged by Polars, in tasks of Spark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pyspark.sql import DataFrame, SparkSession

from ndr_adapters.polars.contributions import Merging, Part, Schema
from ndr_adapters.polars.table_files import BATCH, TableFiles, delta_files, pair_files
from ndr_adapters.polars.windows import SEEN_BY, key_schema, window_merging
from ndr_adapters.polars.write import DTYPES
from ndr_adapters.spark.fanout.exchange import SparkRunner
from ndr_adapters.spark.fanout.merging import FILES, merge_chain
from ndr_adapters.spark.fanout.scratch import new_scratch
from ndr_adapters.spark.sql.published import read_files, reading_session
from ndr_core.deltas.tables import PAIR
from ndr_core.progress import Meter
from ndr_core.publishing.published import PublishedTables, SliceRange


def read_deltas(
    session: SparkSession,
    published: PublishedTables,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    scratch: str | None = None,
) -> DataFrame:
    """The published delta table, one row per key, as `ndr_adapters.polars.published.read_deltas` gives it.

    Slices with one contribution are read lazily, as they lie in their files. Those with several are merged by this
    call: tasks of Spark write the merged rows, all columns, as Parquet files to `scratch`, from which the frame reads
    them. Give `since` and `until`, so that no more is merged than you look at.

    `scratch`: a folder that all executors see, or a prefix in S3. Tasks on this machine need none: they write below
    TMPDIR. The files are removed when this process ends in order, and the frame can't be read any more; a process
    that was killed leaves them in a folder `ndr-..` of `scratch`, which a lifecycle rule of the bucket may remove.

    Raises OverflowingColumnError where a merged sum leaves int64, UsageError where a cluster has no `scratch`, else
    as `read_table`.
    """
    files = delta_files(published, SliceRange(since, until))
    return _read(session, files, files.found.columns, scratch)


def read_pairs(
    session: SparkSession,
    published: PublishedTables,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    scratch: str | None = None,
) -> DataFrame:
    """The published pair table, one row per key, as `read_deltas` reads its table, but never without columns."""
    files = pair_files(published, SliceRange(since, until))
    columns = files.found.columns or {column.name: column.type.value for column in PAIR.columns}
    return _read(session, files, columns, scratch)


def merge_windows(
    session: SparkSession,
    output: PublishedTables,
    since: datetime,
    until: datetime,
    every: str = "1h",
    by: Sequence[str] = SEEN_BY,
    measures: Sequence[str] | None = None,
    *,
    scratch: str | None = None,
) -> DataFrame:
    """Merge the slices of [since, until) to one row per key and window, as `ndr_adapters.polars.windows` does.

    Tasks of Spark merge when this is called; `scratch`: as in `read_deltas`. Raises as both.
    """
    merging = window_merging(output, since, until, every, by, measures)
    new = reading_session(session, scratch or "")
    if merging is None:
        return read_files(new, (), _kinds(key_schema(by)))
    return _merged(session, new, merging, scratch)


def _read(
    session: SparkSession, files: TableFiles, columns: Mapping[str, str], scratch: str | None
) -> DataFrame:
    """Rows of a table: of folders with one contribution as they are, and those of others merged."""
    found = files.found
    new = reading_session(session, found.root, scratch or "")
    known = {name: kind for name, kind in columns.items() if name != BATCH}
    alone = [f"{found.root}/{file.path}" for file in files.alone]
    rows = read_files(new, alone, known, f"{found.root}/{found.table}")
    if files.merging.files == Part():
        return rows
    merged = _merged(session, new, files.merging, scratch).select(list(known))
    return rows.union(merged) if alone else merged


def _merged(
    session: SparkSession, reading: SparkSession, merging: Merging, scratch: str | None
) -> DataFrame:
    """The merged rows, read from files of scratch."""
    folder = new_scratch(session, scratch)
    runner = SparkRunner(session)
    results = runner.run(merge_chain(merging, folder, runner.cores), Meter())
    names = results[FILES].get_column("name") if FILES in results else ()
    files = [f"{folder.address}/{name}" for name in names]
    return read_files(reading, files, _kinds(merging.schema))


def _kinds(schema: Schema) -> dict[str, str]:
    kinds = {dtype: kind.value for kind, dtype in DTYPES.items()}
    return {name: kinds[dtype] for name, dtype in schema.items()}
