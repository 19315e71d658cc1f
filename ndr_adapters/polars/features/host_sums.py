"""The slices of hosts, merged for one window after the other: each is the one before it and the slices around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.cell_counts import CELLS, added_cells
from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.features.delta_rows import (
    DeltaRows,
    added_up,
    largest,
    ranked,
    summed,
)
from ndr_adapters.polars.features.numbers import Numbers, role_of
from ndr_adapters.polars.features.ranks import Ranked
from ndr_adapters.polars.views import HOST
from ndr_core.errors import OverflowingColumnError
from ndr_core.int64 import INT64_MAX
from ndr_core.measures.kinds import Distribution, Measure, Quantile
from ndr_core.windows.labels import WindowLabel
from ndr_core.windows.plan import WindowPlan
from ndr_core.windows.tables import overflow_place


@frozen
class Merger:
    """Merges the slices of hosts for the windows of one anchor."""

    plan: WindowPlan
    numbers: Numbers
    anchor: int
    labels: Sequence[WindowLabel]
    """The windows to build, the shortest first."""

    def windows(self, deltas: Sequence[DeltaRows]) -> Iterator[pl.DataFrame]:
        """Give, for each window, HOST and the merged columns of the deltas of each host, sorted by HOST.

        Those that are made of pairs are left out. Raises OverflowingColumnError where a sum leaves int64.
        """
        distributions = ranked(self.plan.measures)
        sums = _no_rows(self.plan.measures)
        cells = {one.name: _NO_CELLS for one in distributions}
        unknown = {one.name: _NO_HOSTS for one in distributions}
        for place, label in enumerate(self.labels):
            around = [one for one in deltas if one.window == place]
            sums = self._added([sums, *(one.rows for one in around)], label)
            rows = sums
            for item in distributions:
                name = item.name
                parts = [cells[name], *(one.cells[name] for one in around)]
                cells[name] = added_cells(pl.concat(parts).lazy()).select(HOST, "bucket", "count")
                unknown[name] = pl.concat([unknown[name], *(one.unknown[name] for one in around)])
                rows = _with_percentiles(rows, cells[name], unknown[name], item)
            yield rows

    def _added(self, parts: Iterable[pl.DataFrame], label: WindowLabel) -> pl.DataFrame:
        sums = added_up(self.plan.measures)
        rows = pl.concat(parts, how="vertical_relaxed").lazy().group_by(HOST)
        found = rows.agg(
            *map(summed, sums), *map(_most, _largest_counts(self.plan.measures))
        ).collect()
        self._refuse_overflow(found, sums, label)
        return found.sort(HOST).with_columns(pl.col(sums).cast(pl.Int64))

    def _refuse_overflow(self, rows: pl.DataFrame, sums: list[str], label: WindowLabel) -> None:
        """Raise OverflowingColumnError for the first host, by role and address, with a sum that leaves int64."""
        leaves = [(pl.col(name) > INT64_MAX).fill_null(False).alias(name) for name in sums]
        too_large = rows.filter(pl.any_horizontal(leaves))
        if not too_large.is_empty():
            keys = [role_of(), self.numbers.host_ip()]
            first = too_large.with_columns(keys).sort("role", "host_ip").head(1)
            flags = first.select(leaves).row(0, named=True)
            role, host_ip = first.select("role", "host_ip").row(0)
            raise OverflowingColumnError(
                next(name for name in sums if flags[name]),
                overflow_place(host_ip, role, label.name, self.anchor),
            )


def _with_percentiles(
    rows: pl.DataFrame, cells: pl.DataFrame, unknown: pl.Series, item: Distribution
) -> pl.DataFrame:
    """Add the percentiles of a distribution: null where a slice lacks the histogram, and without sessions."""
    histograms = Ranked.of(cells, HOST)
    found = [
        histograms.at(one.percent, compile_expr(one.value)).alias(one.name)
        for one in item.readouts
        if isinstance(one, Quantile)
    ]
    by_host = pl.DataFrame([histograms.keys, *found])
    rows = rows.join(by_host, on=HOST, how="left", maintain_order="left")
    names = [one.name for one in item.readouts]
    is_known = ~pl.col(HOST).is_in(unknown.implode())
    return rows.with_columns(pl.when(is_known).then(pl.col(names)))


def _largest_counts(measures: Sequence[Measure]) -> list[str]:
    return [readout.name for one in largest(measures) for readout in one.readouts]


def _most(name: str) -> pl.Expr:
    return pl.when(pl.col(name).null_count() == 0).then(pl.col(name).max()).alias(name)


def _no_rows(measures: Sequence[Measure]) -> pl.DataFrame:
    columns = [*added_up(measures), *_largest_counts(measures)]
    return pl.DataFrame(schema={HOST: pl.Int64(), **dict.fromkeys(columns, pl.Int64())})


_NO_CELLS: Final = pl.DataFrame(schema={**CELLS, "bucket": pl.Int64(), "count": pl.Int64()})
_NO_HOSTS: Final = pl.Series(HOST, dtype=pl.Int64)
