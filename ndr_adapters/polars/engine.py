"""The Polars engine: lines are read once, streaming, into a file that feeds all outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any, ClassVar

import polars as pl
from attrs import evolve, field, frozen
from polars.exceptions import ComputeError
from polars.io.plugins import register_io_source

from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.interruptible import interruptible
from ndr_adapters.polars import aggregate, cell_counts, derive, pairing, quality, spool
from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.polars.feed import Feed
from ndr_adapters.polars.lines import line_feed
from ndr_adapters.polars.outcome import engine_result, rejected_records
from ndr_adapters.polars.overflow import overflows, refuse_overflow
from ndr_adapters.polars.parquet import row_feed
from ndr_adapters.polars.partial import judged_lines, overflowing_sums
from ndr_adapters.polars.views import RoleViews, needed_columns, numbered, role_views
from ndr_adapters.polars.write import (
    HOSTS_PER_GROUP,
    REJECTED,
    StagingRoot,
    schema_of,
    staged_rows,
    write_quarantine,
    write_table,
)
from ndr_adapters.scratch import scratch_folder
from ndr_core.deltas.engine import EngineResult
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.errors import EngineReadError, StopRequested
from ndr_core.flows.formats import FileFormat
from ndr_core.flows.key_order import KeyOrder
from ndr_core.flows.source import InputBatch, InputFile
from ndr_core.measures.kinds import PairKey
from ndr_core.publishing.location import is_s3
from ndr_core.quality.report import FlowCounts
from ndr_core.tables.table import Table


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
        feed = record_feed(batch, plan)
        with failures_named(feed), _scratch(staging_root) as scratch, full_disk_named(scratch):
            flows = flows_of(feed.frames(), plan, batch.key_orders)
            return _build(flows, plan, staging, scratch, self._shares(batch))

    def _shares(self, batch: InputBatch) -> int:
        return max(1, -(-batch.size_bytes // self.input_bytes_per_share))


@contextmanager
def failures_named(feed: Feed) -> Iterator[None]:
    """Raise why a feed has failed in place of Polars' own error, else EngineReadError. To stop stops the feed, too."""
    try:
        yield
    except StopRequested:
        feed.stop()
        raise
    except (ComputeError, OSError) as error:
        if feed.failure is not None:
            raise feed.failure from error
        raise EngineReadError(f"polars: {error}") from error


def record_feed(batch: InputBatch, plan: DeltaPlan) -> Feed:
    """What gives the records of a batch, in the columns that `flows_of` takes."""
    if plan.input.format is FileFormat.PARQUET:
        return row_feed(batch, plan)
    return line_feed(batch, plan.input)


def flows_of(lines: pl.LazyFrame, plan: DeltaPlan, key_orders: Sequence[KeyOrder]) -> pl.LazyFrame:
    """The judged records of a batch. `lines`: as from `line_feed`; of Parquet, judged records as from `row_feed`."""
    is_parquet = plan.input.format is FileFormat.PARQUET
    judged = lines if is_parquet else judged_lines(lines, plan, key_orders)
    return quality.mark_duplicates(judged, plan) if plan.deduplicate_on else judged


def _build(
    flows: pl.LazyFrame, plan: DeltaPlan, staging: StagingRoot, scratch: str, shares: int
) -> EngineResult:
    addresses = Addresses()
    judged, records = spool.spooled_in_shares(
        numbered(flows, addresses).select(needed_columns(plan)), f"{scratch}/records", shares
    )
    built = _Built.of(records, plan, addresses, scratch)
    hosts = aggregate.name_hosts(built.sums, plan, addresses)
    refuse_overflow(overflows(hosts, plan), plan)
    pairs = [aggregate.joined(parts) for parts in zip(*built.pairs, strict=True)]
    for rows in _pair_rows(built.pairs, plan, addresses):
        _streamed(write_table(rows, plan.pair, staging))
    _streamed(write_quarantine(quality.quarantine(judged, plan), staging))
    cells = [_peer_cells(built.pairs, pairs, key, plan) for key in plan.cell_aggregates]
    deltas = _delta_rows(built, hosts, cells, plan, scratch)
    _streamed(write_table(deltas, plan.delta, staging, HOSTS_PER_GROUP))
    counts = _streamed(quality.counts(judged))
    unknown = interruptible(partial(quality.unknown_values, judged))
    staged = staged_rows(plan.tables, staging)
    rejected = {REJECTED: rejected_records(counts)}
    return engine_result(counts, unknown, staged, rejected, built.flows)


