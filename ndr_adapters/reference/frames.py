"""Rows of the core's references as frames, to be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from ndr_adapters.polars.write import schema_of
from ndr_core.tables.columns import ColumnType
from ndr_core.tables.table import Table


def plain_frame(rows: Sequence[Mapping[str, Any]], table: Table) -> pl.LazyFrame:
    """Give plain rows, whose times are us since 1970 and whose histograms are tuples of pairs, as a frame."""
    series = {}
    for column in table.columns:
        values = [row[column.name] for row in rows]
        if column.type is ColumnType.HISTOGRAM:
            values = [
                None
                if cells is None
                else [{"bucket": bucket, "count": count} for bucket, count in cells]
                for cells in values
            ]
        dtype = schema_of((column,))[column.name]
        if column.type is ColumnType.TIMESTAMP:
            series[column.name] = pl.Series(values, dtype=pl.Int64).cast(dtype)
        else:
            series[column.name] = pl.Series(values, dtype=dtype)
    return pl.LazyFrame(series)
