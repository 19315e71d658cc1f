"""Published tables as Polars frames."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final

import polars as pl
from polars.exceptions import PolarsError

from ndr_adapters.polars.s3 import polars_options
from ndr_adapters.polars.write import empty_frame
from ndr_core.deltas.tables import DELTA, PAIR
from ndr_core.errors import NdrError
from ndr_core.publishing.location import is_s3
from ndr_core.publishing.manifest import OutputFile
from ndr_core.publishing.published import (
    PublishedFiles,
    PublishedTables,
    SliceRange,
    readable_files,
)

_FILE: Final = "ndr file"
"""Column with a row's file, no name of any column of a table."""
_FOOTERS_AT_ONCE: Final = 16
"""Read at once: from S3, each takes its time."""


def read_table(
    published: PublishedTables,
    table: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> pl.LazyFrame:
    """The published rows of a table, partition keys included as text.

    `since`, `until`: slices that start in [since, until). Only what a published run has made live: no file
    of a run that died or was replaced. Runs whose JobSpecs differ in measures or port sets make differing
    columns; a column that a row's run did not make is null. Without any rows the frame has no columns.
    A frame that is collected after a later run replaced its files fails; read it again then. Raises as
    `readable_files`.
    """
    return scan_files(readable_files(published, table, SliceRange(since, until)))


def read_deltas(
    published: PublishedTables, *, since: datetime | None = None, until: datetime | None = None
) -> pl.LazyFrame:
    """The published delta table, as `read_table` reads it."""
    return read_table(published, DELTA, since=since, until=until)


def read_pairs(
    published: PublishedTables, *, since: datetime | None = None, until: datetime | None = None
) -> pl.LazyFrame:
    """The published pair table, as `read_table` reads it, but never without columns."""
    found = readable_files(published, PAIR.name, SliceRange(since, until))
    return scan_files(found) if found.by_run else empty_frame(PAIR.columns).lazy()


def scan_files(found: PublishedFiles) -> pl.LazyFrame:
    """Published files of one table, in one scan: Polars opens the files of a scan only as it reads them."""
    if not found.by_run:
        return pl.LazyFrame()
    options = _storage_options(found.root)
    samples = sorted((min(run, key=_path) for run in found.by_run), key=_path)
    schemas = _schemas(found.root, samples, options)
    columns = {name: dtype for schema in schemas for name, dtype in schema.items()}
    keys = dict.fromkeys(key for file in samples for key in file.partition)
    frame = pl.scan_parquet(
        [f"{found.root}/{file.path}" for file in found.files],
        glob=False,
        # Polars' reading of partition keys takes any `x=y` above the output for one, too.
        hive_partitioning=False,
        schema=columns,
        missing_columns="insert",
        include_file_paths=_FILE,
        storage_options=options,
    )
    path = pl.col(_FILE).str.slice(len(found.root))
    order = dict.fromkeys(
        name
        for schema, file in zip(schemas, samples, strict=True)
        for name in (*schema, *file.partition)
    )
    partition = (path.str.extract(f"/{re.escape(key)}=([^/]*)/").alias(key) for key in keys)
    return frame.with_columns(partition).select(*order)


def count_rows(root: str, path: str) -> int:
    """Count the rows of a Parquet file of an output, by its footer. Raises NdrError where it can't be read."""
    scan = pl.scan_parquet(
        f"{root}/{path}",
        glob=False,
        hive_partitioning=False,
        storage_options=_storage_options(root),
    )
    try:
        return int(scan.select(pl.len()).collect().item())
    except (PolarsError, OSError) as error:
        raise NdrError(f"{root}/{path}: can't be read: {error}") from error


def _path(file: OutputFile) -> str:
    return file.path


def _schemas(
    root: str, files: Sequence[OutputFile], options: dict[str, Any]
) -> list[Mapping[str, pl.DataType]]:
    """The columns of each file, of which only the footer is read. Raises NdrError for one that can't be read."""

    def columns(file: OutputFile) -> Mapping[str, pl.DataType]:
        address = f"{root}/{file.path}"
        scan = pl.scan_parquet(
            address, glob=False, hive_partitioning=False, storage_options=options
        )
        try:
            return scan.collect_schema()
        except (PolarsError, OSError) as error:
            raise NdrError(
                f"{address}: can't be read: {error}; if a run has replaced it just now, read again, "
                "else restore it or run its mini-batch again"
            ) from error

    with ThreadPoolExecutor(_FOOTERS_AT_ONCE) as pool:
        return list(pool.map(columns, files))


def _storage_options(root: str) -> dict[str, Any]:
    """How Polars reaches an output."""
    if not is_s3(root):
        return {}
    # Only who has an output in S3 needs boto3.
    from ndr_adapters.aws.clients import s3_client

    return polars_options(s3_client())
