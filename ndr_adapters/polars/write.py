"""Staged files: Parquet tables in their partitions, rejected records as JSON Lines gzip."""

from __future__ import annotations

import glob
from typing import Any

import polars as pl
from attrs import field, frozen

from ndr_core.delta import (
    DELTA_TABLE,
    PAIR_COLUMNS,
    PAIR_TABLE,
    PARTITION_KEYS,
    QUARANTINE,
    DeltaPlan,
)
from ndr_core.measures import ColumnType, OutputColumn

DTYPES: dict[ColumnType, pl.DataType] = {
    ColumnType.STRING: pl.String(),
    ColumnType.INT64: pl.Int64(),
    ColumnType.FLOAT64: pl.Float64(),
    ColumnType.TIMESTAMP: pl.Datetime("us", "UTC"),
    ColumnType.HISTOGRAM: pl.List(pl.Struct({"bucket": pl.Int64, "count": pl.Int64})),
}


@frozen
class Place:
    """A folder, or a prefix in S3, to write staged files to."""

    root: str
    storage_options: dict[str, Any] = field(factory=dict)

    def table_sink(self, rows: pl.LazyFrame, plan: DeltaPlan, table: str) -> pl.LazyFrame:
        """A query that writes rows in their output form to the partitions of a table."""
        keys = plan.varying_keys
        path = f"{self.root}/{table}/{plan.shared_path}".rstrip("/")
        partitions = pl.PartitionBy(path, key=list(keys), include_key=False)
        known = rows.drop([key for key in PARTITION_KEYS if key not in keys])
        sink = known.sink_parquet(
            partitions,
            compression="zstd",
            mkdir=True,
            lazy=True,
            storage_options=self.storage_options,
        )
        assert sink is not None
        return sink

    def quarantine_sink(self, rejected: pl.LazyFrame) -> pl.LazyFrame:
        """A query that writes rejected records."""
        sink = rejected.sink_ndjson(
            f"{self.root}/{QUARANTINE}/rejected.json.gz",
            compression="gzip",
            mkdir=True,
            lazy=True,
            storage_options=self.storage_options,
        )
        assert sink is not None
        return sink

    def finish(self, plan: DeltaPlan) -> dict[str, int]:
        """Staged files of the tables, below the root -> rows.

        Each folder that is due and has none gets a file without rows.
        """
        found = {
            name: rows
            for table, columns in ((DELTA_TABLE, plan.delta_columns), (PAIR_TABLE, PAIR_COLUMNS))
            for name, rows in self._rows(table, columns).items()
        }
        filled = {name.rpartition("/")[0] for name in found}
        for folder, columns in plan.due_folders():
            if folder not in filled:
                name = f"{folder}/empty.parquet"
                empty = pl.DataFrame(schema=schema_of(columns))
                empty.write_parquet(
                    f"{self.root}/{name}", mkdir=True, storage_options=self.storage_options
                )
                found[name] = 0
        return found

    def _rows(self, table: str, columns: tuple[OutputColumn, ...]) -> dict[str, int]:
        written = tuple(column for column in columns if column.name not in PARTITION_KEYS)
        counts = (
            pl.scan_parquet(
                f"{glob.escape(self.root)}/{table}/**/*.parquet",
                schema=schema_of(written),
                hive_partitioning=False,
                include_file_paths="file",
                storage_options=self.storage_options,
            )
            .group_by("file")
            .len()
            .collect()
        )
        return {file[len(self.root) + 1 :]: rows for file, rows in counts.iter_rows()}


def schema_of(columns: tuple[OutputColumn, ...]) -> dict[str, pl.DataType]:
    """Polars types of output columns."""
    return {column.name: DTYPES[column.type] for column in columns}
