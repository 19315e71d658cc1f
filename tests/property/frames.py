"""Rows of the reference as Polars frames, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from ndr_adapters.polars.write import schema_of
from ndr_core.tables.columns import ColumnType, OutputColumn
from ndr_core.tables.merge import Row


def frame_of(rows: Iterable[Mapping[str, Any]], columns: Sequence[OutputColumn]) -> pl.DataFrame:
    """Rows of the reference as a reader gives them."""
    plain = [{column.name: _held(column, row[column.name]) for column in columns} for row in rows]
    return pl.DataFrame(plain, schema=schema_of(columns), orient="row")


def _held(column: OutputColumn, value: Any) -> Any:
    if column.type is ColumnType.HISTOGRAM and value is not None:
        return [{"bucket": bucket, "count": count} for bucket, count in value]
    return value


def rows_of(frame: pl.DataFrame, columns: Sequence[OutputColumn], keys: Sequence[str]) -> list[Row]:
    """Rows of a frame, sorted by keys, in the values of the reference."""
    expected = schema_of(columns)
    assert {name: frame.schema[name] for name in expected} == expected
    return [
        {column.name: column.plain(row[column.name]) for column in columns}
        for row in frame.sort(keys).to_dicts()
    ]


def exactly(rows: Iterable[Row]) -> list[str]:
    """Rows to compare by their values and types, floats to the last bit."""
    return [repr(sorted(row.items())) for row in rows]
