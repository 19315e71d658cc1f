"""The pair history of a day, compiled for Polars: functions of frames.

Rows may be shared out by host: each share is built by itself, and only prevalence is put together of all shares.
Addresses are numbers that sort as their texts do, so that a pair is one integer and rows come out in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.features.history_numbers import DayRows, Numbered, are_internal
from ndr_adapters.polars.features.networks import segments
from ndr_adapters.polars.keys import grouped
from ndr_adapters.polars.write import DTYPES, empty_frame
from ndr_core.deltas.roles import OUTBOUND
from ndr_core.errors import OverflowingColumnError
from ndr_core.history.masks import DAYS
from ndr_core.history.plan import ROLES, HistoryPlan, row_place
from ndr_core.history.prevalence import OF_DAY
from ndr_core.history.tables import (
    HOST_PEER_HISTORY,
    HOST_PORT_HISTORY,
    HOST_SEGMENT_HISTORY,
    PAIR_HISTORY,
    PAIR_TILE,
    PREVALENCE,
)
from ndr_core.int64 import INT64_MAX
from ndr_core.tables.columns import ColumnType
from ndr_core.tables.table import Table

_KEY: Final = ("role", "host", "peer", "port")
"""A pair in numbers: the place of the role, the ranks of two addresses, and the port + 1, 0 for an unknown one."""
_SUMS: Final = ("sessions", "bytes")
_ALL: Final = 1 << DAYS
_SEEN_BITS: Final = 56
"""Times of sessions, us, are smaller than 2^56."""


@frozen
class HistoryShare:
    """The history of a day of the hosts of one share."""

    plan: HistoryPlan
    texts: pl.Series
    """The addresses, in order: the number of one is its place."""
    history: pl.DataFrame
    """Pairs with `mask`, `seen`, `sessions`, `bytes`; sorted by pair."""
    today: pl.DataFrame
    """Pairs of the day with `seen`, `sessions`, `bytes`; sorted by pair."""

    def tables(self) -> Iterator[tuple[Table, pl.DataFrame]]:
        """Give the rows of each table but prevalence, sorted by role and key, one table after the other."""
        yield PAIR_HISTORY, self._finished(PAIR_HISTORY, self._history_columns())
        yield PAIR_TILE, self._finished(PAIR_TILE, self._tile_columns())
        by_peer = self._by("peer")
        yield HOST_PEER_HISTORY, self._finished(HOST_PEER_HISTORY, by_peer)
        by_port = self._by("port")
        yield HOST_PORT_HISTORY, self._finished(HOST_PORT_HISTORY, by_port)
        yield HOST_SEGMENT_HISTORY, self._finished(HOST_SEGMENT_HISTORY, self._by_segment())

    def contacts(self) -> pl.DataFrame:
        """Count the internal hosts of the share that contacted each peer in the days of prevalence.

        Gives `peer_ip` and `hosts_cnt`; the row without `peer_ip` counts the hosts that contacted any.
        """
        recent = self.history.lazy().filter(
            pl.col("role") == ROLES.index(OUTBOUND.name), pl.col("mask") & OF_DAY != 0
        )
        found = recent.select("host", "peer").unique().collect()
        found = found.filter(are_internal(found.get_column("host"), self.texts, self.plan))
        by_peer = found.group_by("peer").agg(hosts_cnt=pl.len().cast(pl.Int64))
        any_peer = pl.DataFrame(
            {"peer": [None], "hosts_cnt": [found.get_column("host").n_unique()]},
            {"peer": found.schema["peer"], "hosts_cnt": pl.Int64()},
        )
        return pl.concat([any_peer, by_peer]).select(self._address("peer"), "hosts_cnt")

    def _history_columns(self) -> pl.LazyFrame:
        top = 63 - pl.col("mask").bitwise_leading_zeros().cast(pl.Int64)
        return self.history.lazy().select(
            *_KEY,
            days_mask="mask",
            last_seen_ts=_moment("seen"),
            age_days=top,
            sessions_30d="sessions",
            bytes_sent_30d="bytes",
        )

    def _tile_columns(self) -> pl.LazyFrame:
        return self.today.lazy().select(
            *_KEY, last_seen_ts=_moment("seen"), sessions_cnt="sessions", bytes_sent_sum="bytes"
        )

    def _by(self, name: str) -> pl.LazyFrame:
        rows = self.history.lazy()
        return _viewed(rows.filter(pl.col("port") > 0) if name == "port" else rows, name)

    def _by_segment(self) -> pl.LazyFrame:
        peers = self.history.get_column("peer").unique()
        names = segments(self.texts.gather(peers), self.plan.networks)
        known = names.unique().sort()
        numbers = names.replace_strict(
            known, pl.int_range(known.len(), dtype=pl.UInt32, eager=True), return_dtype=pl.UInt32
        )
        of_peer = pl.zeros(self.texts.len(), dtype=pl.UInt32, eager=True).scatter(peers, numbers)
        rows = self.history.lazy().with_columns(segment=pl.lit(of_peer).gather(pl.col("peer")))
        return _viewed(rows, "segment").with_columns(segment=pl.lit(known).gather("segment"))

    def _finished(self, table: Table, rows: pl.LazyFrame) -> pl.DataFrame:
        """Rows in the columns of their table."""
        named = {
            "host": self._address("host"),
            "peer": self._address("peer"),
            "port": pl.when(pl.col("port") > 0)
            .then(pl.col("port").cast(pl.Int64) - 1)
            .alias("peer_port"),
        }
        known = rows.collect_schema().names()
        roles = pl.col("role").replace_strict(
            list(range(len(ROLES))), list(ROLES), return_dtype=pl.String
        )
        texts = [expr for name, expr in named.items() if name in known]
        whole = rows.with_columns(*texts, roles.alias("role"), *constants(self.plan))
        return whole.select(column.name for column in table.columns).collect()

    def _address(self, name: str) -> pl.Expr:
        return pl.lit(self.texts).gather(pl.col(name)).alias(f"{name}_ip")


def build_share(rows: DayRows, plan: HistoryPlan) -> HistoryShare:
    """Make the history of the hosts of a share.

    Raises OverflowingColumnError where a sum leaves int64, NdrError where the former history and the tile of the
    leaving day do not fit together.
    """
    numbered = Numbered.of(rows, plan)
    ages = (0, DAYS) if rows.former is not None else tuple(range(DAYS))
    days = _by_day(numbered.pairs.filter(pl.col("age").is_in(ages)), plan, numbered.texts)
    earlier = numbered.tiles.filter(pl.col("age").is_in(ages[1:]))
    parts = [_of_tiles(days), _of_tiles(earlier)]
    if numbered.former is not None:
        parts.append(_of_former(numbered.former))
    history = _put_together(pl.concat(parts), plan, numbered.texts)
    today = days.filter(pl.col("age") == 0).select(*_KEY, "seen", *_SUMS)
    return HistoryShare(plan, numbered.texts, history, today)


def prevalence(contacts: Iterable[pl.DataFrame], plan: HistoryPlan) -> pl.DataFrame:
    """Make the rows of the prevalence table. `contacts`: what `HistoryShare.contacts` gives of all shares."""
    frames = list(contacts)
    if not frames:
        return empty_frame(PREVALENCE.columns)
    counts = pl.concat(frames).group_by("peer_ip").agg(pl.sum("hosts_cnt"))
    any_peer = counts.filter(pl.col("peer_ip").is_null()).get_column("hosts_cnt").item()
    rows = counts.drop_nulls("peer_ip").sort("peer_ip")
    whole = rows.with_columns(
        *constants(plan),
        hosts_seen_cnt=pl.lit(any_peer, dtype=pl.Int64),
        role=pl.lit(OUTBOUND.name),
    )
    return whole.select(column.name for column in PREVALENCE.columns)


def constants(plan: HistoryPlan) -> list[pl.Expr]:
    """Give the columns that are the same in all rows of a run."""
    types = {column.name: column.type for column in PAIR_HISTORY.columns}
    return [
        _us(pl.lit(value, dtype=pl.Int64)).alias(name)
        if types[name] is ColumnType.TIMESTAMP
        else pl.lit(value, dtype=DTYPES[types[name]]).alias(name)
        for name, value in plan.constants().items()
    ]


def _by_day(pairs: pl.DataFrame, plan: HistoryPlan, texts: pl.Series) -> pl.DataFrame:
    """The pair tiles of days, sorted by day and pair. Raises OverflowingColumnError."""
    names = {"sessions": "sessions_cnt", "bytes": "bytes_sent_sum"}
    rows = _summed(pairs, ("age", *_KEY), [pl.max("seen")])
    _refuse_overflow(rows, names, PAIR_TILE, plan, texts)
    return rows.with_columns(pl.col(_SUMS).cast(pl.Int64))


def _of_tiles(tiles: pl.DataFrame) -> pl.DataFrame:
    """What tiles add to the history; that of the leaving day takes away."""
    leaves = pl.col("age") == DAYS
    sign = pl.when(leaves).then(-1).otherwise(1)
    bits = [1 << age for age in range(DAYS)]
    mask = pl.col("age").replace_strict(list(range(DAYS)), bits, default=0, return_dtype=pl.Int64)
    return tiles.select(
        *_KEY,
        mask=mask,
        latest=_latest(pl.col("age")),
        edge=pl.when(leaves).then(-1).otherwise(0).cast(pl.Int64),
        sessions=pl.col("sessions") * sign,
        bytes=pl.col("bytes") * sign,
    )


def _of_former(former: pl.DataFrame) -> pl.DataFrame:
    """The history of the day before, a day later."""
    last = pl.col("mask").bitwise_trailing_zeros().cast(pl.Int64) + 1
    return former.select(
        *_KEY,
        mask=pl.col("mask") * 2 % _ALL,
        latest=_latest(last),
        edge=pl.col("mask") // (_ALL // 2),
        sessions="sessions",
        bytes="bytes",
    )


def _latest(age: pl.Expr) -> pl.Expr:
    """What is greatest for the last active day, with the moment in its low bits."""
    return (DAYS - age) * (1 << _SEEN_BITS) + pl.col("seen")


def _put_together(parts: pl.DataFrame, plan: HistoryPlan, texts: pl.Series) -> pl.DataFrame:
    """The history of each pair, sorted by pair. Raises as `build_share`."""
    rows = _summed(parts, _KEY, [pl.sum("mask", "edge"), pl.max("latest")])
    amounts = pl.sum_horizontal(pl.col(name) != 0 for name in _SUMS)
    misfits = rows.filter(
        (pl.col("edge") != 0)
        | ((pl.col("mask") == 0) & (amounts > 0))
        | pl.any_horizontal(pl.col(_SUMS) < 0)
    )
    if not misfits.is_empty():
        host = misfits.get_column("host").min()
        assert isinstance(host, int)
        raise plan.misfit(texts[host])
    names = {"sessions": "sessions_30d", "bytes": "bytes_sent_30d"}
    _refuse_overflow(rows.with_columns(age=pl.lit(0)), names, PAIR_HISTORY, plan, texts)
    return rows.filter(pl.col("mask") != 0).select(
        *_KEY,
        "mask",
        (pl.col("latest") % (1 << _SEEN_BITS)).alias("seen"),
        *(pl.col(name).cast(pl.Int64) for name in _SUMS),
    )


def _summed(rows: pl.DataFrame, keys: Sequence[str], others: Iterable[pl.Expr]) -> pl.DataFrame:
    """Rows by key, in order, with their sums: in 128 bits where those of some key may leave int64."""
    totals = rows.select(pl.col(name).abs().cast(pl.Int128).sum() for name in _SUMS)
    fits = all(total is None or total <= INT64_MAX for total in totals.row(0))
    dtype = pl.Int64 if fits else pl.Int128
    sums = [pl.col(name).cast(dtype).sum() for name in _SUMS]
    return grouped(rows.lazy(), keys, [*sums, *others], in_order=True).collect()


def _refuse_overflow(
    rows: pl.DataFrame,
    names: dict[str, str],
    table: Table,
    plan: HistoryPlan,
    texts: pl.Series,
) -> None:
    """Raise OverflowingColumnError for the first pair of the first day with a sum that leaves int64."""
    leaves = {name: pl.col(name) > INT64_MAX for name in _SUMS}
    too_large = rows.filter(pl.any_horizontal(leaves.values()))
    if too_large.is_empty():
        return
    age = too_large.get_column("age").max()
    assert isinstance(age, int)
    of_day = too_large.filter(pl.col("age") == age)
    for name, is_too_large in leaves.items():
        found = (
            of_day.filter(is_too_large)
            .select("role", "host")
            .with_columns(
                role=pl.col("role").replace_strict(
                    list(range(len(ROLES))), list(ROLES), return_dtype=pl.String
                )
            )
            .sort("role", "host")
        )
        if not found.is_empty():
            role, host = found.row(0)
            place = row_place(table.name, plan.day - age, role, texts[host])
            raise OverflowingColumnError(names[name], place)


def _viewed(rows: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """The history by host and another number."""
    found = grouped(
        rows, ("role", "host", name), [pl.col("mask").bitwise_or(), pl.max("seen")], in_order=True
    )
    return found.select("role", "host", name, days_mask="mask", last_seen_ts=_moment("seen"))


def _moment(name: str) -> pl.Expr:
    return _us(pl.col(name))


def _us(value: pl.Expr) -> pl.Expr:
    return value.cast(pl.Datetime("us", "UTC"))
