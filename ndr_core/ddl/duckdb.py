"""The SQL of DuckDB: a view of the files that count."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ndr_core.ddl.query_table import QueryTable
from ndr_core.ddl.text import doubled, listed
from ndr_core.tables.columns import ColumnType

TYPES: Final = {
    ColumnType.STRING: "VARCHAR",
    ColumnType.INT64: "BIGINT",
    ColumnType.FLOAT64: "DOUBLE",
    ColumnType.TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
    ColumnType.HISTOGRAM: "STRUCT(bucket BIGINT, count BIGINT)[]",
}

_FILE: Final = "ndr file"
"""Column with a row's file, no name of any column of a table."""


def duckdb(table: QueryTable) -> str:
    """Give the statement that makes a view of a table.

    Its first part has no rows: it gives all columns their order and type, also those that no file has. Levels are
    read from the end of paths: DuckDB's own reading takes any `x=y` above the output for one, too.
    """
    typed = (
        f"CAST(NULL AS {TYPES[kind]}) AS {_name(name)}" for name, kind in table.columns.items()
    )
    parts = [f"  SELECT\n{listed(typed, '    ')}\n  WHERE false"]
    if table.files:
        parts += ["  UNION ALL BY NAME", *_of_files(table)]
    return "\n".join(
        [
            f"CREATE OR REPLACE VIEW {_name(table.name)} AS",
            f"SELECT\n{listed(map(_name, table.columns))}",
            "FROM (",
            *parts,
            ");",
        ]
    )


def _of_files(table: QueryTable) -> Iterator[str]:
    levels = (
        f"substr(split_part({_name(_FILE)}, '/', {table.place(level)}), {len(level) + 2}) AS {_name(level)}"
        for level in table.levels
    )
    files = (doubled(_as_glob(address), "'") for address in table.addresses)
    yield f"  SELECT\n{listed(('*', *levels), '    ')}"
    yield f"  FROM read_parquet([\n{listed(files, '    ')}"
    yield f"  ], union_by_name = true, hive_partitioning = false, filename = '{_FILE}')"


def _name(name: str) -> str:
    return doubled(name, '"')


def _as_glob(address: str) -> str:
    """The pattern that names just this file."""
    return re.sub(r"[*?\[]", r"[\g<0>]", address)
