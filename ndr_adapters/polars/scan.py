"""Live files of a table as one frame, each column where a file has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import polars as pl
from attrs import field, frozen
from polars.exceptions import PolarsError

from ndr_adapters.aws.places import client_for
from ndr_adapters.polars.s3 import polars_options
from ndr_adapters.polars.write import DTYPES, schema_of
from ndr_core.errors import NdrError
from ndr_core.publishing.manifest import OutputFile
from ndr_core.publishing.published import PublishedFiles
from ndr_core.tables.columns import ColumnType
from ndr_core.tables.parquet import format_problem
from ndr_core.tables.table import Table

_FILE: Final = "ndr file"
"""Column with a row's file, no name of any column of a table."""


@frozen
class Scanner:
    """Reads files of one table in scans that all have the same columns."""

    root: str
    columns: Mapping[str, pl.DataType]
    """What the files hold; some may lack some of it."""
    partition: tuple[str, ...]
    """What their paths spell."""
    names: tuple[str, ...]
    """All of these, in the order in which readers see them."""
    options: Mapping[str, Any] = field(factory=dict)

    @classmethod
    def of(cls, found: PublishedFiles) -> Scanner:
        """Take the columns that the manifests of the files name: only their samples need to be opened.

        Raises NdrError for a file of a format that this version does not know.
        """
        for file in found.samples:
            check_format(found.root, file.path)
        known = {name: DTYPES[ColumnType(kind)] for name, kind in found.columns.items()}
        partition = dict.fromkeys(key for run in found.by_run for key in run[0].partition)
        columns = {name: dtype for name, dtype in known.items() if name not in partition}
        names = (*columns, *partition)
        return cls(found.root, columns, tuple(partition), names, _storage_options(found.root))

    @classmethod
    def of_table(cls, root: str, table: Table) -> Scanner:
        """Take the columns of a table that is the same in all runs, of which no file needs to be opened."""
        names = tuple(column.name for column in table.columns)
        columns = schema_of(table.file_columns)
        return cls(root, columns, table.levels, names, _storage_options(root))

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """The columns that a scan has, in order."""
        return {name: self.columns.get(name, pl.String()) for name in self.names}

    def no_rows(self) -> pl.LazyFrame:
        """Give a frame of these columns without rows."""
        return pl.LazyFrame(schema=self.schema)

    def scan(self, files: Iterable[OutputFile]) -> pl.LazyFrame:
        """Give the rows of files in one scan: Polars opens the files of a scan only as it reads them."""
        addresses = [f"{self.root}/{file.path}" for file in files]
        if not addresses:
            return pl.LazyFrame(schema=self.schema)
        frame = pl.scan_parquet(
            addresses,
            glob=False,
            # Polars' reading of partition keys takes any `x=y` above the output for one, too.
            hive_partitioning=False,
            schema=self.columns,
            missing_columns="insert",
            extra_columns="ignore",
            include_file_paths=_FILE,
            storage_options=dict(self.options),
        )
        path = pl.col(_FILE).str.slice(len(self.root))
        partition = (
            path.str.extract(f"/{re.escape(key)}=([^/]*)/").alias(key) for key in self.partition
        )
        return frame.with_columns(partition).select(self.names)


def count_rows(root: str, path: str) -> int:
    """Count the rows of a Parquet file of an output, by its footer. Raises NdrError where it can't be read."""
    check_format(root, path)
    try:
        return int(_scan(root, path).select(pl.len()).collect().item())
    except (PolarsError, OSError) as error:
        raise NdrError(f"{root}/{path}: can't be read: {error}") from error


def check_format(root: str, path: str) -> None:
    """Raise NdrError where a file can't be read, or is of a format that this version does not know."""
    try:
        metadata = pl.read_parquet_metadata(
            f"{root}/{path}", storage_options=_storage_options(root) or None
        )
    except (PolarsError, OSError) as error:
        raise NdrError(f"{root}/{path}: can't be read: {error}") from error
    problem = format_problem(metadata)
    if problem is not None:
        raise NdrError(f"{root}/{path}: {problem}")


def columns_of(root: str, path: str) -> dict[str, str]:
    """Give the columns of a Parquet file of an output and their types, what its path spells included.

    Raises NdrError where it can't be read, or has a column of a type that no table has.
    """
    types = {dtype: kind.value for kind, dtype in DTYPES.items()}
    try:
        schema = _scan(root, path).collect_schema()
        known = {name: types[dtype] for name, dtype in schema.items()}
    except (PolarsError, OSError, KeyError) as error:
        raise NdrError(f"{root}/{path}: can't be read: {error}") from error
    levels = (level.partition("=")[0] for level in path.split("/")[1:-1])
    return known | dict.fromkeys(levels, ColumnType.STRING.value)


def _scan(root: str, path: str) -> pl.LazyFrame:
    """One file as it is, without what its path spells."""
    return pl.scan_parquet(
        f"{root}/{path}",
        glob=False,
        hive_partitioning=False,
        storage_options=_storage_options(root),
    )


def _storage_options(root: str) -> dict[str, Any]:
    """How Polars reaches an output."""
    return polars_options(client_for(root))
