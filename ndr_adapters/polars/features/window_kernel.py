"""The windows that end at one moment, of some hosts or of all: published rows -> rows of `fg_a` and `beacon`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars import derive
from ndr_adapters.polars.aggregate import summarized
from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.features.beacons import beacon_maxima, beacon_rows, regular_pairs
from ndr_adapters.polars.features.detection import detections, new_admin_peers, segments
from ndr_adapters.polars.features.earlier import Earlier
from ndr_adapters.polars.features.frames import WindowFrames
from ndr_adapters.polars.features.host_sums import Merger
from ndr_adapters.polars.features.hosts import counted, joined
from ndr_adapters.polars.features.intervals import Intervals
from ndr_adapters.polars.features.masks import Sight
from ndr_adapters.polars.features.novelty import Known, novelty
from ndr_adapters.polars.features.numbered import NumberedFrames, numbered
from ndr_adapters.polars.features.numbers import PORT, is_outbound, peer_port, role_of
from ndr_adapters.polars.features.pair_cells import PairCells
from ndr_adapters.polars.features.pair_histograms import PairHistograms
from ndr_adapters.polars.features.prevalence import Prevalence
from ndr_adapters.polars.features.window_pairs import WindowPairs
from ndr_adapters.polars.views import HOST
from ndr_adapters.polars.write import DTYPES, empty_frame
from ndr_core.measures.kinds import PairDerived, cell_aggregates, of_kind
from ndr_core.tables.columns import ColumnType, OutputColumn
from ndr_core.tables.table import Table
from ndr_core.windows.aggregates import (
    BEACON_AGGREGATES,
    HISTORY_AGGREGATES,
)
from ndr_core.windows.engine import WindowInputs
from ndr_core.windows.formulas import FORMULAS
from ndr_core.windows.history_source import HistorySource
from ndr_core.windows.labels import WindowLabel
from ndr_core.windows.plan import WindowPlan
from ndr_core.windows.tables import BEACON

PAIRS_AT_ONCE: Final = 3 << 20
"""What is built at once, as `NumberedFrames.weight` has it: more is parted by host."""


@frozen
class Anchor:
    """The windows to build: those that end at one moment."""

    end: int
    """us since 1970-01-01 UTC."""
    labels: tuple[WindowLabel, ...]
    """The shortest first."""
    coverage: Mapping[WindowLabel, int]
    """Published slices of each."""
    history: Mapping[WindowLabel, HistorySource]
    """Where the history of each comes from."""

    @classmethod
    def of(cls, inputs: WindowInputs) -> Anchor:
        """Take what the inputs of a run say."""
        labels = tuple(sorted(inputs.labels))
        return cls(inputs.anchor, labels, inputs.coverage, inputs.history)

    @property
    def intervals(self) -> Intervals:
        """The intervals of which rows are needed."""
        return Intervals.of(self.end, self.labels, self.history)

    @property
    def has_day(self) -> bool:
        """Whether a window is a whole day long: only such a one has beacons."""
        return any(label.is_day for label in self.labels)

    @property
    def day_history(self) -> HistorySource | None:
        """Where the history of a whole day's window comes from; None if none is built, or its history is not known."""
        sources = (self.history[label] for label in self.labels if label.is_day)
        return next((source for source in sources if source.is_known), None)

    @property
    def bases(self) -> tuple[int, ...]:
        """The days of the history whose rows are needed."""
        bases = {source.base for source in self.history.values() if source.is_known}
        return tuple(sorted(day for day in bases if day is not None))


@frozen
class WindowTables:
    """Rows in the columns of the tables, in no order."""

    fg_a: pl.DataFrame
    beacons: pl.DataFrame