@frozen
class _Built:
    """What is made of the shares of the records, one after the other, so that one is in memory at once."""

    sums: pl.DataFrame
    """Of all shares."""
    histograms: list[list[pl.LazyFrame]]
    """For each share the cells of each distribution."""
    pairs: list[list[RoleViews]]
    """For each share its part of the pair table: a share has all records between two hosts."""
    flows: FlowCounts | None
    """What the records of all shares became, where one-way records are paired."""

    @classmethod
    def of(
        cls, shares: Sequence[pl.LazyFrame], plan: DeltaPlan, addresses: Addresses, scratch: str
    ) -> _Built:
        # What is made of one share fits in memory, as its records do.
        keep = _held if len(shares) == 1 else spool.spooled
        keep_cells = _held if len(shares) == 1 else spool.spooled_in_order
        sums: list[pl.DataFrame] = []
        histograms: list[list[pl.LazyFrame]] = []
        pairs: list[list[RoleViews]] = []
        counts: list[FlowCounts] = []
        for number, share in enumerate(shares):
            flows = quality.settled(share)
            if plan.pairing is not None:
                gathered = _streamed(pairing.gather(flows, plan.pairing, addresses))
                paired = pairing.paired(gathered, plan.pairing)
                counts.append(FlowCounts(paired.flows.height, paired.unpaired))
                sums.append(overflowing_sums(paired.overflowing, plan))
                flows = paired.flows.lazy()
            views = role_views(flows, plan)
            views = evolve(views, rows=_streamed(views.rows).lazy())
            sums.append(_streamed(aggregate.host_sums(views, plan)))
            if len(sums) > 1:
                sums = [aggregate.added_sums(pl.concat(sums), plan)]
            histograms.append(
                [
                    keep_cells(cells.lazy(), f"{scratch}/histogram-{number}-{place}.parquet")
                    for place, cells in enumerate(_cells(views, plan))
                ]
            )
            pairs.append(
                [
                    evolve(part, rows=keep(part.rows, f"{scratch}/pairs-{number}-{place}.parquet"))
                    for place, part in enumerate(_pairs(views, plan))
                ]
            )
        flow_counts = None if plan.pairing is None else FlowCounts.total(counts)
        return cls(sums[0], histograms, pairs, flow_counts)


def _held(rows: pl.LazyFrame, path: str) -> pl.LazyFrame:
    """Rows in memory, where they need no file."""
    del path
    return _streamed(rows).lazy()


def _cells(views: RoleViews, plan: DeltaPlan) -> Iterator[pl.DataFrame]:
    """The histogram cells of each distribution."""
    for item in plan.distributions:
        yield interruptible(partial(cell_counts.histogram_cells, views, item))


def _pairs(views: RoleViews, plan: DeltaPlan) -> list[RoleViews]:
    return interruptible(partial(aggregate.pair_table, views, plan))


def _pair_rows(
    shares: Sequence[Sequence[RoleViews]], plan: DeltaPlan, addresses: Addresses
) -> Iterator[pl.LazyFrame]:
    """Whole pair rows, role by role: those of one share behind those of another, so that one is in memory at once."""
    for parts in zip(*shares, strict=True):
        for role in parts[0].roles:
            rows = partial(aggregate.pair_rows, role=role, plan=plan, addresses=addresses)
            if len(parts) == 1:
                yield interruptible(partial(rows, parts[0]))
            else:
                yield _in_turn([partial(rows, part) for part in parts], plan.pair)


def _in_turn(queries: Sequence[Callable[[], pl.LazyFrame]], table: Table) -> pl.LazyFrame:
    """Rows of a table, by queries that are made and run one after the other while another one reads the rows."""
    schema = schema_of(table.columns)

    def read(
        columns: list[str] | None, condition: pl.Expr | None, rows: int | None, _batch: int | None
    ) -> Iterator[pl.DataFrame]:
        assert (columns, condition, rows) == (None, None, None), "all is written"
        return (query().collect(engine="streaming") for query in queries)

    return register_io_source(read, schema=schema)


def _delta_rows(
    built: _Built,
    hosts: pl.DataFrame,
    cells: Sequence[pl.DataFrame],
    plan: DeltaPlan,
    scratch: str,
) -> pl.LazyFrame:
    """Whole delta rows; of several shares by way of files, so that a part of the hosts is in memory at once."""
    one_share = len(built.histograms) == 1
    parts = [hosts] if one_share else cell_counts.host_parts(hosts, len(plan.distributions))
    keep = _held if len(parts) == 1 else spool.spooled
    rows = []
    for number, part in enumerate(parts):
        whole = aggregate.delta_rows(part, _histograms(built, part, plan), cells, plan)
        rows.append(keep(whole.lazy(), f"{scratch}/deltas-{number}.parquet"))
    return pl.concat(rows)


def _histograms(built: _Built, hosts: pl.DataFrame, plan: DeltaPlan) -> list[pl.Series]:
    """The histograms of some hosts, and what is read off them."""
    columns = []
    for place, item in enumerate(plan.distributions):
        parts = [cell_counts.cells_between(cells[place], hosts) for cells in built.histograms]
        cells = interruptible(partial(cell_counts.merge_histogram, parts))
        columns += derive.finish_histogram(cells, hosts, item)
    return columns


def _peer_cells(
    parts: Sequence[Sequence[RoleViews]],
    pairs: Sequence[RoleViews],
    key: PairKey,
    plan: DeltaPlan,
) -> pl.DataFrame:
    """Aggregates over the peers or ports of each host. `pairs`: the `parts` of all shares together."""
    # All sessions with a peer are in one share; those with a port are in many.
    sources = chain.from_iterable(parts) if key == "peer_ip" else pairs
    found = [interruptible(partial(aggregate.peer_cells, one, key, plan)) for one in sources]
    return aggregate.merge_cells(found, key, plan)


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
