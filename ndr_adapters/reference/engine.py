"""The reference engine: `ndr_core.reference` with its rows written as the Polars engine writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from attrs import asdict, frozen

from ndr_adapters.polars.write import (
    fill_empty_partitions,
    quarantine_sink,
    schema_of,
    staged_rows,
    table_sink,
)
from ndr_core.delta import DELTA_TABLE, PAIR_COLUMNS, PAIR_TABLE, DeltaPlan
from ndr_core.measures import ColumnType, OutputColumn
from ndr_core.ports import EngineResult, InputBatch
from ndr_core.reference import build_tables

_QUARANTINE_SCHEMA = {"rule": pl.String(), "field": pl.String(), "raw": pl.String()}


@frozen
class ReferenceEngine:
    """Builds deltas in plain Python: all records in memory, some thousand per second."""

    name: str = "reference"

    def build(self, plan: DeltaPlan, batch: InputBatch, staging_root: str) -> EngineResult:
        lines = (line for file in batch.files for line in batch.read_lines(file))
        tables = build_tables(lines, plan)
        rejected = pl.LazyFrame([asdict(item) for item in tables.quarantine], _QUARANTINE_SCHEMA)
        sinks = [
            table_sink(_frame(tables.deltas, plan.delta_columns), plan, staging_root, DELTA_TABLE),
            table_sink(_frame(tables.pairs, PAIR_COLUMNS), plan, staging_root, PAIR_TABLE),
            quarantine_sink(rejected, staging_root),
        ]
        pl.collect_all(sinks)
        fill_empty_partitions(plan, staging_root)
        report = tables.report
        return EngineResult(
            staged_rows(staging_root),
            report.kept,
            report.rejected,
            report.repaired,
            report.blank_lines,
        )


def _frame(rows: Sequence[Mapping[str, Any]], columns: tuple[OutputColumn, ...]) -> pl.LazyFrame:
    """Plain rows, whose times are us since 1970 and whose histograms are tuples of pairs, as a frame."""
    series = {}
    for column in columns:
        values = [row[column.name] for row in rows]
        if column.type is ColumnType.HISTOGRAM:
            values = [
                [{"bucket": bucket, "count": count} for bucket, count in cells] for cells in values
            ]
        dtype = schema_of((column,))[column.name]
        if column.type is ColumnType.TIMESTAMP:
            series[column.name] = pl.Series(values, dtype=pl.Int64).cast(dtype)
        else:
            series[column.name] = pl.Series(values, dtype=dtype)
    return pl.LazyFrame(series)
