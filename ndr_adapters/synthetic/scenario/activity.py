"""What people and servers do: sessions in clusters, as a page, a mail or a file needs several at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import polars as pl

from ndr_adapters.synthetic.scenario.draws import (
    Draws,
    cumulated,
    fraction,
    place_of,
    zipf,
)
from ndr_adapters.synthetic.scenario.population import Population
from ndr_adapters.synthetic.scenario.rhythm import times_of_day
from ndr_adapters.synthetic.scenario.sessions import (
    ANSWERED,
    REFUSED,
    SILENT,
    TCP,
    UDP,
    natural,
    repeated,
)
from ndr_core.times import SECOND_US

EXTERNAL: Final = "external"
SERVICES: Final = (
    ("web", EXTERNAL, 443, TCP),
    ("plain web", EXTERNAL, 80, TCP),
    ("quic", EXTERNAL, 443, UDP),
    ("call", EXTERNAL, 3478, UDP),
    ("name", "dns", 53, UDP),
    ("kerberos", "directory", 88, TCP),
    ("directory", "directory", 389, TCP),
    ("policy", "directory", 445, TCP),
    ("file", "share", 445, TCP),
    ("intranet", "intranet", 443, TCP),
    ("application", "application", 8080, TCP),
    ("mail", "mail", 993, TCP),
    ("mail out", "mail", 587, TCP),
    ("query", "database", 5432, TCP),
)
"""Name, kind of server, port, transport."""
_MIXES: Final[Mapping[str, tuple[float, Mapping[str, float]]]] = {
    "browse": (0.68, {"web": 62, "plain web": 5, "quic": 8, "call": 1, "name": 24}),
    "intranet": (0.12, {"intranet": 50, "application": 25, "name": 15, "kerberos": 10}),
    "files": (0.1, {"file": 70, "kerberos": 12, "directory": 12, "name": 6}),
    "mail": (0.1, {"mail": 60, "mail out": 10, "name": 15, "web": 15}),
    "serve": (0, {"name": 40, "directory": 22, "kerberos": 8, "query": 15, "web": 15}),
    "logon": (0, {"kerberos": 30, "directory": 30, "policy": 15, "file": 10, "name": 15}),
}
"""Kind of cluster -> its share of what clients do, and the weights of services in it."""
_CLIENT_CLUSTERS: Final = 15.0
_SERVER_CLUSTERS: Final = 12.0
_CLUSTER: Final = (1.85, 1.0)
"""Mean and deviation of the logarithm of the sessions of a cluster."""
_MOST_IN_CLUSTER: Final = 400
_SPREAD_US: Final = 50 * SECOND_US
_FAVOURITES: Final = 40
_FAVOURED: Final = 0.6
"""So many external sessions go to favourites of the host."""
_OTHER_SERVER: Final = 0.04
"""So many internal sessions go to another server of the kind than the host's own."""
_DEAD: Final = 0.02
_BLOCKED: Final = 0.01
"""External peers that never answer, and those that the firewall refuses."""
_POPULAR: Final = 400
"""Of the most popular peers none is dead or blocked."""
_SILENT: Final = 0.02
_REFUSED: Final = 0.012
_LOGON_SESSIONS: Final = 10


def activity(population: Population, present: pl.DataFrame, day: int) -> pl.DataFrame:
    """Give the sessions of a day that are not made by a timer. `present`: the hosts that are on."""
    draws = population.draws.of("activity", day)
    clusters = pl.concat(
        [_clusters(present, draws.of("clusters")), _logons(present, draws.of("logons"))]
    )
    sizes = draws.log_normal("size", clusters.height, *_CLUSTER).cast(pl.Int64) + 1
    sizes = pl.select(
        pl.when(clusters["mix"] == list(_MIXES).index("logon"))
        .then(_LOGON_SESSIONS)
        .otherwise(sizes.clip(1, _MOST_IN_CLUSTER))
    ).to_series()
    sessions = repeated(clusters, sizes)
    later = draws.uniform("later", sessions.height)
    offset = ((1.0 - later).log() * -_SPREAD_US).cast(pl.Int64)
    start = sessions["time_us"] + offset + population.size.day_us(day)
    return natural(
        _ends(population, sessions.with_columns(start_us=start), draws.of("ends")),
        draws.of("amounts"),
    )


