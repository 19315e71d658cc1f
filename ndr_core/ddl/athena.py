"""The SQL of Athena: an external table whose partitions are projected, so that no catalogue has to list them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from ndr_core.ddl.query_table import QueryTable
from ndr_core.ddl.text import backslashed, backticked, listed
from ndr_core.deltas.roles import ROLES
from ndr_core.errors import NdrError, UsageError, shown
from ndr_core.tables.columns import ColumnType
from ndr_core.windows.calendar import TimeBand

TYPES: Final = {
    ColumnType.STRING: "string",
    ColumnType.INT64: "bigint",
    ColumnType.FLOAT64: "double",
    ColumnType.TIMESTAMP: "timestamp",
    ColumnType.HISTOGRAM: "array<struct<bucket:bigint,count:bigint>>",
}

_KNOWN: Final = {"role": tuple(ROLES), "time_band": tuple(band.value for band in TimeBand)}
"""Level -> values that it may have later, too."""


def athena(table: QueryTable) -> str:
    """Give the statement that makes a table; a comment where it holds no rows yet.

    Raises UsageError for an output in a folder, and NdrError for a partition that Athena can't project.
    """
    if not table.in_s3:
        raise UsageError(
            f"athena: reads S3 only, and {shown(table.root)} is a folder; give s3://BUCKET/PREFIX"
        )
    if not table.files:
        return f"-- {shown(table.name)}: holds no rows yet; print this again when it does"
    columns = (_column(name, kind) for name, kind in table.file_columns.items())
    levels = (_column(level, ColumnType.STRING) for level in table.levels)
    properties = {"projection.enabled": "true"}
    for level in table.levels:
        for key, value in _projection(table, level):
            properties[f"projection.{level}.{key}"] = value
    return "\n".join(
        [
            f"CREATE EXTERNAL TABLE {backticked(table.name)} (",
            listed(columns),
            ")",
            f"PARTITIONED BY ({', '.join(levels)})",
            "STORED AS PARQUET",
            f"LOCATION {backslashed(table.folder + '/')}",
            "TBLPROPERTIES (",
            listed(
                f"{backslashed(key)} = {backslashed(value)}" for key, value in properties.items()
            ),
            ");",
        ]
    )


def _column(name: str, kind: ColumnType) -> str:
    return f"{backticked(name)} {TYPES[kind]}"


def _projection(table: QueryTable, level: str) -> Iterator[tuple[str, str]]:
    """How Athena makes up the values of a level."""
    match level:
        case "dt":
            yield "type", "date"
            yield "format", "yyyy-MM-dd"
            yield "range", _days(table)
            yield "interval", "1"
            yield "interval.unit", "DAYS"
        case "hh":
            yield from _integers(23, 1)
        case "mm":
            yield from _integers(59, table.slice_minutes)
        case _:
            yield "type", "enum"
            yield "values", ",".join(_values(table, level))


def _integers(last: int, step: int) -> Iterator[tuple[str, str]]:
    yield "type", "integer"
    yield "range", f"0,{last}"
    yield "interval", str(step)
    yield "digits", "2"


def _days(table: QueryTable) -> str:
    """From the first day that there is to the day after a query's, and as far as there are later ones by now."""
    days = table.values("dt")
    ahead = (date.fromisoformat(days[-1]) - table.today).days
    return f"{days[0]},NOW+{max(ahead, 0) + 1}DAYS"


def _values(table: QueryTable, level: str) -> list[str]:
    """The values that there are, and those that may come."""
    found = table.values(level)
    for value in found:
        if "," in value:
            raise NdrError(
                f"{table.folder}: Athena can't project {level}={shown(value)}, which has a comma; "
                "use another engine"
            )
    return sorted({*found, *_KNOWN.get(level, ())})
