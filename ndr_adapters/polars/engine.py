"""The Polars engine: lines are read once, streaming, into a file that feeds all outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
from attrs import field, frozen
from polars.exceptions import ComputeError

from ndr_adapters.interruptible import interruptible
from ndr_adapters.polars import aggregate, quality
from ndr_adapters.polars.lines import LineFeed
from ndr_adapters.polars.parse import BLANK, parse_lines
from ndr_adapters.polars.write import Place
from ndr_adapters.scratch import scratch_folder
from ndr_core.delta import DELTA_TABLE, PAIR_TABLE, DeltaPlan, overflow_place
from ndr_core.errors import EngineReadError, OverflowingColumnError, StopRequested
from ndr_core.ports import EngineResult, InputBatch, InputFile
from ndr_core.quality import REPAIR_RULES
from ndr_core.s3_address import is_s3

_ROWS_PER_GROUP = 1 << 14
"""Of spooled records: each share's file holds one group of them in memory."""


@frozen
class PolarsEngine:
    """Builds deltas on one machine, streaming; the same rows as every other engine.

    `storage_options`: how Polars reaches S3, where the output lies there.
    """

    name: str = "polars"
    storage_options: dict[str, Any] = field(factory=dict)
    input_bytes_per_share: int = field(
        default=64 << 20,
        metadata={"doc": "compressed; so much input has its pairs in memory at once"},
    )

    def unfit_files(self, batch: InputBatch) -> Mapping[InputFile, str]:
        del batch  # it reads what the source reads
        return {}

    def build(self, plan: DeltaPlan, batch: InputBatch, staging_root: str) -> EngineResult:
        place = Place(staging_root, self.storage_options)
        feed = LineFeed(batch)
        try:
            with _scratch(staging_root) as scratch:
                return self._build(plan, batch, place, scratch, feed.lines())
        except StopRequested:
            feed.stop()
            raise
        except (ComputeError, OSError) as error:
            if feed.failure is not None:
                raise feed.failure from error
            raise EngineReadError(f"polars: {error}") from error

    def _shares(self, batch: InputBatch) -> int:
        return max(1, -(-batch.size_bytes // self.input_bytes_per_share))

    def _build(
        self, plan: DeltaPlan, batch: InputBatch, place: Place, scratch: str, lines: pl.LazyFrame
    ) -> EngineResult:
        judged, shares = _spooled_in_shares(
            quality.judge(parse_lines(lines, plan.spec, batch.key_orders), plan),
            f"{scratch}/records",
            self._shares(batch),
        )
        views = aggregate.role_views(quality.repaired(judged), plan)
        sums = _streamed(aggregate.host_sums(views, plan))
        _refuse_overflow(sums)
        hosts = aggregate.number_hosts(sums)
        histograms = [
            column
            for item in plan.distributions
            for column in aggregate.finish_histogram(
                _streamed(aggregate.histogram_cells(views, hosts, item)), hosts, item
            )
        ]
        pairs, cells = _pairs(shares, plan, scratch)
        _streamed(place.table_sink(aggregate.pair_rows(pairs, plan), plan, PAIR_TABLE))
        _streamed(place.quarantine_sink(quality.quarantine(judged)))
        deltas = aggregate.finish_deltas(hosts, histograms, cells, plan)
        _streamed(place.table_sink(deltas.lazy(), plan, DELTA_TABLE))
        return _result(_streamed(quality.counts(judged)), place.finish(plan))


def _pairs(
    shares: list[pl.LazyFrame], plan: DeltaPlan, scratch: str
) -> tuple[pl.LazyFrame, list[pl.DataFrame]]:
    """The pair table and the aggregates over its peers and ports, one share of the records after the other.

    A share has all records between two hosts, so that only as many pairs are in memory at once.
    """
    parts = [
        _spooled(
            aggregate.pair_table(aggregate.role_views(quality.repaired(share), plan)),
            f"{scratch}/pairs-{number}.parquet",
        )
        for number, share in enumerate(shares)
    ]
    pairs = pl.concat(parts)
    cells = []
    for key in plan.cell_aggregates:
        # All sessions with a peer are in one share; those with a port are in many.
        sources = parts if key == "peer_ip" else [pairs]
        found = [_streamed(aggregate.peer_cells(source, key, plan)) for source in sources]
        cells.append(aggregate.merge_cells(found, key, plan))
    return pairs, cells


@contextmanager
def _scratch(staging_root: str) -> Iterator[str]:
    """A folder for what is spooled: beside the staged files, or on this machine where they are in S3."""
    if not is_s3(staging_root):
        yield staging_root
        return
    with scratch_folder() as folder:
        yield str(folder)


def _streamed(query: pl.LazyFrame) -> pl.DataFrame:
    """The result of one query. Several at once would share work, and hold what they share in memory."""
    return interruptible(lambda: query.collect(engine="streaming"))


def _spooled(rows: pl.LazyFrame, path: str) -> pl.LazyFrame:
    """Rows by way of a file, from which each output reads the columns that it needs."""
    interruptible(
        lambda: rows.sink_parquet(path, compression="lz4", mkdir=True, engine="streaming")
    )
    return _scanned([path])


def _spooled_in_shares(
    judged: pl.LazyFrame, path: str, shares: int
) -> tuple[pl.LazyFrame, list[pl.LazyFrame]]:
    """Judged records by way of files: all of them, and by shares, of which one has all between two hosts."""
    if shares > 1:
        by_hosts = pl.PartitionBy(path, key={"share": aggregate.share(shares)}, include_key=False)
        interruptible(
            lambda: judged.sink_parquet(
                by_hosts,
                compression="lz4",
                row_group_size=_ROWS_PER_GROUP,
                mkdir=True,
                engine="streaming",
            )
        )
        files = [sorted(map(str, folder.iterdir())) for folder in Path(path).glob("share=*")]
        if files:  # else there is no record
            return _scanned(list(chain(*files))), list(map(_scanned, files))
    whole = _spooled(judged, f"{path}.parquet")
    return whole, [whole]


def _scanned(files: list[str]) -> pl.LazyFrame:
    return pl.scan_parquet(files, glob=False, hive_partitioning=False)


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
