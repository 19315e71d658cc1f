"""Published rows of the hosts whose windows are built -> rows with numbers for texts: read once, then parted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import polars as pl
from attrs import evolve, frozen

from ndr_adapters.polars.features.delta_rows import DeltaRows, deltas_of
from ndr_adapters.polars.features.frames import HistoryRows, IntervalRows, WindowFrames
from ndr_adapters.polars.features.host_choice import chosen, marks_of, of_hosts
from ndr_adapters.polars.features.intervals import Interval
from ndr_adapters.polars.features.numbers import PEER, PORT, SEGMENT, Numbers, contact_hash, port
from ndr_adapters.polars.keys import distinct
from ndr_adapters.polars.views import HOST
from ndr_core.deltas.roles import OUTBOUND
from ndr_core.deltas.tables import CELL_SUMS
from ndr_core.deltas.timing import SECONDS, SENT, STARTS, UNANSWERED
from ndr_core.history.tables import (
    HOST_PEER_HISTORY,
    HOST_PORT_HISTORY,
    HOST_SEGMENT_HISTORY,
    PAIR_HISTORY,
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
        is_chosen = marks_of(hosts, among=self.hosts)
        return NumberedFrames(
            self.numbers,
            hosts,
            tuple(one.of_hosts(is_chosen) for one in self.deltas),
            tuple(evolve(one, pairs=chosen(one.pairs, is_chosen)) for one in self.pairs),
            self.places,
            {
                name: {day: chosen(rows, is_chosen) for day, rows in days.items()}
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
        hosts[role], of_role = deltas_of(frames.rows, role, numbers, plan)
        deltas += of_role
    pairs = tuple(
        _pair_rows(
            one,
            of_hosts(one.pairs.with_columns(numbers.host(one.role)), hosts[one.role]),
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


def pair_histograms(role: str, plan: WindowPlan, *, has_day: bool) -> list[pl.Expr]:
    """Give what is read of the histograms of pairs of a role; `has_day`: whether a window is a whole day long."""
    if role != OUTBOUND.name:
        return []
    if has_day:
        return [pl.col(STARTS.name), pl.col(SENT.name)]
    is_auth = pl.col("peer_port").is_in(sorted(plan.ports.auth))
    return [pl.when(is_auth).then(pl.col(SENT.name)).alias(SENT.name)]


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
            built = of_hosts(rows.with_columns(numbers.host(one.role)), hosts[one.role])
            days[name][one.day].append(built.select(columns).collect(engine="streaming"))
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
