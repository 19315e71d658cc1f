"""The Spark engine: the delta builder's chain of Polars kernels, spread over the cores of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import polars as pl
from attrs import field, frozen

from ndr_adapters.polars.outcome import engine_result, no_counts, no_unknown_values
from ndr_adapters.polars.overflow import refuse_overflow
from ndr_adapters.polars.write import StagingRoot
from ndr_adapters.spark.fanout.chain import ChainRunner
from ndr_adapters.spark.fanout.deltas import (
    COUNTS,
    FLOWS,
    OVERFLOW,
    REJECTED_FILES,
    UNKNOWN,
    delta_chain,
)
from ndr_adapters.spark.fanout.shares import Shares, cut
from ndr_adapters.spark.fanout.staged import files_of
from ndr_core.deltas.engine import EngineResult
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.source import InputBatch, InputFile
from ndr_core.quality.report import FlowCounts


@frozen
class FanoutEngine:
    """Builds deltas by a chain of Polars kernels, in tasks.

    `storage_options`: how Polars reaches S3, where the output lies there.
    """

    name: ClassVar[str] = "spark"
    reading_share: ClassVar[float] = 0.6
    runner: ChainRunner
    storage_options: dict[str, Any] = field(factory=dict)
    cut: Callable[[InputBatch, int], Shares] = cut
    """Cuts a batch into tasks for some cores. How it is cut never changes what is built."""

    def unfit_files(self, batch: InputBatch) -> Mapping[InputFile, str]:
        del batch  # it reads what the source reads
        return {}

    def build(self, plan: DeltaPlan, batch: InputBatch, staging_root: str) -> EngineResult:
        staging = StagingRoot(staging_root, self.storage_options)
        chain = delta_chain(plan, batch, staging, self.cut(batch, self.runner.cores))
        results = self.runner.run(chain, batch.meter)
        if OVERFLOW in results:
            refuse_overflow(results[OVERFLOW], plan)
        rows = files_of(results)
        rejected = files_of(results, REJECTED_FILES)
        counts = results.get(COUNTS, no_counts())
        unknown = results.get(UNKNOWN, no_unknown_values())
        flows = None if plan.pairing is None else _flows(results)
        return engine_result(counts, unknown, rows, rejected, flows)


def _flows(results: Mapping[str, pl.DataFrame]) -> FlowCounts:
    """What the records of all shares became; there is no share without records."""
    parts = results[FLOWS].iter_rows() if FLOWS in results else ()
    return FlowCounts.total(FlowCounts(*part) for part in parts)
