"""Published rows of the hosts whose windows are built -> rows with numbers for texts: read once, then parted by host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl
from attrs import evolve, frozen

from ndr_adapters.polars.cell_counts import added_cells
from ndr_adapters.polars.features.frames import HistoryRows, IntervalRows, WindowFrames
from ndr_adapters.polars.features.intervals import Interval
from ndr_adapters.polars.features.numbers import PEER, PORT, SEGMENT, Numbers, port
from ndr_adapters.polars.views import HOST
from ndr_core.deltas.roles import OUTBOUND
from ndr_core.deltas.tables import CELL_SUMS
from ndr_core.deltas.timing import SECONDS, SENT, STARTS, UNANSWERED
from ndr_core.features.networks import Hosts, Side
from ndr_core.history.tables import (
    HOST_PEER_HISTORY,
    HOST_PORT_HISTORY,
    HOST_SEGMENT_HISTORY,
    PAIR_HISTORY,
)
from ndr_core.measures.kinds import (
    Additive,
    Distribution,
    LargestCount,
    Measure,
    Quantile,
    Untold,
)
from ndr_core.times import SECOND_US
from ndr_core.windows.plan import WindowPlan

ROW: Final = "row"
"""Column of pairs: where in `PairRows.histograms` its row lies."""
START: Final = "slice_start_s"
"""Column of pairs: start of the slice, whole seconds since 1970-01-01 UTC."""
MASK: Final = "days_mask"

SESSIONS, SENT_SUM = CELL_SUMS
PAIR_VALUES: Final = (SESSIONS, SENT_SUM, UNANSWERED.name, SECONDS.name)
"""Sums of a pair; the last two are null for inbound."""


@frozen
class PairRows:
    """Pairs of one role in the slices of an interval."""

    interval: Interval
    pairs: pl.DataFrame
    """HOST, PEER, PORT; where a window holds the interval also START, ROW and PAIR_VALUES."""
    histograms: pl.DataFrame
    """`starts` and `bytes_sent_hist`, by ROW: where they are needed, else null."""


@frozen
class DeltaRows:
    """What the slices of an interval add to windows, by HOST."""

    window: int
    """The place of the smallest window that holds it."""
    rows: pl.DataFrame
    """HOST and the columns that add up, as they are in the slices."""
    cells: Mapping[str, pl.DataFrame]
    """Name of a distribution -> HOST, `bucket` and `count`."""
    unknown: Mapping[str, pl.Series]
    """Name of a distribution -> HOST of rows without its histogram."""


@frozen
class NumberedFrames:
    """Rows of some hosts, or of all, in memory."""

    numbers: Numbers
    deltas: tuple[DeltaRows, ...]
    pairs: tuple[PairRows, ...]
    history: Mapping[str, Mapping[int, pl.DataFrame]]
    """Name of a table of the history -> day -> its rows, with numbers."""

    @property
    def weight(self) -> int:
        """Rows of pairs."""
        return sum(one.pairs.height for one in self.pairs)

    def parts(self, number: int) -> list[NumberedFrames]:
        """Part them into so many by host."""
        if number == 1:
            return [self]
        return [self._where(pl.col(HOST) // 2 % number == part) for part in range(number)]

    def _where(self, condition: pl.Expr) -> NumberedFrames:
        return evolve(
            self,
            deltas=tuple(
                DeltaRows(
                    one.window,
                    one.rows.filter(condition),
                    {name: cells.filter(condition) for name, cells in one.cells.items()},
                    one.unknown,
                )
                for one in self.deltas
            ),
            pairs=tuple(evolve(one, pairs=one.pairs.filter(condition)) for one in self.pairs),
            history={
                name: {day: rows.filter(condition) for day, rows in days.items()}
                for name, days in self.history.items()
            },
        )


def numbered(
    frames: WindowFrames, plan: WindowPlan, bases: Iterable[int], *, has_day: bool
) -> NumberedFrames:
    """Read the rows of hosts whose windows are built.

    `bases`: the days of the history that windows need; `has_day`: whether a window is a whole day long.
    """
    numbers = Numbers(plan.networks)
    deltas = []
    hosts = [pl.Series(HOST, dtype=pl.Int64)]
    for one in frames.rows:
        if one.deltas is not None and one.interval.window is not None:
            hosts.append(_hosts(one.deltas.select(numbers.host(one.role)), numbers, plan))
            rows = _of_hosts(one.deltas, numbers.host(one.role), hosts[-1])
            deltas.append(_delta_rows(rows, one.interval.window, plan))
    all_hosts = pl.concat(hosts).unique()
    pairs = [
        _pair_rows(
            one, _of_hosts(one.pairs, numbers.host(one.role), all_hosts), numbers, plan, has_day
        )
        for one in frames.rows
    ]
    history = _history(frames.history, bases, numbers, all_hosts)
    return NumberedFrames(numbers, tuple(deltas), tuple(pairs), history)


def added_up(measures: Iterable[Measure]) -> list[str]:
    """Name the columns of deltas that add up in windows."""
    return [one.name for one in measures if isinstance(one, Additive | Untold)]


def largest(measures: Iterable[Measure]) -> list[str]:
    """Name the columns of deltas of which windows have the largest."""
    readouts = (out for one in measures if isinstance(one, Distribution) for out in one.readouts)
    return [out.name for out in readouts if isinstance(out, LargestCount)]


def ranked(measures: Iterable[Measure]) -> list[Distribution]:
    """Give the distributions out of whose histograms windows read percentiles."""
    return [
        one
        for one in measures
        if isinstance(one, Distribution) and any(isinstance(out, Quantile) for out in one.readouts)
    ]


def _hosts(hosts: pl.LazyFrame, numbers: Numbers, plan: WindowPlan) -> pl.Series:
    found = hosts.unique().collect(engine="streaming").to_series()
    if plan.hosts is Hosts.ALL:
        return found
    return found.filter(numbers.host_sides(found) == Side.INTERNAL.value)


def _of_hosts(rows: pl.LazyFrame, host: pl.Expr, hosts: pl.Series) -> pl.LazyFrame:
    return rows.with_columns(host).join(hosts.to_frame().lazy(), on=HOST, how="semi")


def _delta_rows(rows: pl.LazyFrame, window: int, plan: WindowPlan) -> DeltaRows:
    distributions = ranked(plan.measures)
    plain = [*added_up(plan.measures), *largest(plan.measures)]
    histograms = [one.histogram for one in distributions]
    found = rows.select(HOST, *plain, *histograms).collect(engine="streaming")
    return DeltaRows(
        window,
        found.select(HOST, *plain),
        {one.name: _cells(found, one.histogram) for one in distributions},
        {
            one.name: found.filter(pl.col(one.histogram).is_null()).get_column(HOST).unique()
            for one in distributions
        },
    )


def _cells(rows: pl.DataFrame, histogram: str) -> pl.DataFrame:
    cells = (
        rows.lazy()
        .select(HOST, histogram)
        .filter(pl.col(histogram).list.len() > 0)
        .explode(histogram)
        .select(HOST, pl.col(histogram).struct.unnest())
    )
    return added_cells(cells).select(HOST, "bucket", "count")


def _pair_rows(
    of: IntervalRows, rows: pl.LazyFrame, numbers: Numbers, plan: WindowPlan, has_day: bool
) -> PairRows:
    keys = [HOST, numbers.peer(), port()]
    if of.interval.window is None:
        return PairRows(of.interval, rows.select(keys).collect(engine="streaming"), _NO_HISTOGRAMS)
    is_outbound = of.role == OUTBOUND.name
    outbound_only = [
        pl.col(name) if is_outbound else pl.lit(0, dtype=pl.Int64).alias(name)
        for name in (UNANSWERED.name, SECONDS.name)
    ]
    start = (pl.col("slice_start_ts").dt.epoch("us") // SECOND_US).alias(START)
    histograms = []
    if is_outbound and has_day:
        histograms = [pl.col(STARTS.name), pl.col(SENT.name)]
    elif is_outbound:
        is_auth = pl.col("peer_port").is_in(sorted(plan.ports.auth))
        histograms = [pl.when(is_auth).then(pl.col(SENT.name)).alias(SENT.name)]
    found = rows.select(*keys, start, SESSIONS, SENT_SUM, *outbound_only, *histograms)
    whole = found.collect(engine="streaming").with_row_index(ROW)
    names = [one.meta.output_name() for one in histograms]
    return PairRows(of.interval, whole.drop(names), whole.select(names))


_NO_HISTOGRAMS: Final = pl.DataFrame()


def _history(
    history: Iterable[HistoryRows], bases: Iterable[int], numbers: Numbers, hosts: pl.Series
) -> dict[str, dict[int, pl.DataFrame]]:
    """Rows of each table by day; a day without rows has a frame without rows."""
    days = {name: {day: [_no_days(keys)] for day in bases} for name, keys in _KEYS_OF.items()}
    keys = {PEER: numbers.peer(), PORT: port(), SEGMENT: numbers.segment()}
    for one in history:
        for name, rows in one.tables.items():
            columns = [HOST, *(keys[key] for key in _KEYS_OF[name]), MASK]
            of_hosts = _of_hosts(rows, numbers.host(one.role), hosts).select(columns)
            days[name][one.day].append(of_hosts.collect(engine="streaming"))
    return {
        name: {day: pl.concat(parts) for day, parts in of_table.items()}
        for name, of_table in days.items()
    }


_KEYS_OF: Final = {
    PAIR_HISTORY.name: (PEER, PORT),
    HOST_PEER_HISTORY.name: (PEER,),
    HOST_PORT_HISTORY.name: (PORT,),
    HOST_SEGMENT_HISTORY.name: (SEGMENT,),
}
"""Name of a table of the history -> what makes a row of it, beside HOST."""


def _no_days(keys: Iterable[str]) -> pl.DataFrame:
    return pl.DataFrame(
        schema={HOST: pl.Int64(), **dict.fromkeys(keys, pl.UInt32()), MASK: pl.Int64()}
    )
