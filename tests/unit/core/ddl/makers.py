"""Tables to write SQL of."""

from __future__ import annotations

from datetime import date

from ndr_core.ddl.query_table import QueryTable
from ndr_core.publishing.manifest import OutputFile
from ndr_core.tables.columns import ColumnType

S3 = "s3://bucket/OUT"
TODAY = date(2025, 3, 4)
LEVELS = ("feature_spec_version", "dt", "role")
COLUMNS = {
    "host_ip": ColumnType.STRING,
    "sessions_cnt": ColumnType.INT64,
    "drop_ratio": ColumnType.FLOAT64,
    "slice_start_ts": ColumnType.TIMESTAMP,
    "bytes_sent_hist": ColumnType.HISTOGRAM,
}


def file_of(role: str = "inbound", day: str = "2025-03-01", version: str = "v1") -> OutputFile:
    folder = f"feature_spec_version={version}/dt={day}/role={role}"
    return OutputFile(f"delta/{folder}/part-00000-0123456789ab.parquet", 1, 1, "")


def table_of(*files: OutputFile, root: str = S3, minutes: int = 15) -> QueryTable:
    """A table with a column of each type, of these files."""
    levels = LEVELS if files else ()
    in_paths = dict.fromkeys(LEVELS, ColumnType.STRING)
    return QueryTable(root, "delta", COLUMNS | in_paths, levels, files, minutes, TODAY)
