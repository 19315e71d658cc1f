"""The Polars engine: one streaming query reads every line once and feeds all outputs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
from attrs import frozen
from polars.exceptions import ComputeError
from polars.io.plugins import register_io_source

from ndr_adapters.polars import aggregate, quality
from ndr_adapters.polars.parse import BLANK, parse_lines
from ndr_core.delta import (
    DELTA_TABLE,
    PAIR_COLUMNS,
    PAIR_TABLE,
    PARTITION_KEYS,
    QUARANTINE,
    DeltaPlan,
    overflow_place,
    slice_path,
)
from ndr_core.errors import EngineReadError, OverflowingColumnError
from ndr_core.measures import OutputColumn
from ndr_core.ports import EngineResult, InputBatch
from ndr_core.quality import REPAIR_RULES

_LINES_PER_BATCH = 50_000
_LINE_SCHEMA = {"line": pl.String(), "undecodable": pl.Boolean()}


@frozen
class PolarsEngine:
    """Builds deltas on one machine, streaming; the same rows as every other engine."""

    name: str = "polars"

    def build(self, plan: DeltaPlan, batch: InputBatch, staging_root: str) -> EngineResult:
        try:
            return self._build(plan, batch, staging_root, scan_lines(batch))
        except ComputeError as error:
            if "utf8" not in str(error):
                raise EngineReadError(f"polars: {error}") from error
        except OSError as error:
            raise EngineReadError(f"polars: {error}") from error
        return self._build(plan, batch, staging_root, decode_lines(batch))

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
            _pair_sink(pairs, plan, staging_root),
            _quarantine_sink(quality.quarantine(judged), staging_root),
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
        deltas.lazy().sink_parquet(_partitions(staging_root, DELTA_TABLE), mkdir=True)
        _fill_empty_partitions(plan, staging_root)
        return _result(counts)


def scan_lines(batch: InputBatch) -> pl.LazyFrame:
    """Lines of all files, decompressed and decoded by Polars."""
    if not batch.files:
        return pl.LazyFrame(schema=_LINE_SCHEMA)
    return pl.scan_lines(batch.uris, name="line", glob=False).with_columns(
        pl.lit(False).alias("undecodable")
    )


def decode_lines(batch: InputBatch) -> pl.LazyFrame:
    """The same for files that hold bytes which are no UTF-8; such lines are marked."""

    def batches(
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        del n_rows  # no query here takes a head
        rows: list[tuple[str, bool]] = []
        for file in batch.files:
            for line in batch.read_lines(file):
                rows.append(_decoded(line))
                if len(rows) >= (batch_size or _LINES_PER_BATCH):
                    yield _line_frame(rows, with_columns, predicate)
                    rows = []
        yield _line_frame(rows, with_columns, predicate)

    return register_io_source(batches, schema=_LINE_SCHEMA, is_pure=True)


def _decoded(line: bytes) -> tuple[str, bool]:
    try:
        return line.decode(), False
    except UnicodeDecodeError:
        return line.decode(errors="replace"), True


def _line_frame(
    rows: list[tuple[str, bool]], with_columns: list[str] | None, predicate: pl.Expr | None
) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=_LINE_SCHEMA, orient="row")
    if predicate is not None:
        frame = frame.filter(predicate)
    return frame if with_columns is None else frame.select(with_columns)


def _partitions(staging_root: str, table: str) -> pl.PartitionBy:
    return pl.PartitionBy(f"{staging_root}/{table}", key=list(PARTITION_KEYS), include_key=False)


def _pair_sink(pairs: pl.LazyFrame, plan: DeltaPlan, staging_root: str) -> pl.LazyFrame:
    rows = pairs.with_columns(pl.from_epoch("event_ts", time_unit="us").dt.replace_time_zone("UTC"))
    shaped = aggregate.in_output_form(rows, plan, [column.name for column in PAIR_COLUMNS])
    sink = shaped.sink_parquet(_partitions(staging_root, PAIR_TABLE), mkdir=True, lazy=True)
    assert sink is not None
    return sink


def _quarantine_sink(rejected: pl.LazyFrame, staging_root: str) -> pl.LazyFrame:
    sink = rejected.sink_ndjson(
        f"{staging_root}/{QUARANTINE}/rejected.json.gz", compression="gzip", mkdir=True, lazy=True
    )
    assert sink is not None
    return sink


def _refuse_overflow(sums: pl.DataFrame) -> None:
    for column in sums.columns[len(aggregate.HOST) :]:
        overflowing = sums.filter(pl.col(column).is_null()).sort(aggregate.HOST)
        if not overflowing.is_empty():
            start, role, host = overflowing.row(0)[:3]
            raise OverflowingColumnError(column, overflow_place(start, role, host))


def _fill_empty_partitions(plan: DeltaPlan, staging_root: str) -> None:
    """A bounded slice without records still has its files, so that readers find the tables."""
    if plan.params.slice_start is None:
        return
    path = slice_path(plan.spec.feature_spec_version, plan.params.slice_start)
    for table, columns in ((DELTA_TABLE, plan.delta_columns), (PAIR_TABLE, PAIR_COLUMNS)):
        for role in plan.spec.roles:
            folder = Path(staging_root, table, path, f"role={role.name}")
            if not folder.exists():
                pl.DataFrame(schema=_file_schema(columns)).write_parquet(
                    folder / "empty.parquet", mkdir=True
                )


def _file_schema(columns: tuple[OutputColumn, ...]) -> dict[str, pl.DataType]:
    return {
        column.name: aggregate.DTYPES[column.type]
        for column in columns
        if column.name not in PARTITION_KEYS
    }


def _result(counts: pl.DataFrame) -> EngineResult:
    kept_rows = pl.col("rule").is_null() & (pl.col("outcome") != BLANK)
    kept = counts.filter(kept_rows)
    rejected = counts.filter(pl.col("rule").is_not_null()).group_by("rule").agg(pl.sum("records"))
    return EngineResult(
        kept=int(kept["records"].sum()),
        rejected=dict(rejected.iter_rows()),
        repaired={repair.name: int(kept[f"repair:{repair.name}"].sum()) for repair in REPAIR_RULES},
        blank_lines=int(counts.filter(outcome=BLANK)["records"].sum()),
    )
