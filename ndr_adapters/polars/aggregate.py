"""Delta semantics, compiled for Polars: from role views to the outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.views import HOST, host_columns
from ndr_adapters.polars.write import DTYPES
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.deltas.tables import PAIR, PAIR_SUMS, overflow_place
from ndr_core.errors import OverflowingColumnError
from ndr_core.measures.kinds import (
    Additive,
    CellAggregate,
    Distribution,
    LargestCount,
    PairKey,
)
from ndr_core.tables.slices import TIME_LEVELS
from ndr_core.tables.table import Table

_PAIR: Final = "pair"
"""Peer and port of a host as one integer: the number of the peer, then the port + 1, 0 where it is not known."""
_PORTS: Final = 1 << 17
_BUCKETS: Final = 1 << 31
"""Buckets lie below it."""


def _summed(
    views: pl.LazyFrame, keys: Sequence[str], sums: Sequence[Additive], *others: str
) -> tuple[pl.LazyFrame, list[pl.Expr]]:
    """The columns to group, and the exact sums of them."""
    contributions = views.select(
        *keys, *others, *(compile_expr(item.contribution).alias(item.name) for item in sums)
    )
    return contributions, [
        # 128 bits can't overflow on the way, so that the result does not depend on the order.
        pl.col(item.name).cast(pl.Int128).sum() if item.can_overflow else pl.col(item.name).sum()
        for item in sums
    ]


def pair_table(views: pl.LazyFrame) -> pl.LazyFrame:
    """Sessions and bytes per host, peer and port."""
    pair = pl.col("peer_ip").cast(pl.Int64) * _PORTS + (pl.col("peer_port") + 1).fill_null(0)
    contributions, sums = _summed(
        views.with_columns(pair.alias(_PAIR)), (HOST, _PAIR), PAIR_SUMS, "event_ts"
    )
    pairs = contributions.group_by(HOST, _PAIR).agg(*sums, pl.col("event_ts").max())
    port = pl.col(_PAIR) % _PORTS
    return pairs.with_columns(
        *(pl.col(item.name).cast(pl.Int64, strict=False) for item in PAIR_SUMS),
        (pl.col(_PAIR) // _PORTS).alias("peer_ip"),
        pl.when(port > 0).then(port - 1).alias("peer_port"),
    ).drop(_PAIR)


def host_sums(views: pl.LazyFrame, plan: DeltaPlan) -> pl.LazyFrame:
    """Additive measures per host."""
    return fitted(wide_host_sums(views, plan), plan)


def wide_host_sums(views: pl.LazyFrame, plan: DeltaPlan) -> pl.LazyFrame:
    """Additive measures per host, in 128 bits where 64 may not do: such sums of parts can be added up."""
    contributions, sums = _summed(views, (HOST,), plan.stored_sums)
    return contributions.group_by(HOST).agg(sums)


def fitted(sums: pl.LazyFrame, plan: DeltaPlan) -> pl.LazyFrame:
    """Sums as int64, null where one leaves it. `sums`: as `wide_host_sums`."""
    return sums.with_columns(
        pl.col(item.name).cast(pl.Int64, strict=False) for item in plan.stored_sums
    )


def histogram_cells(
    views: pl.LazyFrame, hosts: pl.DataFrame, distribution: Distribution
) -> pl.LazyFrame:
    """Records per host and bucket: `cell`, the number of the host and the bucket as one integer, and `count`."""
    buckets = views.select(HOST, compile_expr(distribution.bucket).alias("bucket"))
    return numbered_cells(buckets, hosts, pl.len().cast(pl.Int64))


def numbered_cells(buckets: pl.LazyFrame, hosts: pl.DataFrame, count: pl.Expr) -> pl.LazyFrame:
    """Cells as from `histogram_cells`. `buckets`: HOST, `bucket` and what `count` counts records by."""
    numbers = hosts.lazy().select(HOST, pl.col("host_number").cast(pl.Int64))
    cell = (pl.col("host_number") * _BUCKETS + pl.col("bucket")).alias("cell")
    return (
        buckets.join(numbers, on=HOST)
        .select(cell, pl.exclude(HOST, "host_number", "bucket"))
        .group_by("cell")
        .agg(count.alias("count"))
    )


def peer_cells(pairs: pl.LazyFrame, key: PairKey, plan: DeltaPlan) -> pl.LazyFrame:
    """Aggregates over the distinct peers or ports of each host."""
    return summed_cells(cells_of(pairs, key), key, plan)


def cells_of(pairs: pl.LazyFrame, key: PairKey) -> pl.LazyFrame:
    """`sessions` and `bytes` of each host with each of its distinct peers or ports."""
    return (
        pairs.filter(pl.col(key).is_not_null())
        .group_by(HOST, key)
        .agg(pl.sum("sessions_cnt").alias("sessions"), pl.sum("bytes_sent_sum").alias("bytes"))
    )


def summed_cells(cells: pl.LazyFrame, key: PairKey, plan: DeltaPlan) -> pl.LazyFrame:
    """Aggregates over the cells of each host. `cells`: as from `cells_of`, each cell once."""
    aggregates = plan.cell_aggregates[key]
    # Named columns first: a constant would be summed as one value, not one per cell.
    values = cells.select(HOST, *(compile_expr(item.value).alias(item.name) for item in aggregates))
    return values.group_by(HOST).agg(_summaries(aggregates))


def merge_cells(parts: Sequence[pl.DataFrame], key: PairKey, plan: DeltaPlan) -> pl.DataFrame:
    """Cell aggregates of several shares of the pairs, none of which has a cell of another."""
    return pl.concat(parts).group_by(HOST).agg(_summaries(plan.cell_aggregates[key]))


def _summaries(aggregates: Sequence[CellAggregate]) -> list[pl.Expr]:
    return [
        pl.col(item.name).sum() if item.how == "sum" else pl.col(item.name).max()
        for item in aggregates
    ]


def number_hosts(sums: pl.DataFrame, plan: DeltaPlan, addresses: Addresses) -> pl.DataFrame:
    """The hosts in the order of their keys, which are added, and numbered: `host_number`."""
    keys = host_columns(plan, addresses)
    return (
        sums.with_columns(keys).sort("slice_start", "role", "host_ip").with_row_index("host_number")
    )


def overflows(hosts: pl.DataFrame, plan: DeltaPlan) -> pl.DataFrame:
    """Find the first host of each sum that left int64: the `column` by its place among the sums, and the host's keys.

    `hosts`: from `number_hosts`.
    """
    keys = hosts.select("slice_start", "role", "host_ip")
    found = [
        keys.filter(hosts.get_column(item.name).is_null())
        .head(1)
        .select(pl.lit(place, dtype=pl.Int64).alias("column"), pl.all())
        for place, item in enumerate(plan.stored_sums)
    ]
    return pl.concat(found)


def refuse_overflow(found: pl.DataFrame, plan: DeltaPlan) -> None:
    """Raise OverflowingColumnError for the first of the sums that left int64. `found`: as from `overflows`."""
    if not found.is_empty():
        column, *host = found.sort(found.columns).row(0)
        raise OverflowingColumnError(plan.stored_sums[column].name, overflow_place(*host))


def finish_histogram(
    cells: pl.DataFrame, hosts: pl.DataFrame, distribution: Distribution
) -> list[pl.Series]:
    """The stored histogram and what is read off it, aligned with the numbered hosts.

    The cells of all hosts lie behind each other, so that one running sum, less the sessions of the hosts
    before, ranks them all; each host has exactly one cell that holds a given rank.
    """
    sessions = hosts.get_column("sessions_cnt")
    number = pl.col("cell") // _BUCKETS
    ranked = (
        cells.lazy()
        .sort("cell")
        .with_columns(
            number.alias("host_number"),
            (pl.col("cell") % _BUCKETS).alias("bucket"),
            pl.lit(sessions).gather(number).alias("sessions_cnt"),
            (
                pl.col("count").cum_sum() - pl.lit(sessions.cum_sum() - sessions).gather(number)
            ).alias("seen"),
        )
        .collect()
    )
    by_host = ranked.lazy().group_by("host_number", maintain_order=True)
    columns = [
        by_host.agg(pl.struct("bucket", "count").alias(distribution.histogram))
        .collect()
        .get_column(distribution.histogram)
    ]
    for readout in distribution.readouts:
        if isinstance(readout, LargestCount):
            largest = by_host.agg(pl.max("count")).collect()
            columns.append(largest.get_column("count").alias(readout.name))
            continue
        rank = (readout.percent * pl.col("sessions_cnt") + 99) // 100
        holds_rank = (pl.col("seen") >= rank) & (pl.col("seen") - pl.col("count") < rank)
        value = compile_expr(readout.value).alias(readout.name)
        columns.append(ranked.filter(holds_rank).select(value).to_series())
    return columns


def delta_rows(
    hosts: pl.DataFrame,
    histograms: Sequence[pl.Series],
    cells: Sequence[pl.DataFrame],
    plan: DeltaPlan,
) -> pl.DataFrame:
    """Whole delta rows of the numbered hosts, in the columns of the plan."""
    rows = hosts.with_columns(histograms)
    for part in cells:
        rows = rows.join(part, on=HOST, how="left", maintain_order="left")
    # A host whose pairs all lack the key has no cells: what counts them is 0.
    counted = [item.name for aggregates in plan.cell_aggregates.values() for item in aggregates]
    rows = rows.with_columns(pl.col(name).fill_null(0) for name in counted)
    rows = rows.with_columns(
        compile_expr(value).cast(DTYPES[column_type]).alias(name)
        for name, value, column_type in plan.row_formulas
    )
    return _output_form(rows.lazy(), plan, plan.delta).collect()


def pair_rows(pairs: pl.LazyFrame, plan: DeltaPlan, addresses: Addresses) -> pl.LazyFrame:
    """The pair table in its output form."""
    rows = pairs.with_columns(
        *host_columns(plan, addresses),
        addresses.text(pl.col("peer_ip")).alias("peer_ip"),
        pl.from_epoch("event_ts", time_unit="us").dt.replace_time_zone("UTC"),
    )
    return _output_form(rows, plan, PAIR)


def _output_form(rows: pl.LazyFrame, plan: DeltaPlan, table: Table) -> pl.LazyFrame:
    """Rows with `slice_start` (us) in the columns of an output table, levels of its folders included."""
    start = pl.from_epoch("slice_start", time_unit="us").dt.replace_time_zone("UTC")
    end = compile_expr(plan.slice_end).cast(pl.Int64)
    return rows.with_columns(
        start.alias("slice_start_ts"),
        pl.from_epoch(end, time_unit="us").dt.replace_time_zone("UTC").alias("slice_end_ts"),
        *(start.dt.strftime(pattern).alias(level) for level, pattern in TIME_LEVELS.items()),
        *(pl.lit(value).alias(name) for name, value in plan.constants().items()),
    ).select(column.name for column in table.columns)
