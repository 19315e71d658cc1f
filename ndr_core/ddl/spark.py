"""The SQL of Spark: a table over the folder of a table."""

from __future__ import annotations

from typing import Final

from ndr_core.ddl.query_table import QueryTable
from ndr_core.ddl.text import backslashed, backticked, listed
from ndr_core.errors import shown
from ndr_core.tables.columns import ColumnType

TYPES: Final = {
    ColumnType.STRING: "STRING",
    ColumnType.INT64: "BIGINT",
    ColumnType.FLOAT64: "DOUBLE",
    ColumnType.TIMESTAMP: "TIMESTAMP",
    ColumnType.HISTOGRAM: "ARRAY<STRUCT<bucket: BIGINT, count: BIGINT>>",
}


def spark(table: QueryTable) -> str:
    """Give the statements that make a table and find its partitions; a comment where it holds no rows yet."""
    if not table.files:
        return f"-- {shown(table.name)}: holds no rows yet; print this again when it does"
    name = backticked(table.name)
    columns = (f"{backticked(column)} {TYPES[kind]}" for column, kind in table.columns.items())
    return "\n".join(
        [
            f"CREATE TABLE {name} (",
            listed(columns),
            ")",
            "USING parquet",
            f"PARTITIONED BY ({', '.join(map(backticked, table.levels))})",
            f"LOCATION {_text(_address(table))};",
            f"MSCK REPAIR TABLE {name} SYNC PARTITIONS;",
        ]
    )


def _address(table: QueryTable) -> str:
    """The folder as Hadoop's file systems name it: S3 is reached through the S3A connector."""
    if table.in_s3:
        return f"s3a://{table.folder.partition('://')[2]}"
    return f"file://{table.folder}"


def _text(text: str) -> str:
    """A text in which Spark replaces no `${..}`."""
    return backslashed(text).replace("$", "\\u0024")
