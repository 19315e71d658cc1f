"""The reference engine: `ndr_core.deltas.reference` with its rows written as the Polars engine writes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import polars as pl
from attrs import asdict, field, frozen

from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.parquet_files import read_rows
from ndr_adapters.polars.write import (
    REJECTED,
    StagingRoot,
    staged_rows,
    write_quarantine,
    write_table,
)
from ndr_adapters.reference.frames import plain_frame
from ndr_core.deltas.engine import EngineResult
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.deltas.reference import tables_of
from ndr_core.flows.raw_record import Blank, Malformed, RawRecord
from ndr_core.flows.records import records_of
from ndr_core.flows.source import InputBatch, InputFile, naming
from ndr_core.quality.repairs import EARLY, LATE

_QUARANTINE_SCHEMA = {
    "rule": pl.String(),
    "detail": pl.String(),
    "field": pl.String(),
    "raw": pl.String(),
    "object": pl.String(),
}


@frozen
class ReferenceEngine:
    """Builds deltas in plain Python: all records in memory, some thousand per second."""

    name: ClassVar[str] = "reference"
    reading_share: ClassVar[float] = 0.1
    storage_options: dict[str, Any] = field(factory=dict)

    def unfit_files(self, batch: InputBatch) -> Mapping[InputFile, str]:
        del batch  # it reads what the source reads
        return {}

    def build(self, plan: DeltaPlan, batch: InputBatch, staging_root: str) -> EngineResult:
        staging = StagingRoot(staging_root, self.storage_options)
        tables = tables_of(_records(plan, batch), plan)
        rejected = pl.LazyFrame([asdict(item) for item in tables.quarantine], _QUARANTINE_SCHEMA)
        sinks = [
            write_table(plain_frame(tables.deltas, plan.delta), plan.delta, staging),
            write_table(plain_frame(tables.pairs, plan.pair), plan.pair, staging),
            write_quarantine(rejected, staging),
        ]
        with full_disk_named(staging_root):
            for sink in sinks:  # of several at once, one that fails would leave others writing
                sink.collect(engine="streaming")
            rows = staged_rows(plan.tables, staging)
        report = tables.report
        return EngineResult(
            rows,
            report.kept,
            Counter(item.label for item in tables.quarantine),
            {**report.repaired, LATE: report.late, EARLY: report.early},
            report.blank_lines,
            {REJECTED: len(tables.quarantine)},
            report.skipped,
            report.examples,
            report.unknown,
            report.flow_counts,
        )


def _records(plan: DeltaPlan, batch: InputBatch) -> Iterator[Blank | Malformed | RawRecord]:
    for file in batch.files:
        with naming(file):
            yield from records_of(batch.read_blocks(file), plan.input, read_rows)
