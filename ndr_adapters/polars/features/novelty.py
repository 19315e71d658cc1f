"""What is new for hosts: the pairs of a window against its history. `windows.novelty` of the core, for many hosts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.features.earlier import Earlier
from ndr_adapters.polars.features.masks import (
    Sight,
    active_days,
    day_columns,
    first_day,
    seen_by,
    united,
    with_days,
)
from ndr_adapters.polars.features.numbers import PORT, SEGMENT, SIDE, is_outbound, on_ports
from ndr_adapters.polars.features.pair_cells import (
    CONTACT,
    CONTACT_KEYS,
    PAIR,
    PAIR_KEYS,
    PairCells,
)
from ndr_adapters.polars.features.window_pairs import WindowPairs
from ndr_adapters.polars.views import HOST
from ndr_core.features.networks import Side
from ndr_core.history.masks import DAYS
from ndr_core.history.tables import (
    HOST_PEER_HISTORY,
    HOST_PORT_HISTORY,
    HOST_SEGMENT_HISTORY,
    PAIR_HISTORY,
)
from ndr_core.tables.columns import ColumnType
from ndr_core.windows.aggregates import HISTORY_AGGREGATES
from ndr_core.windows.novelty import MOST_RARE_DAYS, RARITY_BITS, RARITY_FIXED_POINT

HISTORY_DAYS: Final = "history_days"
_DAYS_SEEN: Final = "days_seen"
_ACTIVE: Final = "active_days"
_BITS: Final = "bits"
_FIXED_POINT: Final = "fixed_point"


@frozen
class Known:
    """What histories know of hosts and their pairs, for all windows: the columns of `masks.with_days`."""

    hosts: pl.DataFrame
    pairs: pl.DataFrame
    """By PAIR."""
    contacts: pl.DataFrame
    """By CONTACT."""
    ports: pl.DataFrame
    segments: pl.DataFrame
    lateral: pl.DataFrame
    """Of hosts and peers, on ports by which hosts are acted on."""

    @classmethod
    def of(
        cls,
        cells: PairCells,
        earlier: Earlier,
        hosts: pl.DataFrame,
        history: Mapping[str, Mapping[int, pl.DataFrame]],
        lateral_ports: frozenset[int],
    ) -> Known:
        """Look up all pairs. `hosts`: HOST of each host with a row in a window; `history`: as `NumberedFrames`."""
        is_lateral = is_outbound() & on_ports(lateral_ports)
        of_pairs, of_peers = history[PAIR_HISTORY.name], history[HOST_PEER_HISTORY.name]
        of_segments = history[HOST_SEGMENT_HISTORY.name]
        # Each peer is of one segment, of which there are fewer.
        of_hosts = {day: united(rows, [HOST]) for day, rows in of_segments.items()}
        of_lateral = {
            day: united(rows.filter(is_lateral), CONTACT_KEYS) for day, rows in of_pairs.items()
        }
        near = earlier.among(cells.contacts, CONTACT_KEYS)
        met_again = near.among(cells.pairs, PAIR_KEYS)
        of_known_ports = cells.pairs.filter(pl.col(PORT) > 0)
        on_lateral = cells.pairs.filter(is_lateral)
        seen_hosts = hosts.join(seen_by(cells.contacts, [HOST]), on=HOST, how="left")
        return cls(
            with_days(earlier.added_to(seen_hosts, [HOST]), [HOST], of_hosts),
            with_days(met_again.added_to(cells.pairs, PAIR_KEYS), PAIR_KEYS, of_pairs),
            with_days(near.added_to(cells.contacts, CONTACT_KEYS), CONTACT_KEYS, of_peers),
            _looked_up(of_known_ports, earlier, _PORTS, history[HOST_PORT_HISTORY.name]),
            _looked_up(cells.contacts, earlier, _SEGMENTS, of_segments),
            _looked_up(on_lateral, near.where(is_lateral), CONTACT_KEYS, of_lateral),
        )


def novelty(window: WindowPairs, known: Known, sight: Sight) -> pl.DataFrame:
    """Give HOST and `HISTORY_AGGREGATES` of each host of `known`; of one without pairs, counts are 0."""
    hosts = known.hosts.select(
        HOST,
        active_days(sight.mask()).alias(_DAYS_SEEN),
        first_day(sight.mask()).alias(HISTORY_DAYS),
    )
    parts = (
        _of_pairs(window, known, hosts, sight),
        _of_contacts(window, known, sight),
        _of_keys(window.ports.filter(pl.col(PORT) > 0), known.ports, PORT, sight, "ports"),
        _of_keys(window.contacts, known.segments, SEGMENT, sight, "segments"),
    )
    found = hosts.lazy().drop(_DAYS_SEEN)
    for part in parts:
        found = found.join(part, on=HOST, how="left")
    counted = [one.name for one in HISTORY_AGGREGATES if one.type is ColumnType.INT64]
    values = [pl.col(name).cast(pl.Int64).fill_null(0) for name in counted]
    return found.select(HOST, "novelty:rarity_max", *values).collect()


def new_lateral(known: Known, contacts: pl.DataFrame, sight: Sight) -> pl.DataFrame:
    """Give HOST and PEER of those contacts that are on no day of the history, on ports by which hosts are acted on."""
    met = known.lateral.filter(sight.mask() != 0)
    return contacts.join(met, on=CONTACT_KEYS, how="anti")


def pair_ages(known: Known, pairs: pl.Series, sight: Sight) -> pl.Series:
    """Give how many days before the window's the first active day of pairs lies; 0 where none is active."""
    return _days_of(known.pairs, pairs).with_columns(first_day(sight.mask()).alias("age_days"))[
        "age_days"
    ]