def _clusters(present: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    mean = pl.when("is_client").then(_CLIENT_CLUSTERS).otherwise(_SERVER_CLUSTERS) * pl.col("pace")
    luck = draws.uniform("luck", present.height)
    rows = repeated(present, present.select((mean + luck).floor().cast(pl.Int64)).to_series())
    mixes = draws.chosen("mix", rows.height, [share for share, _ in _MIXES.values()])
    served = list(_MIXES).index("serve")
    return rows.with_columns(
        mix=pl.when("is_client").then(mixes).otherwise(served).cast(pl.UInt32),
        time_us=times_of_day(rows, draws),
    )


def _logons(present: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    """Once a day a client asks its directory servers who it is, and what it may do."""
    clients = present.filter("is_client")
    return clients.with_columns(
        nth=pl.lit(0, dtype=pl.Int64),
        mix=pl.lit(list(_MIXES).index("logon"), dtype=pl.UInt32),
        time_us=pl.when("always_on").then(times_of_day(clients, draws)).otherwise("from_us"),
    )


def _ends(population: Population, sessions: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    """Choose service, peer and fate of each session."""
    size = sessions.height
    steps = sessions["mix"].cast(pl.Int64) * _TABLE_STEPS + draws.below(
        "service", size, _TABLE_STEPS
    )
    service = _service_table().gather(steps)
    kinds = [kind for _, kind, _, _ in SERVICES]
    places = pl.Series([port for *_, port, _ in SERVICES], dtype=pl.Int64)
    transports = pl.Series([transport for *_, transport in SERVICES], dtype=pl.UInt8)
    outward = pl.Series([kind == EXTERNAL for kind in kinds]).gather(service)
    rows = sessions.select(
        "start_us", "dns", "directory", "share", "mail", source="host"
    ).with_columns(
        service=service,
        port=places.gather(service),
        transport=transports.gather(service),
        external=_external(population, sessions["host"], draws) + population.peers.start,
        outward=outward,
        other=draws.uniform("other", size),
        any=draws.uniform("any", size),
        fate=draws.uniform("fate", size),
    )
    chosen = pl.col("external")
    for number, kind in enumerate(kinds):
        if kind != EXTERNAL:
            chosen = (
                pl.when(pl.col("service") == number)
                .then(_server(population, kind))
                .otherwise(chosen)
            )
    rows = rows.with_columns(destination=chosen.cast(pl.UInt32))
    return rows.with_columns(
        fate=_fate(population, rows),
    ).filter(pl.col("source") != pl.col("destination"))


def _server(population: Population, kind: str) -> pl.Expr:
    """The host's own server of a kind, at times another one; of some kinds a host has none for its own."""
    servers = population.servers[kind]
    drawn = (pl.col("any") * len(servers)).floor().cast(pl.Int64) + servers.start
    if kind not in population.hosts.columns:
        return drawn
    return pl.when(pl.col("other") < _OTHER_SERVER).then(drawn).otherwise(pl.col(kind))


def _external(population: Population, hosts: pl.Series, draws: Draws) -> pl.Series:
    """External peers by popularity: favourites of the host, or any. Favourites stay the same on all days."""
    size = len(hosts)
    popularity = _popularity(len(population.peers))
    rank = draws.chosen("favourite", size, [1 / (k + 1) for k in range(_FAVOURITES)])
    favourite = population.draws.mixed(
        "favourites", hosts.cast(pl.UInt64) * _FAVOURITES + rank.cast(pl.UInt64)
    )
    drawn = pl.DataFrame(
        {
            "favoured": draws.uniform("favoured", size) < _FAVOURED,
            "favourite": fraction(favourite),
            "any": draws.uniform("anyone", size),
        }
    ).select(pl.when("favoured").then("favourite").otherwise("any"))
    return place_of(drawn.to_series(), popularity)


def _fate(population: Population, rows: pl.DataFrame) -> pl.Series:
    """Whether the session is answered: some peers never do, some are refused, the others fail at times."""
    kind = fraction(population.draws.mixed("peer", rows["destination"]))
    unpopular = (rows["destination"] >= population.peers.start + _POPULAR) & rows["outward"]
    return (
        rows.select(
            pl.when(unpopular & (kind < _DEAD))
            .then(SILENT)
            .when(unpopular & (kind < _DEAD + _BLOCKED))
            .then(REFUSED)
            .when(pl.col("fate") < _SILENT)
            .then(SILENT)
            .when(pl.col("fate") < _SILENT + _REFUSED)
            .then(REFUSED)
            .otherwise(ANSWERED)
            .cast(pl.UInt8)
        )
    ).to_series()


_TABLE_STEPS: Final = 1000


@cache
def _service_table() -> pl.Series:
    """For each kind of cluster so many services, as often as their weights say."""
    names = [name for name, *_ in SERVICES]
    tables = []
    for _, weights in _MIXES.values():
        steps = pl.Series([(step + 0.5) / _TABLE_STEPS for step in range(_TABLE_STEPS)])
        numbers = pl.Series([names.index(name) for name in weights], dtype=pl.UInt32)
        tables.append(numbers.gather(place_of(steps, cumulated(list(weights.values())))))
    return pl.concat(tables)


@cache
def _popularity(peers: int) -> pl.Series:
    return zipf(peers, 1.1)
