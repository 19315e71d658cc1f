"""The Polars engine: one streaming query reads every line once and feeds all outputs."""

from __future__ import annotations

import polars as pl
from attrs import frozen
from polars.exceptions import ComputeError

from ndr_adapters.polars import aggregate, quality
from ndr_adapters.polars.lines import decode_lines, scan_lines
from ndr_adapters.polars.parse import BLANK, parse_lines
from ndr_adapters.polars.write import (
    fill_empty_partitions,
    quarantine_sink,
    staged_rows,
    table_sink,
)
from ndr_core.delta import DELTA_TABLE, PAIR_TABLE, DeltaPlan, overflow_place
from ndr_core.errors import EngineReadError, OverflowingColumnError
from ndr_core.ports import EngineResult, InputBatch
from ndr_core.quality import REPAIR_RULES


@frozen
class PolarsEngine:
    """Builds deltas on one machine, streaming; the same rows as every other engine."""

    name: str = "polars"

    def build(self, plan: DeltaPlan, batch: InputBatch, staging_root: str) -> EngineResult:
        try:
            try:
                return self._build(plan, batch, staging_root, scan_lines(batch))
            except ComputeError as error:
                if "utf8" not in str(error):
                    raise
            return self._build(plan, batch, staging_root, decode_lines(batch))
        except (ComputeError, OSError) as error:
            raise EngineReadError(f"polars: {error}") from error

    def _build(
        self, plan: DeltaPlan, batch: InputBatch, staging_root: str, lines: pl.LazyFrame
    ) -> EngineResult:
        # Without the cache each output would parse anew: the optimizer shares no more than the scan.
        judged = quality.judge(parse_lines(lines, plan.spec, batch.key_orders), plan).cache()
        views = aggregate.role_views(quality.repaired(judged), plan)
        pairs = aggregate.pair_table(views)
        keys = list(plan.cell_aggregates)
        frames = [
            quality.counts(judged),
            aggregate.host_sums(views, plan),
            *(aggregate.histogram_cells(views, item) for item in plan.distributions),
            *(aggregate.peer_cells(pairs, key, plan) for key in keys),
            table_sink(aggregate.pair_rows(pairs, plan), plan, staging_root, PAIR_TABLE),
            quarantine_sink(quality.quarantine(judged), staging_root),
        ]
        counts, sums, *rest = pl.collect_all(frames, engine="streaming")
        _refuse_overflow(sums)
        cells = rest[: len(plan.distributions)]
        hosts = aggregate.number_hosts(sums)
        histograms = [
            column
            for part, item in zip(cells, plan.distributions, strict=True)
            for column in aggregate.finish_histogram(part, hosts, item)
        ]
        peers = rest[len(plan.distributions) : len(plan.distributions) + len(keys)]
        deltas = aggregate.finish_deltas(hosts, histograms, peers, plan)
        table_sink(deltas.lazy(), plan, staging_root, DELTA_TABLE).collect()
        fill_empty_partitions(plan, staging_root)
        return _result(counts, staged_rows(staging_root))


def _refuse_overflow(sums: pl.DataFrame) -> None:
    for column in sums.columns[len(aggregate.HOST) :]:
        overflowing = sums.filter(pl.col(column).is_null()).sort(aggregate.HOST)
        if not overflowing.is_empty():
            start, role, host = overflowing.row(0)[:3]
            raise OverflowingColumnError(column, overflow_place(start, role, host))


def _result(counts: pl.DataFrame, rows: dict[str, int]) -> EngineResult:
    kept_rows = pl.col("rule").is_null() & (pl.col("outcome") != BLANK)
    kept = counts.filter(kept_rows)
    rejected = counts.filter(pl.col("rule").is_not_null()).group_by("rule").agg(pl.sum("records"))
    return EngineResult(
        rows=rows,
        kept=int(kept["records"].sum()),
        rejected=dict(rejected.iter_rows()),
        repaired={repair.name: int(kept[f"repair:{repair.name}"].sum()) for repair in REPAIR_RULES},
        blank_lines=int(counts.filter(outcome=BLANK)["records"].sum()),
    )