def _of_pairs(window: WindowPairs, known: Known, hosts: pl.DataFrame, sight: Sight) -> pl.LazyFrame:
    """Count new and rare pairs of each host, and add up their rarity."""
    rows = window.pairs.select(HOST).with_columns(_active(known.pairs, window.pairs[PAIR], sight))
    rows = rows.join(hosts, on=HOST, how="left", maintain_order="left")
    place = rows.select(pl.col(_DAYS_SEEN) * (DAYS + 1) + pl.col(_ACTIVE)).to_series()
    rarities = _rarities()
    return (
        rows.with_columns(rarities[place])
        .lazy()
        .group_by(HOST)
        .agg(
            *_counts("pairs"),
            pl.len().alias("novelty:pairs"),
            pl.max(_BITS).alias("novelty:rarity_max"),
            pl.sum(_FIXED_POINT).alias("novelty:rarity_sum"),
        )
    )


def _of_contacts(window: WindowPairs, known: Known, sight: Sight) -> pl.LazyFrame:
    """Count new and rare peers of each host, and the bytes sent to new external ones."""
    active = _active(known.contacts, window.contacts[CONTACT], sight)
    to_new = (pl.col(SIDE) == Side.EXTERNAL.value) & _IS_NEW
    sent = pl.when(to_new).then("bytes").otherwise(0).sum().alias("novelty:new_ext_bytes")
    rows = window.contacts.select(HOST, SIDE, "bytes").with_columns(active)
    return rows.lazy().group_by(HOST).agg(*_counts("peers"), sent)


def _of_keys(
    rows: pl.DataFrame, known: pl.DataFrame, key: str, sight: Sight, what: str
) -> pl.LazyFrame:
    """Count the new and rare ones of other keys of each host."""
    met = known.lazy().select(HOST, key, active_days(sight.mask()).alias(_ACTIVE))
    seen = rows.lazy().select(HOST, key).unique()
    return seen.join(met, on=(HOST, key), how="left").group_by(HOST).agg(*_counts(what))


def _active(known: pl.DataFrame, places: pl.Series, sight: Sight) -> pl.Series:
    return _days_of(known, places).with_columns(active_days(sight.mask()).alias(_ACTIVE))[_ACTIVE]


def _days_of(known: pl.DataFrame, places: pl.Series) -> pl.DataFrame:
    """Give what masks are made of, for the keys at some places: a window has few of them all."""
    return known.select(day_columns(known))[places]


_IS_NEW: Final = pl.col(_ACTIVE) == 0
_IS_RARE: Final = pl.col(_ACTIVE).is_between(1, MOST_RARE_DAYS)


def _counts(what: str) -> list[pl.Expr]:
    return [
        _IS_NEW.sum().alias(f"novelty:new_{what}"),
        _IS_RARE.sum().alias(f"novelty:rare_{what}"),
    ]


@cache
def _rarities() -> pl.DataFrame:
    """Rarity by days seen and active days, the one after the other."""
    days = pl.DataFrame({_ACTIVE: range(DAYS + 1)}, schema={_ACTIVE: pl.Int64})
    both = days.rename({_ACTIVE: _DAYS_SEEN}).join(days, how="cross", maintain_order="left_right")
    return both.select(
        compile_expr(RARITY_BITS).alias(_BITS), compile_expr(RARITY_FIXED_POINT).alias(_FIXED_POINT)
    )


_PORTS: Final = (HOST, PORT)
_SEGMENTS: Final = (HOST, SEGMENT)


def _looked_up(
    rows: pl.DataFrame,
    earlier: Earlier,
    keys: tuple[str, ...],
    history: Mapping[int, pl.DataFrame],
) -> pl.DataFrame:
    return with_days(earlier.added_to(seen_by(rows, keys), keys), keys, history)
