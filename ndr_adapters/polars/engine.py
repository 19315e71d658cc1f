"""The Polars engine: lines are read once, streaming, into a file that feeds all outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import polars as pl
from attrs import field, frozen
from polars.exceptions import ComputeError

from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.interruptible import interruptible
from ndr_adapters.polars import aggregate, quality, spool
from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.polars.careful import read_careful
from ndr_adapters.polars.lines import LineFeed
from ndr_adapters.polars.plain import read_plain
from ndr_adapters.polars.views import numbered, role_views
from ndr_adapters.polars.write import (
    REJECTED,
    StagingRoot,
    fill_empty_partitions,
    staged_rows,
    write_quarantine,
    write_table,
)
from ndr_adapters.scratch import scratch_folder
from ndr_core.deltas.engine import EngineResult
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.deltas.tables import PAIR
from ndr_core.errors import EngineReadError, StopRequested
from ndr_core.flows.source import InputBatch, InputFile
from ndr_core.publishing.location import is_s3


@frozen
class PolarsEngine:
    """Builds deltas on one machine, streaming; the same rows as every other engine.

    `storage_options`: how Polars reaches S3, where the output lies there.
    """

    name: ClassVar[str] = "polars"
    reading_share: ClassVar[float] = 0.45
    storage_options: dict[str, Any] = field(factory=dict)
    input_bytes_per_share: int = 64 << 20
    """Compressed; so much input has its pairs in memory at once."""

    def unfit_files(self, batch: InputBatch) -> Mapping[InputFile, str]:
        del batch  # it reads what the source reads
        return {}

    def build(self, plan: DeltaPlan, batch: InputBatch, staging_root: str) -> EngineResult:
        staging = StagingRoot(staging_root, self.storage_options)
        feed = LineFeed(batch)
        try:
            with _scratch(staging_root) as scratch, full_disk_named(scratch):
                judged = flows_of(feed.lines(), plan, batch.key_orders)
                return _build(judged, plan, staging, scratch, self._shares(batch))
        except StopRequested:
            feed.stop()
            raise
        except (ComputeError, OSError) as error:
            if feed.failure is not None:
                raise feed.failure from error
            raise EngineReadError(f"polars: {error}") from error

    def _shares(self, batch: InputBatch) -> int:
        return max(1, -(-batch.size_bytes // self.input_bytes_per_share))


def flows_of(
    lines: pl.LazyFrame, plan: DeltaPlan, key_orders: Sequence[tuple[str, ...]]
) -> pl.LazyFrame:
    """The judged records of a batch. `lines`: as from `LineFeed.lines`."""
    read = read_careful(read_plain(lines, plan, key_orders), plan)
    judged = quality.judge(read, plan)
    return quality.mark_duplicates(judged, plan) if plan.deduplicate_on else judged


def _build(
    flows: pl.LazyFrame, plan: DeltaPlan, staging: StagingRoot, scratch: str, shares: int
) -> EngineResult:
    addresses = Addresses()
    judged, parts = spool.spooled_in_shares(
        numbered(flows, addresses), f"{scratch}/records", shares
    )
    views = role_views(quality.repaired(judged), plan)
    sums = _streamed(aggregate.host_sums(views, plan))
    hosts = aggregate.number_hosts(sums, plan, addresses)
    aggregate.refuse_overflow(aggregate.overflows(hosts, plan), plan)
    histograms = [
        column
        for item in plan.distributions
        for column in aggregate.finish_histogram(
            _streamed(aggregate.histogram_cells(views, hosts, item)), hosts, item
        )
    ]
    pairs, cells = _pairs(parts, plan, scratch)
    _streamed(
        write_table(aggregate.pair_rows(pairs, plan, addresses), PAIR, staging, plan.shared_path)
    )
    _streamed(write_quarantine(quality.quarantine(judged), staging))
    deltas = aggregate.delta_rows(hosts, histograms, cells, plan)
    _streamed(write_table(deltas.lazy(), plan.delta, staging, plan.shared_path))
    counts = _streamed(quality.counts(judged))
    rows = fill_empty_partitions(plan, staging, staged_rows(plan.tables, staging))
    rejected = quality.rejected_records(counts)
    return quality.engine_result(counts, rows, {REJECTED: rejected})


def _pairs(
    shares: list[pl.LazyFrame], plan: DeltaPlan, scratch: str
) -> tuple[pl.LazyFrame, list[pl.DataFrame]]:
    """The pair table and the aggregates over its peers and ports, one share of the records after the other.

    A share has all records between two hosts, so that only as many pairs are in memory at once.
    """
    parts = [
        spool.spooled(
            aggregate.pair_table(role_views(quality.repaired(share), plan)),
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
