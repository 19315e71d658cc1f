"""What few hosts do: administration, help desk, uploads, bursts. Each looks like an attack in one way, and is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from ndr_adapters.synthetic.scenario.draws import Draws
from ndr_adapters.synthetic.scenario.population import Population
from ndr_adapters.synthetic.scenario.sessions import (
    ANSWERED,
    FIN,
    SILENT,
    TCP,
    as_sessions,
    natural,
    repeated,
)
from ndr_core.times import HOUR_US, MINUTE_US, SECOND_US

_ADMIN_PORTS: Final = (22, 3389, 5985)
_KNOWN_PEERS: Final = 10
"""Hosts that an administrator looks after."""
_HELPED: Final = (1, 4)
"""Clients that the help desk connects to on a day: hardly ever the same again."""
_MOST_BURSTS: Final = 3
_BURST: Final = (5.6, 0.5)
"""Mean and deviation of the logarithm of the sessions of a burst."""
_BURST_PEERS: Final = 30
_UPLOAD: Final = (17.2, 0.8)
"""Mean and deviation of the logarithm of the bytes of an upload: 30 MB in the middle."""
_UPLOADS: Final = 3
_SHARERS: Final = 400
"""Hosts for which one a day sends something large to a peer outside that is new to it."""
_SHARED: Final = (16.0, 0.7)
"""The same of what it sends: 9 MB in the middle."""


def work(population: Population, day: int) -> pl.DataFrame:
    """Give these sessions of a day."""
    draws = population.draws.of("work", day)
    parts = [
        _bursts(population, day, draws.of("bursts")),
        _uploads(population, day, draws.of("uploads")),
        _shared_files(population, day, draws.of("shared files")),
    ]
    if not population.size.is_weekend(day):
        parts.append(_administration(population, day, draws.of("administration")))
        parts.append(_help_desk(population, day, draws.of("help desk")))
    return pl.concat(parts)


def _frame(hosts: Sequence[int]) -> pl.DataFrame:
    return pl.DataFrame({"source": pl.Series(hosts, dtype=pl.UInt32)})


def _working_time(draws: Draws, name: str, size: int) -> pl.Series:
    return draws.below(name, size, 9 * HOUR_US) + 8 * HOUR_US


def _administration(population: Population, day: int, draws: Draws) -> pl.DataFrame:
    """Visits to hosts that are the same on all days."""
    visits = repeated(
        _frame(population.uses["admin"]),
        draws.below("visits", len(population.uses["admin"]), 7) + 3,
    )
    size = visits.height
    known = population.draws.mixed(
        "known",
        visits["source"].cast(pl.UInt64) * 64
        + draws.below("peer", size, _KNOWN_PEERS).cast(pl.UInt64),
    )
    ports = pl.Series(_ADMIN_PORTS, dtype=pl.Int64)
    times = _working_time(draws, "time", size) + population.size.day_us(day)
    ends = visits.select("source").with_columns(
        destination=(known % population.size.hosts).cast(pl.UInt32),
        port=ports.gather((known // (1 << 40) % len(_ADMIN_PORTS)).cast(pl.UInt32)),
        transport=pl.lit(TCP, dtype=pl.UInt8),
        fate=pl.lit(ANSWERED, dtype=pl.UInt8),
        start_us=times,
    )
    sessions = repeated(ends, draws.below("sessions", size, 3) + 1)
    moved = draws.below("moved", sessions.height, 10 * MINUTE_US)
    sessions = sessions.with_columns(start_us=sessions["start_us"] + moved)
    return natural(
        sessions.drop("nth").filter(pl.col("source") != pl.col("destination")),
        draws.of("amounts"),
    )


def _help_desk(population: Population, day: int, draws: Draws) -> pl.DataFrame:
    """Remote desktops of clients that ask for help, another few each day."""
    desks = population.uses["help_desk"]
    least, most = _HELPED
    visits = repeated(_frame(desks), draws.below("visits", len(desks), most - least + 1) + least)
    size, clients = visits.height, population.clients
    ends = visits.select("source").with_columns(
        destination=(draws.below("peer", size, len(clients)) + clients.start).cast(pl.UInt32),
        port=pl.lit(3389, dtype=pl.Int64),
        transport=pl.lit(TCP, dtype=pl.UInt8),
        fate=pl.lit(ANSWERED, dtype=pl.UInt8),
        start_us=_working_time(draws, "time", size) + population.size.day_us(day),
    )
    return natural(ends.filter(pl.col("source") != pl.col("destination")), draws.of("amounts"))


def _bursts(population: Population, day: int, draws: Draws) -> pl.DataFrame:
    """Builds, crawls and the like: hundreds of sessions in some minutes."""
    hosts = population.uses["bursty"]
    bursts = repeated(_frame(hosts), draws.below("bursts", len(hosts), _MOST_BURSTS) + 1)
    size = bursts.height
    bursts = bursts.drop("nth").with_columns(
        start_us=draws.below("time", size, 20 * HOUR_US)
        + (2 * HOUR_US + population.size.day_us(day)),
        length_us=draws.below("length", size, 6 * MINUTE_US) + 2 * MINUTE_US,
        first=draws.below("first", size, len(population.peers) - _BURST_PEERS),
    )
    sessions = repeated(bursts, draws.log_normal("size", size, *_BURST).cast(pl.Int64) + 50)
    count = sessions.height
    peer = sessions["first"] + draws.below("peer", count, _BURST_PEERS) + population.peers.start
    offset = (draws.uniform("offset", count) * sessions["length_us"]).cast(pl.Int64)
    silent = draws.uniform("fate", count) < 0.03
    ends = sessions.select(
        "source",
        destination=peer.cast(pl.UInt32),
        port=pl.lit(443, dtype=pl.Int64),
        transport=pl.lit(TCP, dtype=pl.UInt8),
        fate=pl.when(silent).then(SILENT).otherwise(ANSWERED),
        start_us=sessions["start_us"] + offset,
    )
    return natural(ends, draws.of("amounts"))


def _uploads(population: Population, day: int, draws: Draws) -> pl.DataFrame:
    """Backups to a storage outside, the same one on all days."""
    hosts, storages = population.uses["uploader"], population.outside["storage"]
    rows = repeated(_frame(hosts), pl.Series([_UPLOADS] * len(hosts), dtype=pl.Int64))
    size = rows.height
    return _sent(
        rows.with_columns(
            start_us=draws.below("time", size, 4 * HOUR_US)
            + (18 * HOUR_US + population.size.day_us(day)),
            destination=pl.col("source") % len(storages) + storages.start,
            source_bytes=draws.log_normal("bytes", size, *_UPLOAD).cast(pl.Int64),
        ),
        draws,
    )


def _shared_files(population: Population, day: int, draws: Draws) -> pl.DataFrame:
    clients, peers = population.clients, population.peers
    count = max(1, population.size.hosts // _SHARERS)
    hosts = draws.shuffled("hosts", population.uses["ordinary"] or clients)[:count]
    size = len(hosts)
    return _sent(
        _frame(hosts).with_columns(
            start_us=_working_time(draws, "time", size) + population.size.day_us(day),
            destination=draws.below("peer", size, len(peers)) + peers.start,
            source_bytes=draws.log_normal("bytes", size, *_SHARED).cast(pl.Int64),
        ),
        draws,
    )


def _sent(rows: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    """Sessions that send much and get little back."""
    size = rows.height
    return as_sessions(
        rows.with_columns(
            duration_us=draws.below("length", size, 20 * MINUTE_US) + 30 * SECOND_US,
            port=pl.lit(443),
            transport=pl.lit(TCP),
            destination_bytes=draws.below("answer", size, 40_000) + 4_000,
            ending=pl.lit(FIN),
        )
    )
