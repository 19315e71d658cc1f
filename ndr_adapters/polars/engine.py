"""The Polars engine: lines are read once, streaming, into a file that feeds all outputs."""

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
        judged = _spooled(
            quality.judge(parse_lines(lines, plan.spec, batch.key_orders), plan),
            f"{staging_root}/records.parquet",
        )
        views = aggregate.role_views(quality.repaired(judged), plan)
        sums = _streamed(aggregate.host_sums(views, plan))
        _refuse_overflow(sums)
        hosts = aggregate.number_hosts(sums)
        histograms = [
            column
            for item in plan.distributions
            for column in aggregate.finish_histogram(
                _streamed(aggregate.histogram_cells(views, item)), hosts, item
            )
        ]
        pairs = _spooled(aggregate.pair_table(views), f"{staging_root}/pairs.parquet")
        peers = [_streamed(aggregate.peer_cells(pairs, key, plan)) for key in plan.cell_aggregates]
        _streamed(table_sink(aggregate.pair_rows(pairs, plan), plan, staging_root, PAIR_TABLE))
        _streamed(quarantine_sink(quality.quarantine(judged), staging_root))
        deltas = aggregate.finish_deltas(hosts, histograms, peers, plan)
        _streamed(table_sink(deltas.lazy(), plan, staging_root, DELTA_TABLE))
        fill_empty_partitions(plan, staging_root)
        return _result(_streamed(quality.counts(judged)), staged_rows(staging_root))


def _streamed(query: pl.LazyFrame) -> pl.DataFrame:
    """The result of one query. Several at once would share work, and hold what they share in memory."""
    return query.collect(engine="streaming")


def _spooled(rows: pl.LazyFrame, path: str) -> pl.LazyFrame:
    """Rows by way of a file, from which each output reads the columns that it needs."""
    rows.sink_parquet(path, compression="lz4", mkdir=True, engine="streaming")
    return pl.scan_parquet(path, glob=False)


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
