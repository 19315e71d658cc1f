"""Staged files: Parquet tables in their partitions, rejected records as JSON Lines gzip."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import polars as pl
from attrs import evolve, field, frozen

from ndr_core.quality.quarantine import QUARANTINE
from ndr_core.tables.columns import ColumnType, OutputColumn
from ndr_core.tables.parquet import FORMAT_METADATA
from ndr_core.tables.table import Table

DTYPES: dict[ColumnType, pl.DataType] = {
    ColumnType.STRING: pl.String(),
    ColumnType.INT64: pl.Int64(),
    ColumnType.FLOAT64: pl.Float64(),
    ColumnType.TIMESTAMP: pl.Datetime("us", "UTC"),
    ColumnType.HISTOGRAM: pl.List(pl.Struct({"bucket": pl.Int64, "count": pl.Int64})),
}

_ZSTD_LEVEL: Final = 1
"""Others take a fifth more time to write a table, whose size they change by few per cent, up or down."""

HOSTS_PER_GROUP: Final = 1 << 13
"""Rows of the delta table: the histograms of a busy host take 32 KiB, and one group of each file is in memory."""


@frozen
class StagingRoot:
    """A folder, or a prefix in S3, below which files are staged."""

    address: str
    storage_options: dict[str, Any] = field(factory=dict)


def write_table(
    rows: pl.LazyFrame, table: Table, staging: StagingRoot, rows_per_group: int | None = None
) -> pl.LazyFrame:
    """Give a query that writes rows, in the columns of a table, to its folders.

    `rows_per_group`: of each file; None leaves it to Polars.
    """
    path = f"{staging.address}/{table.name}"
    partitions = pl.PartitionBy(path, key=list(table.levels), include_key=False)
    sink = rows.sink_parquet(
        partitions,
        compression="zstd",
        compression_level=_ZSTD_LEVEL,
        row_group_size=rows_per_group,
        mkdir=True,
        lazy=True,
        metadata=dict(FORMAT_METADATA),
        storage_options=staging.storage_options,
    )
    assert sink is not None
    return sink


REJECTED: Final = f"{QUARANTINE}/rejected.json.gz"
"""The file of rejected records, below a staging root."""


@frozen
class FileLayout:
    """How files are cut, and how much work it is to make them small; None leaves it to Polars."""

    rows_per_group: int | None = None
    page_bytes: int | None = None
    zstd_level: int | None = None


DEFAULT_LAYOUT: Final = FileLayout()

HISTOGRAMS: Final = FileLayout(1 << 16, 1 << 19, _ZSTD_LEVEL)
"""Of tables that are nearly all histograms: who reads some of the hosts, reads few more. Baselines of a month are
a fifteenth smaller with such pages than with larger ones."""

SUMMARIES: Final = evolve(HISTOGRAMS, rows_per_group=1 << 18, page_bytes=4 << 20)
"""Of histograms that are read but twice, as a date comes in and goes: larger groups and pages are a hundredth smaller.
"""


def write_named(
    rows: pl.DataFrame,
    table: Table,
    staging: StagingRoot,
    name: str,
    layout: FileLayout = DEFAULT_LAYOUT,
) -> dict[str, int]:
    """Write rows, in the columns of a table, to one file of this name in each of its folders.

    Gives the files, below the root, and their rows.
    """
    found = {}
    for values, part in _by_folder(rows, table.levels):
        folders = [f"{level}={value}" for level, value in zip(table.levels, values, strict=True)]
        path = "/".join((table.name, *folders, f"{name}.parquet"))
        part.write_parquet(
            f"{staging.address}/{path}",
            compression="zstd",
            compression_level=layout.zstd_level,
            row_group_size=layout.rows_per_group,
            data_page_size=layout.page_bytes,
            mkdir=True,
            metadata=dict(FORMAT_METADATA),
            storage_options=staging.storage_options,
        )
        found[path] = part.height
    return found


def _by_folder(
    rows: pl.DataFrame, levels: Sequence[str]
) -> Iterator[tuple[tuple[object, ...], pl.DataFrame]]:
    """The values of a folder's levels, and the rows of it without these."""
    if rows.height and all(rows.get_column(level).n_unique() == 1 for level in levels):
        # Of one folder: nothing is copied.
        yield rows.select(levels).row(0), rows.drop(levels)
    else:
        yield from rows.partition_by(levels, as_dict=True, include_key=False).items()


def write_quarantine(
    rejected: pl.LazyFrame, staging: StagingRoot, name: str = REJECTED
) -> pl.LazyFrame:
    """Give a query that writes rejected records to a file of this name below the staging root."""
    sink = rejected.sink_ndjson(
        f"{staging.address}/{name}",
        compression="gzip",
        mkdir=True,
        lazy=True,
        storage_options=staging.storage_options,
    )
    assert sink is not None
    return sink


def staged_rows(tables: Iterable[Table], staging: StagingRoot) -> dict[str, int]:
    """Count the rows of the tables' staged files: file, below the root -> rows."""
    return {name: rows for table in tables for name, rows in _rows_of(staging, table).items()}


def _rows_of(staging: StagingRoot, table: Table) -> dict[str, int]:
    counts = (
        pl.scan_parquet(
            f"{glob.escape(staging.address)}/{table.name}/**/*.parquet",
            schema=schema_of(table.file_columns),
            hive_partitioning=False,
            include_file_paths="file",
            storage_options=staging.storage_options,
        )
        .group_by("file")
        .len()
        .collect()
    )
    return {file[len(staging.address) + 1 :]: rows for file, rows in counts.iter_rows()}


def empty_frame(columns: Iterable[OutputColumn]) -> pl.DataFrame:
    """No rows of these columns."""
    return pl.DataFrame(schema=schema_of(columns))


def schema_of(columns: Iterable[OutputColumn]) -> dict[str, pl.DataType]:
    """Polars types of output columns."""
    return {column.name: DTYPES[column.type] for column in columns}
