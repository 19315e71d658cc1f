"""Rows of a share of the hosts with numbers for texts: addresses, roles and ports as integers."""

from __future__ import annotations

import polars as pl
from attrs import evolve, field, frozen

from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.polars.features.networks import sides
from ndr_adapters.polars.features.numbers import port
from ndr_adapters.polars.marks import marks
from ndr_core.features.networks import Hosts, Side
from ndr_core.history.plan import ROLES, HistoryPlan
from ndr_core.times import DAY_US


@frozen
class DayRows:
    """Rows of some hosts, or of all, from which the history of a day is made."""

    pairs: pl.LazyFrame
    """`PAIR_COLUMNS` of the day, and of earlier days that are read from slices."""
    tiles: pl.LazyFrame
    """`TILE_COLUMNS` of other earlier days."""
    former: pl.LazyFrame | None = None
    """`FORMER_COLUMNS` of the day before, to go on from; None: there is none."""
    addresses: Addresses = field(factory=Addresses)
    """Their addresses may be texts, or what this knows by its numbers (`Addresses.known`)."""

    def share(self, number: int, shares: int) -> DayRows:
        """Give the rows of one of so many shares of the hosts."""
        if shares == 1:
            return self
        is_mine = pl.col("host_ip").hash() % shares == number
        former = None if self.former is None else self.former.filter(is_mine)
        return evolve(
            self, pairs=self.pairs.filter(is_mine), tiles=self.tiles.filter(is_mine), former=former
        )


@frozen
class Numbered:
    """The rows of a share with numbers for texts; `age`: how many days before the day."""

    texts: pl.Series
    pairs: pl.DataFrame
    tiles: pl.DataFrame
    former: pl.DataFrame | None

    @classmethod
    def of(cls, rows: DayRows, plan: HistoryPlan) -> Numbered:
        """Read the rows of a share. Pairs of hosts of which no rows are built are left out."""
        addresses = rows.addresses
        pairs = _numbered(
            rows.pairs.filter(pl.col("role").is_in(ROLES)),
            addresses,
            age=_age("slice_start_ts", plan),
            seen=pl.col("event_ts").dt.epoch("us"),
            sessions="sessions_cnt",
            bytes="bytes_sent_sum",
        )
        tiles = _numbered(
            rows.tiles,
            addresses,
            age=_age("day_ts", plan),
            seen=pl.col("last_seen_ts").dt.epoch("us"),
            sessions="sessions_cnt",
            bytes="bytes_sent_sum",
        )
        former = None
        if rows.former is not None:
            former = _numbered(
                rows.former,
                addresses,
                mask="days_mask",
                seen=pl.col("last_seen_ts").dt.epoch("us"),
                sessions="sessions_30d",
                bytes="bytes_sent_30d",
            )
        frames = [frame for frame in (pairs, tiles, former) if frame is not None]
        count = max((_count(frame) for frame in frames), default=0)
        texts = pl.select(
            addresses.text(pl.int_range(count, dtype=pl.UInt32)).alias("text")
        ).to_series()
        order = texts.arg_sort()
        in_order, ranks = texts.gather(order), order.arg_sort()

        def ranked(frame: pl.DataFrame) -> pl.DataFrame:
            return frame.with_columns(
                ranks.gather(frame.get_column(name)).alias(name) for name in ("host", "peer")
            )

        found = ranked(pairs)
        if plan.hosts is not Hosts.ALL:
            found = found.filter(are_internal(found.get_column("host"), in_order, plan))
        return cls(in_order, found, ranked(tiles), None if former is None else ranked(former))


def _numbered(rows: pl.LazyFrame, addresses: Addresses, **columns: pl.Expr | str) -> pl.DataFrame:
    role = pl.col("role").replace_strict(
        list(ROLES), list(range(len(ROLES))), return_dtype=pl.UInt32
    )
    return rows.select(
        role=role,
        host=addresses.number(pl.col("host_ip")),
        peer=addresses.number(pl.col("peer_ip")),
        port=port(),
        **columns,
    ).collect(engine="streaming")


def _count(frame: pl.DataFrame) -> int:
    """One more than the greatest number of an address."""
    greatest = [frame.get_column(name).max() for name in ("host", "peer")]
    return max((int(number) + 1 for number in greatest if isinstance(number, int)), default=0)


def _age(moment: str, plan: HistoryPlan) -> pl.Expr:
    day = pl.col(moment).dt.epoch("us") // DAY_US
    return (plan.day - day).cast(pl.Int64)


def are_internal(hosts: pl.Series, texts: pl.Series, plan: HistoryPlan) -> pl.Series:
    """Tell of each host, a place in `texts`, whether it is internal."""
    known = hosts.unique()
    internal = sides(texts.gather(known), plan.networks) == Side.INTERNAL.value
    return marks(known.filter(internal), texts.len()).gather(hosts)
