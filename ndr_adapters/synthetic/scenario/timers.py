"""Sessions that a timer makes: clocks, updaters, agents, partners, health checks. Most beacons are of this kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from ndr_adapters.synthetic.scenario.draws import Draws
from ndr_adapters.synthetic.scenario.population import Population
from ndr_adapters.synthetic.scenario.sessions import (
    AGED,
    FIN,
    ICMP,
    TCP,
    UDP,
    as_sessions,
    repeated,
)
from ndr_core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US

_LOST: Final = 0.01
"""So many of these sessions get no answer."""
_POLLED_CLIENTS: Final = 0.05


def timers(population: Population, present: pl.DataFrame, day: int) -> pl.DataFrame:
    """Give the sessions of a day that timers make. `present`: the hosts that are on, and from when to when."""
    draws = population.draws.of("timers", day)
    pairs = pl.concat(
        [
            *_clocks(population),
            _updaters(population),
            _agents(population),
            _partners(population),
            _health_checks(population),
            _replication(population),
            _polls(population),
        ]
    )
    on = present.select("host", "from_us", "until_us")
    rows = pairs.join(on, left_on="source", right_on="host", maintain_order="left")
    return _ticks(rows, population.size.day_us(day), population.draws.of("timers"), draws)


def _ticks(pairs: pl.DataFrame, day_us: int, fixed: Draws, draws: Draws) -> pl.DataFrame:
    """One session each period of a pair, from its phase on, which is the same on all days.

    `jitter` is how far from its time one lies at most, as a share of the period.
    """
    period = pl.col("period_us")
    id_ = pairs["source"].cast(pl.UInt64) * (1 << 32) + pairs["destination"].cast(pl.UInt64)
    phase = fixed.mixed("phase", id_) // 2
    first = (day_us + period - 1 - pl.lit(phase.cast(pl.Int64)) % period) // period
    rows = pairs.with_columns(
        first_us=first * period + pl.lit(phase.cast(pl.Int64)) % period - day_us
    )
    counts = rows.select((pl.lit(DAY_US - 1) - pl.col("first_us")) // period + 1).to_series()
    sessions = repeated(rows, counts)
    size = sessions.height
    moved = draws.uniform("moved", size) * 2 - 1
    lost = draws.uniform("lost", size) < pl.Series(sessions["lost"])
    time = pl.col("first_us") + period * pl.col("nth")
    time = time + (pl.lit(moved) * pl.col("jitter") * period).cast(pl.Int64)
    return as_sessions(
        sessions.with_columns(time=time)
        .with_columns(
            start_us=pl.col("time") + day_us,
            duration_us=draws.below("duration", size, 200_000) + 5_000,
            source_bytes=pl.col("sent"),
            destination_bytes=pl.when(lost).then(0).otherwise("received"),
            ending=pl.when(lost | (pl.col("transport") != TCP)).then(AGED).otherwise(FIN),
        )
        .filter(pl.col("time").is_between("from_us", "until_us", closed="left"))
    )


def _pairs(
    ends: pl.DataFrame,
    port: int | None,
    transport: int,
    period_us: int,
    jitter: float,
    sent: int,
    received: int,
    lost: float = _LOST,
) -> pl.DataFrame:
    return ends.select(
        pl.col("source").cast(pl.UInt32),
        pl.col("destination").cast(pl.UInt32),
        port=pl.lit(port, dtype=pl.Int64),
        transport=pl.lit(transport, dtype=pl.UInt8),
        period_us=pl.lit(period_us, dtype=pl.Int64),
        jitter=pl.lit(jitter),
        sent=pl.lit(sent, dtype=pl.Int64),
        received=pl.lit(received, dtype=pl.Int64),
        lost=pl.lit(lost),
    )


def _clocks(population: Population) -> list[pl.DataFrame]:
    """NTP asks every 1,024 s, on some hosts every 256 s."""
    ends = population.hosts.select(source="host", destination="ntp").drop_nulls()
    often = pl.col("source") % 12 == 5
    return [
        _pairs(ends.filter(~often), 123, UDP, 1024 * SECOND_US, 0.004, 48, 48),
        _pairs(ends.filter(often), 123, UDP, 256 * SECOND_US, 0.008, 48, 48),
    ]


def _updaters(population: Population) -> pl.DataFrame:
    ends = population.hosts.select(source="host", destination="updater").drop_nulls()
    return _pairs(ends, 443, TCP, HOUR_US, 0.03, 1180, 3420)


def _agents(population: Population) -> pl.DataFrame:
    """A product that few hosts have."""
    ends = _crossed(population.uses["agent_host"], population.outside["agent"])
    return _pairs(ends, 443, TCP, 30 * MINUTE_US, 0.18, 840, 310)


def _partners(population: Population) -> pl.DataFrame:
    """Application servers that ask a partner of the company each minute: regular and rare, yet benign."""
    servers, partners = population.servers["application"], population.outside["partner"]
    ends = pl.DataFrame({"source": list(servers)[: len(partners)], "destination": list(partners)})
    return _pairs(ends, 443, TCP, MINUTE_US, 0.02, 655, 1210)


def _health_checks(population: Population) -> pl.DataFrame:
    """Application servers look every five minutes whether their database is there: always as many bytes."""
    databases = population.servers["database"]
    ends = pl.DataFrame(
        [(host, databases[host % len(databases)]) for host in population.servers["application"]],
        schema=["source", "destination"],
        orient="row",
    )
    return _pairs(ends, 5432, TCP, 5 * MINUTE_US, 0.001, 420, 388, 0.0)


def _replication(population: Population) -> pl.DataFrame:
    servers = population.servers["directory"]
    ends = _crossed(servers, servers).filter(pl.col("source") != pl.col("destination"))
    return _pairs(ends, 389, TCP, 15 * MINUTE_US, 0.1, 6200, 6900, 0.0)


def _polls(population: Population) -> pl.DataFrame:
    """The monitor asks servers and some clients each hour; its list still has hosts that are there no more."""
    monitor, hour = population.servers["monitor"], HOUR_US
    clients = population.draws.shuffled("polled", population.clients)
    servers = range(monitor.start)
    there = [*servers, *clients[: int(len(clients) * _POLLED_CLIENTS)]]
    return pl.concat(
        [
            _pairs(_crossed(monitor, servers), None, ICMP, hour, 0.05, 84, 84),
            _pairs(_crossed(monitor, there), 161, UDP, hour, 0.05, 91, 132),
            _pairs(_crossed(monitor, population.retired), 161, UDP, hour, 0.05, 91, 0),
        ]
    )


def _crossed(sources: Sequence[int], destinations: Sequence[int]) -> pl.DataFrame:
    """Each source with each destination."""
    left = pl.DataFrame({"source": pl.Series(list(sources), dtype=pl.UInt32)})
    right = pl.DataFrame({"destination": pl.Series(list(destinations), dtype=pl.UInt32)})
    return left.join(right, how="cross", maintain_order="left_right")
