"""The SQL of ClickHouse: a view of the files that count."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ndr_core.ddl.query_table import QueryTable
from ndr_core.ddl.text import backslashed, listed
from ndr_core.tables.columns import ColumnType

TYPES: Final = {
    ColumnType.STRING: "Nullable(String)",
    ColumnType.INT64: "Nullable(Int64)",
    ColumnType.FLOAT64: "Nullable(Float64)",
    ColumnType.TIMESTAMP: "Nullable(DateTime64(6, 'UTC'))",
    ColumnType.HISTOGRAM: "Array(Tuple(bucket Int64, count Int64))",
}
"""A list can't be null in ClickHouse: one that is null has no elements there."""

_QUERY_BYTES: Final = 262_144
"""ClickHouse refuses a longer statement where nothing else is set."""


def clickhouse(table: QueryTable) -> str:
    """Give the statements that make a view of a table, in place of a view of this name, but not of a table.

    Files are named by their paths, of which the pattern only has to find all. Levels are read from the end of paths.
    """
    name = _name(table.name)
    statement = f"CREATE VIEW {name} AS\n{_select(table)};"
    size = len(statement.encode())
    longer = f"SET max_query_size = {2 * size};\n" if size > _QUERY_BYTES else ""
    return f"{longer}DROP VIEW IF EXISTS {name};\n{statement}"


def _select(table: QueryTable) -> str:
    if not table.files:
        return "\n".join(["SELECT *", f"FROM null({_structure(table.columns)})"])
    levels = (
        f"substring(splitByChar('/', _path)[{table.place(level)}], {len(level) + 2}) AS {_name(level)}"
        for level in table.levels
    )
    columns = (*map(_name, table.file_columns), *levels)
    # In the column `_path` there is no scheme.
    paths = (backslashed(address.removeprefix("s3://")) for address in table.addresses)
    found = f"{_as_glob(table.folder)}/**/*.parquet"
    return "\n".join(
        [
            f"SELECT\n{listed(columns)}",
            f"FROM {'s3' if table.in_s3 else 'file'}({backslashed(found)}, 'Parquet',",
            f"  {_structure(table.file_columns)})",
            f"WHERE _path IN (\n{listed(paths)}",
            ")",
            "SETTINGS use_hive_partitioning = 0",
        ]
    )


def _structure(columns: Mapping[str, ColumnType]) -> str:
    """Columns as table functions take them: a text."""
    return backslashed(", ".join(f"{_name(name)} {TYPES[kind]}" for name, kind in columns.items()))


def _name(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def _as_glob(address: str) -> str:
    """A pattern that finds this folder: ClickHouse has no escape, so that `?` stands for what may have a meaning."""
    return re.sub(r"[^\w\s/.:=-]", "?", address)
