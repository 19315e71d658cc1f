"""Results of some of the records, and how they add up: what one task makes, and another one finishes.

Frames by name: `sums`; `cells:<distribution>`; `pairs`; and by pair key, such as `peer_ip`, what a host has with each
of its peers or ports. All have HOST, and numbers in place of addresses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from ndr_adapters.polars import aggregate
from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.views import HOST, role_views
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.measures.kinds import Distribution, PairKey

SUMS: Final = "sums"
PAIRS: Final = "pairs"


def cells_name(distribution: Distribution) -> str:
    """Name the frame of a distribution's cells."""
    return f"cells:{distribution.name}"


def host_keys(plan: DeltaPlan) -> dict[str, tuple[str, ...]]:
    """Give the frames from which delta rows are made -> the key by which they may be shared."""
    names = [SUMS, *map(cells_name, plan.distributions), *plan.cell_aggregates]
    return dict.fromkeys(names, (HOST,))


PAIR_KEYS: Final[Mapping[str, tuple[str, ...]]] = {PAIRS: (HOST, "peer_ip")}
"""The frame from which pair rows are made -> the key by which it may be shared."""


def partial_results(flows: pl.DataFrame, plan: DeltaPlan) -> Iterator[tuple[str, pl.DataFrame]]:
    """Make the frames of some kept records. `flows`: from `quality.repaired`, with numbers in place of addresses."""
    views = role_views(flows.lazy(), plan)
    yield SUMS, aggregate.wide_host_sums(views, plan).collect()
    for item in plan.distributions:
        buckets = views.select(HOST, compile_expr(item.bucket).alias("bucket"))
        cells = buckets.group_by(HOST, "bucket").agg(pl.len().cast(pl.Int64).alias("count"))
        yield cells_name(item), cells.collect()
    pairs = aggregate.pair_table(views).collect()
    for key in plan.cell_aggregates:
        yield key, aggregate.cells_of(pairs.lazy(), key).collect()
    yield PAIRS, pairs


def whole_pairs(pairs: pl.LazyFrame) -> pl.LazyFrame:
    """Add up the pairs of several parts."""
    return pairs.group_by(HOST, "peer_ip", "peer_port").agg(
        pl.col("event_ts").max(), pl.exclude("event_ts").sum()
    )


def whole_hosts(sums: pl.DataFrame, plan: DeltaPlan, addresses: Addresses) -> pl.DataFrame:
    """Add up the sums of several parts; gives numbered hosts, as `aggregate.number_hosts`."""
    whole = sums.lazy().group_by(HOST).agg(pl.all().sum())
    return aggregate.number_hosts(aggregate.fitted(whole, plan).collect(), plan, addresses)


def whole_rows(
    frames: Mapping[str, pl.DataFrame], hosts: pl.DataFrame, plan: DeltaPlan
) -> pl.DataFrame:
    """Add up what is known of numbered hosts besides their sums; gives delta rows in the columns of the plan."""
    histograms = [
        column
        for item in plan.distributions
        for column in aggregate.finish_histogram(
            aggregate.numbered_cells(
                frames[cells_name(item)].lazy(), hosts, pl.col("count").sum()
            ).collect(),
            hosts,
            item,
        )
    ]
    cells = [_cells(frames, key, plan) for key in plan.cell_aggregates]
    return aggregate.delta_rows(hosts, histograms, cells, plan)


def _no_cells(key: PairKey) -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys((HOST, key, "sessions", "bytes"), pl.Int64))


def _cells(frames: Mapping[str, pl.DataFrame], key: PairKey, plan: DeltaPlan) -> pl.DataFrame:
    cells = frames.get(key, _no_cells(key))
    whole = cells.lazy().group_by(HOST, key).agg(pl.all().sum())
    return aggregate.summed_cells(whole, key, plan).collect()
