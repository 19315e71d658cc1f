"""What the windows of an anchor are made of, as frames: rows of deltas and pairs, and of the history."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl
from attrs import evolve, field, frozen

from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.polars.features.intervals import Interval


@frozen
class IntervalRows:
    """Rows of one role in the slices of an interval, of any split of the records: they need not be merged."""

    interval: Interval
    role: str
    pairs: pl.LazyFrame
    deltas: pl.LazyFrame | None
    """None for an interval that no window holds."""


@frozen
class HistoryRows:
    """Rows of one role in the tables of the history of one day."""

    day: int
    """Days since 1970-01-01 UTC."""
    role: str
    tables: Mapping[str, pl.LazyFrame]
    """Name of a table -> its rows: `pair_history` and the views of it."""


@frozen
class WindowFrames:
    """Rows of some hosts, or of all."""

    rows: tuple[IntervalRows, ...]
    history: tuple[HistoryRows, ...] = field(default=())
    addresses: Addresses = field(factory=Addresses)
    """Addresses in the rows may be texts, or what this knows by its numbers (`Addresses.known`)."""

    def shares(self, number: int) -> list[WindowFrames]:
        """Part them into so many shares by host: the windows of each share can be built by themselves."""
        if number == 1:
            return [self]
        return [self._where(_in_share(share, number)) for share in range(number)]

    def _where(self, condition: pl.Expr) -> WindowFrames:
        def chosen(rows: pl.LazyFrame) -> pl.LazyFrame:
            return rows.filter(condition)

        return WindowFrames(
            tuple(_mapped(one, chosen) for one in self.rows),
            tuple(
                evolve(one, tables={name: chosen(rows) for name, rows in one.tables.items()})
                for one in self.history
            ),
            self.addresses,
        )


def _mapped(rows: IntervalRows, chosen: Callable[[pl.LazyFrame], pl.LazyFrame]) -> IntervalRows:
    deltas = None if rows.deltas is None else chosen(rows.deltas)
    return evolve(rows, pairs=chosen(rows.pairs), deltas=deltas)


def _in_share(share: int, number: int) -> pl.Expr:
    return pl.col("host_ip").hash() % number == share