def build_windows(
    frames: WindowFrames,
    plan: WindowPlan,
    anchor: Anchor,
    prevalence: Prevalence | None = None,
    pairs_at_once: int = PAIRS_AT_ONCE,
) -> Iterator[WindowTables]:
    """Build the windows of the hosts of some frames, some hosts at a time: each of the tables has rows of these.

    `prevalence`: of all hosts, by the history of a whole day; None where no window is one, or its history is not
    known. Raises OverflowingColumnError where a sum leaves int64.
    """
    whole = numbered(frames, plan, anchor.bases, has_day=anchor.has_day)
    del frames  # which may hold rows in memory
    if whole.hosts.is_empty():
        return
    for rows in whole.parts(max(1, -(-whole.weight // pairs_at_once))):
        built = list(_built(rows, plan, anchor, prevalence))
        yield WindowTables(
            pl.concat(one.fg_a for one in built), pl.concat(one.beacons for one in built)
        )


def _built(
    rows: NumberedFrames, plan: WindowPlan, anchor: Anchor, prevalence: Prevalence | None
) -> Iterator[WindowTables]:
    """The tables of each window."""
    merger = Merger(plan, rows.numbers, anchor.end, anchor.labels)
    merged = list(merger.windows(rows.deltas))
    cells = PairCells.of(rows.pairs, rows.places)
    earlier = Earlier.of(rows.pairs, rows.places)
    known = Known.of(cells, earlier, rows.hosts, rows.history, plan.ports.lateral)
    intervals = anchor.intervals
    for place, label in enumerate(anchor.labels):
        source = anchor.history[label]
        window = _Window(
            plan,
            rows,
            label,
            WindowPairs.of(cells, place),
            PairHistograms(rows.pairs, cells, place),
            known,
            Sight(source, intervals) if source.is_known else None,
            plan.constants(label, anchor.end, anchor.coverage[label], source),
        )
        yield window.tables(merged[place], prevalence)


@frozen
class _Window:
    """What one window is made of."""

    plan: WindowPlan
    rows: NumberedFrames
    label: WindowLabel
    pairs: WindowPairs
    histograms: PairHistograms
    known: Known
    sight: Sight | None
    """None where the history is not known."""
    constants: Mapping[str, Any]

    def tables(self, merged: pl.DataFrame, prevalence: Prevalence | None) -> WindowTables:
        """Make the rows. `merged`: as `Merger.windows`."""
        hosts = self._of_pairs(merged)
        of_history = self._of_history(hosts)
        regular = None
        if self.label.is_day:
            regular = beacon_rows(
                regular_pairs(self.pairs, self.histograms),
                self.rows.numbers,
                of_history,
                self.known,
                self.sight,
                prevalence,
            )
        parts = [
            segments(self.pairs, hosts),
            of_history.lazy(),
            self._detections(hosts),
            self._beacon_maxima(hosts, regular),
        ]
        values = hosts.lazy()
        for part in parts:
            values = values.join(part, on=HOST, how="left", maintain_order="left")
        for formula in FORMULAS:
            values = values.with_columns(compile_expr(formula.value).alias(formula.name))
        beacons = empty_frame(BEACON.columns) if regular is None else self._named(regular, BEACON)
        return WindowTables(self._named(values.collect(), self.plan.fg_a), beacons)

    def _of_pairs(self, merged: pl.DataFrame) -> pl.DataFrame:
        """Add the columns that are made of distinct peers and ports."""
        measures = of_kind(self.plan.measures, PairDerived)
        of_key = {
            "peer_ip": self.pairs.contacts,
            "peer_port": self.pairs.ports.filter(pl.col(PORT) > 0),
        }
        cells = [
            summarized(of_key[key].select(HOST, "sessions", "bytes"), aggregates)
            for key, aggregates in cell_aggregates(measures).items()
        ]
        return derive.derived_rows(merged, cells, measures)

    def _of_history(self, hosts: pl.DataFrame) -> pl.DataFrame:
        if self.sight is None:
            return hosts.select(HOST, *_nulls(HISTORY_AGGREGATES))
        return novelty(self.pairs, self.known, self.sight)

    def _detections(self, hosts: pl.DataFrame) -> pl.LazyFrame:
        outbound = hosts.filter(is_outbound())
        ports = self.plan.ports
        found = detections(self.pairs, outbound, self.histograms, ports)
        if self.sight is None:
            return found.with_columns(pl.lit(None, dtype=pl.Int64).alias(_NEW_ADMIN))
        new = new_admin_peers(self.pairs, outbound, ports, self.known, self.sight)
        return found.join(new, on=HOST, how="left", maintain_order="left")

    def _beacon_maxima(self, hosts: pl.DataFrame, regular: pl.DataFrame | None) -> pl.LazyFrame:
        if regular is None:
            return hosts.lazy().select(HOST, *_nulls(BEACON_AGGREGATES))
        return counted(joined(hosts.filter(is_outbound()), [beacon_maxima(regular)]))

    def _named(self, rows: pl.DataFrame, table: Table) -> pl.DataFrame:
        """Rows in the columns of a table, with texts in place of numbers."""
        names = [self.rows.numbers.host_ip(), role_of()]
        if table is BEACON:
            names += [self.rows.numbers.peer_ip(), peer_port()]
        constants = {name: pl.lit(value) for name, value in self.constants.items()}
        return (
            rows.lazy()
            .with_columns(names)
            .with_columns(value.alias(name) for name, value in constants.items())
            .select(map(_held, table.columns))
            .collect()
        )


_NEW_ADMIN: Final = "detection:new_admin_peers"


def _nulls(aggregates: Sequence[Any]) -> list[pl.Expr]:
    return [pl.lit(None, dtype=DTYPES[one.type]).alias(one.name) for one in aggregates]


def _held(column: OutputColumn) -> pl.Expr:
    """A column in the type of its table; moments are us before."""
    value = pl.col(column.name)
    if column.type is ColumnType.TIMESTAMP:
        return pl.from_epoch(value, time_unit="us").dt.replace_time_zone("UTC")
    return value.cast(DTYPES[column.type])
