"""Results of some of the records, and how they add up: what one task makes, and another one finishes.

Frames by name: `sums`; `cells:<distribution>`; `pairs:<part>`; and by pair key, such as `peer_ip`, what a host has with
each of its peers or ports. All have numbers in place of addresses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import polars as pl
from attrs import evolve

from ndr_adapters.polars import aggregate, cell_counts, derive, quality
from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.polars.careful import read_careful
from ndr_adapters.polars.delimited import read_delimited
from ndr_adapters.polars.keys import grouped
from ndr_adapters.polars.plain import read_plain
from ndr_adapters.polars.views import HOST, Form, RoleViews, role_views
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.formats import FileFormat
from ndr_core.flows.key_order import KeyOrder
from ndr_core.measures.kinds import Distribution, PairKey

SUMS: Final = "sums"


def host_keys(plan: DeltaPlan) -> dict[str, tuple[str, ...]]:
    """Give the frames from which delta rows are made -> the key by which they may be shared."""
    names = [SUMS, *map(_cells_name, plan.distributions), *plan.cell_aggregates]
    return dict.fromkeys(names, (HOST,))


def pair_keys(plan: DeltaPlan) -> dict[str, tuple[str, ...]]:
    """Give the frames from which pair rows are made -> the key by which they may be shared: both ends of a pair."""
    parts = aggregate.pair_parts(role_views(pl.LazyFrame(), plan))
    return {_pairs_name(part): keys[:-1] for part, keys in enumerate(parts)}


def numbered_columns(plan: DeltaPlan) -> frozenset[str]:
    """Name the columns of the frames that hold numbers of addresses, in their lowest 32 bits."""
    columns = role_views(pl.LazyFrame(), plan).columns
    ends = (name for (form, _), name in columns.items() if form is Form.ADDRESS)
    return frozenset((HOST, "peer_ip", *ends))


def judged_lines(
    lines: pl.LazyFrame, plan: DeltaPlan, key_orders: Sequence[KeyOrder]
) -> pl.LazyFrame:
    """The records of lines, each judged by itself: duplicates are still to be found."""
    if plan.input.format is FileFormat.DELIMITED:
        read = read_delimited(lines, plan)
    else:
        read = read_careful(read_plain(lines, plan, key_orders), plan)
    return quality.judge(quality.with_moment(read, plan), plan)


def partial_results(flows: pl.DataFrame, plan: DeltaPlan) -> Iterator[tuple[str, pl.DataFrame]]:
    """Make the frames of some kept records. `flows`: from `quality.settled`, with numbers in place of addresses."""
    views = role_views(flows.lazy(), plan)
    views = evolve(views, rows=views.rows.collect().lazy())
    yield SUMS, aggregate.host_sums(views, plan).collect()
    for item in plan.distributions:
        yield _cells_name(item), cell_counts.histogram_cells(views, item)
    for part, pairs in enumerate(aggregate.pair_table(views, plan)):
        rows = pairs.rows.collect()
        yield _pairs_name(part), rows
        pairs = evolve(pairs, rows=rows.lazy())
        for key in plan.cell_aggregates:
            for cells in aggregate.cells_of(pairs, key):
                yield key, cells.collect()


def overflowing_sums(flows: pl.DataFrame, plan: DeltaPlan) -> pl.DataFrame:
    """Give null for each sum that leaves int64 because an amount of a single flow does, as `aggregate.host_sums`.

    Others are 0: what else there is to add is in the sums of all flows. `flows`: as `pairing.Paired.overflowing`.
    """
    sums = aggregate.host_sums(role_views(flows.lazy(), plan), plan).collect()
    added = sums.with_columns(pl.all().exclude(HOST) * 0)
    return added.filter(pl.any_horizontal(pl.all().is_null()))


def whole_pairs(frames: Mapping[str, pl.DataFrame], plan: DeltaPlan) -> list[RoleViews]:
    """Add up the pairs of several parts of the records; gives the parts of the pair table."""
    names = enumerate(pair_keys(plan))
    rows = {place: frames[name].lazy() for place, name in names if name in frames}
    return aggregate.added_pairs(rows, plan)


def whole_hosts(sums: pl.DataFrame, plan: DeltaPlan, addresses: Addresses) -> pl.DataFrame:
    """Add up the sums of several parts of the records; gives hosts, as `aggregate.name_hosts`."""
    return aggregate.name_hosts(aggregate.added_sums(sums, plan), plan, addresses)


def whole_rows(
    frames: dict[str, pl.DataFrame], hosts: pl.DataFrame, plan: DeltaPlan
) -> pl.DataFrame:
    """Add up what is known of hosts besides their sums; gives delta rows in the columns of the plan.

    Each frame is taken out of `frames` when it is its turn, which frees its memory.
    """
    # Hosts of threats alone have no cells, and so has a share of such hosts.
    none = pl.DataFrame(schema=cell_counts.CELLS)
    histograms = [
        column
        for item in plan.distributions
        for column in derive.finish_histogram(
            cell_counts.added_cells(frames.pop(_cells_name(item), none).lazy()), hosts, item
        )
    ]
    cells = [_summarized(frames, key, plan) for key in plan.cell_aggregates]
    return aggregate.delta_rows(hosts, histograms, cells, plan)


def _summarized(frames: dict[str, pl.DataFrame], key: PairKey, plan: DeltaPlan) -> pl.DataFrame:
    schema = {HOST: pl.Int64, key: pl.UInt32, "sessions": pl.Int64, "bytes": pl.Int64}
    cells = frames.pop(key, pl.DataFrame(schema=schema)).lazy()
    whole = grouped(cells, (HOST, key), [pl.sum("sessions", "bytes")]).collect()
    return aggregate.summarized(whole, plan.cell_aggregates[key])


def _cells_name(distribution: Distribution) -> str:
    return f"cells:{distribution.name}"


def _pairs_name(part: int) -> str:
    return f"pairs:{part}"
