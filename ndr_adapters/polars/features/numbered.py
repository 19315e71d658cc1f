"""Published rows of the hosts whose windows are built -> rows with numbers for texts: read once, then parted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import polars as pl
from attrs import evolve, frozen

from ndr_adapters.polars.cell_counts import added_cells
from ndr_adapters.polars.features.frames import HistoryRows, IntervalRows, WindowFrames
from ndr_adapters.polars.features.intervals import Interval
from ndr_adapters.polars.features.numbers import PEER, PORT, SEGMENT, Numbers, contact_hash, port
from ndr_adapters.polars.keys import distinct
from ndr_adapters.polars.marks import marks
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
    Measure,
    Quantile,
    Untold,
    of_kind,
)
from ndr_core.times import SECOND_US
from ndr_core.windows.plan import ROLE_NAMES, WindowPlan

ROW: Final = "row"
"""Column of pairs: where in `PairRows.histograms` its row lies."""
START: Final = "slice_start_s"
"""Column of pairs: start of the slice, whole seconds since 1970-01-01 UTC."""
_HISTORY_ROWS: Final = 4
"""Rows that only histories hold, in place of one in a window."""
_HOST_WEIGHT: Final = 32
"""The windows of a host, by a row of pairs: five rows of more than a hundred columns."""
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
        cells = {name: _chosen(cells, is_chosen) for name, cells in self.cells.items()}
        return DeltaRows(self.window, _chosen(self.rows, is_chosen), cells, self.unknown)


@frozen
class NumberedFrames:
    """Rows of some hosts, or of all, in memory."""

    numbers: Numbers
    hosts: pl.DataFrame
    """HOST of each host with a row of deltas in a window."""
    deltas: tuple[DeltaRows, ...]
    pairs: tuple[PairRows, ...]
    places: pl.DataFrame
    """PEER, SIDE and SEGMENT of the peers of pairs."""
    history: Mapping[str, Mapping[int, pl.DataFrame]]
    """Name of a table of the history -> day -> its rows, with numbers.

    Of those with peers, rows may be left out whose host has none of these peers in a window.
    """

    @property
    def weight(self) -> int:
        """What building takes of memory, by a row of pairs in a window.

        Rows that only histories hold have few columns, and the windows of a host have many.
        """
        kept = [(one.pairs.height, one.interval.window is None) for one in self.pairs]
        of_history = sum(rows for rows, only_history in kept if only_history)
        in_windows = sum(rows for rows, only_history in kept if not only_history)
        return in_windows + of_history // _HISTORY_ROWS + self.hosts.height * _HOST_WEIGHT

    def parts(self, number: int) -> Iterator[NumberedFrames]:
        """Part them into so many by host: the same hosts make the same parts."""
        if number == 1:
            yield self
            return
        place = self.numbers.host_ip().hash() % number
        by_place = self.hosts.with_columns(place.alias("place")).partition_by(
            "place", as_dict=True, include_key=False
        )
        yield from (self._of(by_place[key]) for key in sorted(by_place))

    def _of(self, hosts: pl.DataFrame) -> NumberedFrames:
        is_chosen = _marks_of(hosts, among=self.hosts)
        return NumberedFrames(
            self.numbers,
            hosts,
            tuple(one.of_hosts(is_chosen) for one in self.deltas),
            tuple(evolve(one, pairs=_chosen(one.pairs, is_chosen)) for one in self.pairs),
            self.places,
            {
                name: {day: _chosen(rows, is_chosen) for day, rows in days.items()}
                for name, days in self.history.items()
            },
        )


def numbered(
    frames: WindowFrames, plan: WindowPlan, bases: Iterable[int], *, has_day: bool
) -> NumberedFrames:
    """Read the rows of hosts whose windows are built.

    `bases`: the days of the history that windows need; `has_day`: whether a window is a whole day long.
    """
    numbers = Numbers(plan.networks, frames.addresses)
    hosts, deltas = {}, []
    for role in ROLE_NAMES:
        hosts[role], of_role = _deltas_of(frames.rows, role, numbers, plan)
        deltas += of_role
    pairs = tuple(
        _pair_rows(
            one,
            _of_hosts(one.pairs.with_columns(numbers.host(one.role)), hosts[one.role]),
            numbers,
            plan,
            has_day,
        )
        for one in frames.rows
        if hosts[one.role].height
    )
    # The windows of less than a day ask for little of the history.
    asked = None if has_day else _contacts(pairs, numbers)
    history = _history(frames.history, bases, numbers, hosts, asked)
    peers = [one.pairs.get_column(PEER).unique() for one in pairs]
    places = numbers.places(pl.concat([_NO_PEERS, *peers]).unique())
    return NumberedFrames(numbers, pl.concat(hosts.values()), tuple(deltas), pairs, places, history)


def added_up(measures: Sequence[Measure]) -> list[str]:
    """Name the columns of deltas that add up in windows."""
    return [one.name for one in measures if isinstance(one, Additive | Untold)]


def largest(measures: Sequence[Measure]) -> list[Distribution]:
    """Give the distributions of which windows have the largest counts."""
    return [one for one in of_kind(measures, Distribution) if not _percentiles(one)]


def ranked(measures: Sequence[Measure]) -> list[Distribution]:
    """Give the distributions of which windows have percentiles."""
    return [one for one in of_kind(measures, Distribution) if _percentiles(one)]


def pair_histograms(role: str, plan: WindowPlan, *, has_day: bool) -> list[pl.Expr]:
    """Give what is read of the histograms of pairs of a role; `has_day`: whether a window is a whole day long."""
    if role != OUTBOUND.name:
        return []
    if has_day:
        return [pl.col(STARTS.name), pl.col(SENT.name)]
    is_auth = pl.col("peer_port").is_in(sorted(plan.ports.auth))
    return [pl.when(is_auth).then(pl.col(SENT.name)).alias(SENT.name)]


def _percentiles(item: Distribution) -> bool:
    return any(isinstance(one, Quantile) for one in item.readouts)


def _deltas_of(
    rows: Iterable[IntervalRows], role: str, numbers: Numbers, plan: WindowPlan
) -> tuple[pl.DataFrame, list[DeltaRows]]:
    """HOST of the hosts of a role whose windows are built, and their rows."""
    parts = [
        (one.interval.window, one.deltas.with_columns(numbers.host(role)))
        for one in rows
        if one.role == role and one.deltas is not None and one.interval.window is not None
    ]
    if not parts:
        return _NO_HOSTS, []
    _, smallest = min(parts, key=lambda part: part[0])
    sample = smallest.select(HOST).collect(engine="streaming")
    if 2 * _built(sample, numbers, plan).height > sample.height:
        # In one reading: to look for the hosts first takes a third as long, and leaves few rows out.
        merged = [_delta_rows(of_slices, window, plan) for window, of_slices in parts]
        every = pl.concat(one.rows.select(HOST) for one in merged).unique()
        hosts = _built(every, numbers, plan)
        is_built = _marks_of(hosts, among=every)
        return hosts, [one.of_hosts(is_built) for one in merged]
    hosts_of_slices = pl.concat(of_slices.select(HOST) for _, of_slices in parts).unique()
    hosts = _built(hosts_of_slices.collect(engine="streaming"), numbers, plan)
    if hosts.is_empty():
        return hosts, []
    return hosts, [_delta_rows(_of_hosts(part, hosts), window, plan) for window, part in parts]


def _built(hosts: pl.DataFrame, numbers: Numbers, plan: WindowPlan) -> pl.DataFrame:
    """Those of some HOST whose windows are built."""
    if plan.hosts is Hosts.ALL:
        return hosts
    return hosts.filter(numbers.host_sides(hosts.get_column(HOST)) == Side.INTERNAL.value)


def _marks_of(hosts: pl.DataFrame, *, among: pl.DataFrame) -> pl.Series:
    """Whether a HOST, of those among which they are, is one of some hosts."""
    size = among.select(pl.max(HOST).fill_null(-1) + 1).item()
    return marks(hosts.get_column(HOST), size)


def _chosen(rows: pl.DataFrame, is_chosen: pl.Series) -> pl.DataFrame:
    return rows.filter(is_chosen.gather(rows.get_column(HOST)))


def _of_hosts(rows: pl.LazyFrame, hosts: pl.DataFrame) -> pl.LazyFrame:
    return rows.filter(pl.col(HOST).is_in(hosts.get_column(HOST).implode()))


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


def _pair_rows(
    of: IntervalRows, rows: pl.LazyFrame, numbers: Numbers, plan: WindowPlan, has_day: bool
) -> PairRows:
    keys = [pl.col(HOST), numbers.peer(), port()]
    if of.interval.window is None:
        pairs = rows.select(keys).collect(engine="streaming")
        return PairRows(of.interval, distinct(pairs), _NO_HISTOGRAMS)
    is_outbound = of.role == OUTBOUND.name
    outbound_only = [
        pl.col(name) if is_outbound else pl.lit(0, dtype=pl.Int64).alias(name)
        for name in (UNANSWERED.name, SECONDS.name)
    ]
    start = (pl.col("slice_start_ts").dt.epoch("us") // SECOND_US).alias(START)
    histograms = pair_histograms(of.role, plan, has_day=has_day)
    found = rows.select(*keys, start, SESSIONS, SENT_SUM, *outbound_only, *histograms)
    # In one piece: rows are taken from it by their places, which takes long among the pieces of many files.
    whole = found.collect(engine="streaming").rechunk().with_row_index(ROW)
    names = [one.meta.output_name() for one in histograms]
    return PairRows(of.interval, whole.drop(names), whole.select(names))


_NO_PEERS: Final = pl.Series(PEER, dtype=pl.UInt32)
_NO_HISTOGRAMS: Final = pl.DataFrame()
_NO_HOSTS: Final = pl.DataFrame(schema={HOST: pl.Int64()})
_NO_CONTACTS: Final = pl.DataFrame(schema={HOST: pl.Int64(), PEER: pl.UInt32()})


def _history(
    history: Iterable[HistoryRows],
    bases: Iterable[int],
    numbers: Numbers,
    hosts: Mapping[str, pl.DataFrame],
    asked: pl.Series | None,
) -> dict[str, dict[int, pl.DataFrame]]:
    """Rows of each table by day; a day without rows has a frame without rows. `asked`: see `_contacts`; None: all."""
    days = {name: {day: [_no_days(keys)] for day in bases} for name, keys in _KEYS_OF.items()}
    keys = {PEER: numbers.peer(), PORT: port(), SEGMENT: numbers.segment()}
    for one in history:
        for name, rows in one.tables.items():
            columns = [HOST, *(keys[key] for key in _KEYS_OF[name]), MASK]
            if asked is not None and PEER in _KEYS_OF[name]:
                rows = rows.filter(contact_hash().is_in(asked.implode()))
            of_hosts = _of_hosts(rows.with_columns(numbers.host(one.role)), hosts[one.role])
            days[name][one.day].append(of_hosts.select(columns).collect(engine="streaming"))
    return {
        name: {day: pl.concat(parts) for day, parts in of_table.items()}
        for name, of_table in days.items()
    }


def _contacts(pairs: Iterable[PairRows], numbers: Numbers) -> pl.Series:
    """`contact_hash` of hosts and their peers in windows: texts that differ from all of these needn't be numbered."""
    in_windows = [one.pairs.select(HOST, PEER) for one in pairs if one.interval.window is not None]
    contacts = pl.concat([_NO_CONTACTS, *in_windows]).lazy().unique()
    texts = contacts.select(numbers.host_ip(), numbers.peer_ip())
    return texts.select(contact_hash()).collect().to_series()


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
