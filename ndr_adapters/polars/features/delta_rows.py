"""Published rows of deltas -> what the slices of each interval add to windows: the hosts are read once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.cell_counts import added_cells
from ndr_adapters.polars.features.frames import IntervalRows
from ndr_adapters.polars.features.host_choice import chosen, marks_of, of_hosts
from ndr_adapters.polars.features.numbers import Numbers
from ndr_adapters.polars.views import HOST
from ndr_core.features.networks import Hosts, Side
from ndr_core.measures.kinds import (
    Additive,
    Distribution,
    Measure,
    Quantile,
    Untold,
    of_kind,
)
from ndr_core.windows.plan import WindowPlan

_NO_HOSTS: Final = pl.DataFrame(schema={HOST: pl.Int64()})


@frozen
class DeltaRows:
    """What the slices of an interval add to windows, each host once."""

    window: int
    """The place of the smallest window that holds it."""
    rows: pl.DataFrame
    """HOST, sums (in 128 bits) and largest counts: null where a contribution lacks the column."""
    cells: Mapping[str, pl.DataFrame]
    """Name of a distribution of which windows have percentiles -> HOST, `bucket` and `count`, sorted by both keys."""
    unknown: Mapping[str, pl.Series]
    """Name of such a distribution -> HOST of contributions that lack its histogram."""

    def of_hosts(self, is_chosen: pl.Series) -> DeltaRows:
        """Choose hosts. `is_chosen`: of each HOST."""
        cells = {name: chosen(cells, is_chosen) for name, cells in self.cells.items()}
        return DeltaRows(self.window, chosen(self.rows, is_chosen), cells, self.unknown)


def deltas_of(
    rows: Iterable[IntervalRows], role: str, numbers: Numbers, plan: WindowPlan
) -> tuple[pl.DataFrame, list[DeltaRows]]:
    """Give HOST of the hosts of a role whose windows are built, and their rows."""
    parts = [
        (one.interval.window, one.deltas.with_columns(numbers.host(role)))
        for one in rows
        if one.role == role and one.deltas is not None and one.interval.window is not None
    ]
    if not parts:
        return _NO_HOSTS, []
    if _are_most_built(parts, numbers, plan):
        # In one reading: to look for the hosts first takes a third as long, and leaves few rows out.
        merged = [_delta_rows(of_slices, window, plan) for window, of_slices in parts]
        every = pl.concat(one.rows.select(HOST) for one in merged).unique()
        hosts = _built(every, numbers, plan)
        is_built = marks_of(hosts, among=every)
        return hosts, [one.of_hosts(is_built) for one in merged]
    hosts_of_slices = pl.concat(of_slices.select(HOST) for _, of_slices in parts).unique()
    hosts = _built(hosts_of_slices.collect(engine="streaming"), numbers, plan)
    if hosts.is_empty():
        return hosts, []
    return hosts, [_delta_rows(of_hosts(part, hosts), window, plan) for window, part in parts]


def added_up(measures: Sequence[Measure]) -> list[str]:
    """Name the columns of deltas that add up in windows."""
    return [one.name for one in measures if isinstance(one, Additive | Untold)]


def largest(measures: Sequence[Measure]) -> list[Distribution]:
    """Give the distributions of which windows have the largest counts."""
    return [one for one in of_kind(measures, Distribution) if not _percentiles(one)]


def ranked(measures: Sequence[Measure]) -> list[Distribution]:
    """Give the distributions of which windows have percentiles."""
    return [one for one in of_kind(measures, Distribution) if _percentiles(one)]


def _are_most_built(
    parts: Iterable[tuple[int, pl.LazyFrame]], numbers: Numbers, plan: WindowPlan
) -> bool:
    """Whether the windows of most hosts are built, by those of the smallest window."""
    if plan.hosts is Hosts.ALL:
        return True
    _, smallest = min(parts, key=lambda part: part[0])
    sample = smallest.select(HOST).collect(engine="streaming")
    return 2 * _built(sample, numbers, plan).height > sample.height


def _built(hosts: pl.DataFrame, numbers: Numbers, plan: WindowPlan) -> pl.DataFrame:
    """Those of some HOST whose windows are built."""
    if plan.hosts is Hosts.ALL:
        return hosts
    return hosts.filter(numbers.host_sides(hosts.get_column(HOST)) == Side.INTERNAL.value)


def _delta_rows(rows: pl.LazyFrame, window: int, plan: WindowPlan) -> DeltaRows:
    """Merge the rows of an interval, whatever contributions they are of."""
    sums, highest = added_up(plan.measures), largest(plan.measures)
    percentiles = ranked(plan.measures)
    histograms = [one.histogram for one in (*highest, *percentiles)]
    # In one reading: to open each of many small files once more for each column takes longer than to read it.
    read = rows.select(HOST, *sums, *histograms).collect(engine="streaming")
    found = read.lazy().group_by(HOST).agg(map(summed, sums)).collect(engine="streaming")
    for one in highest:
        found = found.join(_largest(read, one), on=HOST, how="left")
    cells, unknown = {}, {}
    for item in percentiles:
        cells[item.name], unknown[item.name] = _cells(read, item)
    return DeltaRows(window, found, cells, unknown)


def summed(name: str) -> pl.Expr:
    """Give the sum of a column, in 128 bits; null where one value is null."""
    is_known = pl.col(name).null_count() == 0
    return pl.when(is_known).then(pl.col(name).cast(pl.Int128).sum()).alias(name)


def _largest(rows: pl.DataFrame, item: Distribution) -> pl.DataFrame:
    """The largest counts of a distribution: its buckets are minutes, and do not cross slices."""
    cells, unknown = _cells(rows, item)
    names = [one.name for one in item.readouts]
    most = [pl.max("count").alias(name) for name in names]
    found = cells.lazy().group_by(HOST).agg(most)
    hosts = rows.lazy().select(pl.col(HOST).unique())
    counts = hosts.join(found, on=HOST, how="left").with_columns(pl.col(names).fill_null(0))
    is_known = ~pl.col(HOST).is_in(unknown.implode())
    return counts.with_columns(pl.when(is_known).then(pl.col(names))).collect()


def _cells(rows: pl.DataFrame, item: Distribution) -> tuple[pl.DataFrame, pl.Series]:
    """HOST, `bucket` and `count` of a histogram, and HOST of the rows that lack it."""
    name = item.histogram
    found = rows.lazy().select(HOST, name)
    # In memory, as `added_cells` looks at them twice.
    cells = (
        found.filter(pl.col(name).list.len() > 0)
        .explode(name)
        .select(HOST, pl.col(name).struct.unnest())
        .collect()
    )
    unknown = found.filter(pl.col(name).is_null()).select(pl.col(HOST).unique()).collect()
    return added_cells(cells.lazy()).select(HOST, "bucket", "count"), unknown.to_series()


def _percentiles(item: Distribution) -> bool:
    return any(isinstance(one, Quantile) for one in item.readouts)
