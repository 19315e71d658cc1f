"""Staged files: Parquet tables in their partitions, rejected records as JSON Lines gzip."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ndr_core.delta import PARTITION_KEYS, QUARANTINE, DeltaPlan
from ndr_core.manifest import TABLES
from ndr_core.measures import ColumnType, OutputColumn

DTYPES: dict[ColumnType, pl.DataType] = {
    ColumnType.STRING: pl.String(),
    ColumnType.INT64: pl.Int64(),
    ColumnType.FLOAT64: pl.Float64(),
    ColumnType.TIMESTAMP: pl.Datetime("us", "UTC"),
    ColumnType.HISTOGRAM: pl.List(pl.Struct({"bucket": pl.Int64, "count": pl.Int64})),
}


def table_sink(rows: pl.LazyFrame, plan: DeltaPlan, staging_root: str, table: str) -> pl.LazyFrame:
    """A query that writes rows in their output form to the partitions of a table."""
    keys = plan.varying_keys
    partitions = pl.PartitionBy(
        Path(staging_root, table, plan.shared_path), key=list(keys), include_key=False
    )
    known = rows.drop([key for key in PARTITION_KEYS if key not in keys])
    sink = known.sink_parquet(partitions, compression="zstd", mkdir=True, lazy=True)
    assert sink is not None
    return sink


def quarantine_sink(rejected: pl.LazyFrame, staging_root: str) -> pl.LazyFrame:
    """A query that writes rejected records."""
    sink = rejected.sink_ndjson(
        f"{staging_root}/{QUARANTINE}/rejected.json.gz", compression="gzip", mkdir=True, lazy=True
    )
    assert sink is not None
    return sink


def fill_empty_partitions(plan: DeltaPlan, staging_root: str) -> None:
    """Write a file without rows to each folder that is due and has none."""
    for name, columns in plan.due_folders():
        folder = Path(staging_root, name)
        if not folder.exists():
            empty = pl.DataFrame(schema=schema_of(columns))
            empty.write_parquet(folder / "empty.parquet", mkdir=True)


def staged_rows(staging_root: str) -> dict[str, int]:
    """Staged files of the tables, below the root -> rows."""
    root = Path(staging_root)
    return {
        str(path.relative_to(root)): pl.scan_parquet(path, glob=False)
        .select(pl.len())
        .collect()
        .item()
        for table in TABLES
        for path in sorted((root / table).rglob("*.parquet"))
    }


def schema_of(columns: tuple[OutputColumn, ...]) -> dict[str, pl.DataType]:
    """Polars types of output columns."""
    return {column.name: DTYPES[column.type] for column in columns}
