"""What is planted on the last day: the sessions of each attack, and of a host that changes its role."""

from __future__ import annotations

from typing import Final

import polars as pl

from ndr_adapters.synthetic.scenario.place import Place
from ndr_adapters.synthetic.scenario.population import segment_prefix, segments
from ndr_adapters.synthetic.scenario.sessions import (
    AGED,
    ANSWERED,
    FIN,
    REFUSED,
    SILENT,
    UDP,
    as_sessions,
    natural,
    repeated,
)
from ndr_core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US

EXFILTRATED_BYTES: Final = 500_000_000
ROLE_PORT: Final = 8443
"""Where the host that changes its role serves."""
_UPLOADS: Final = 20
_SWEPT_SEGMENTS: Final = 3
_SWEPT_PORT: Final = 445
_OPEN_ON_CLIENTS: Final = 0.15
_SCANNED_PORTS: Final = range(1, 1025)
_OPEN_PORTS: Final = (135, 445)
_GUESSES: Final = 1500
_DENIED: Final = 600
_MAIL_PEERS: Final = 3
_MOVES: Final = (22, 3389, 3389, 5985, 5985)
"""The ports of five moves, each to a peer of its own."""
_CLIENT_SHARE: Final = 0.4
_NO_ANSWER_BYTES: Final = 60


def port_sweep(place: Place) -> pl.DataFrame:
    """Ask every address of three segments for one port; hardly any answers."""
    population, draws = place.population, place.draws
    last_first = max(0, segments(population.size) - _SWEPT_SEGMENTS)
    first = draws.number("segment", 0, last_first)
    addresses = [
        f"{segment_prefix(first + segment)}.{last}"
        for segment in range(_SWEPT_SEGMENTS)
        for last in range(1, 255)
    ]
    targets = [population.book.number(address) for address in addresses]
    targets = [target for target in draws.shuffled("order", targets) if target != place.host]
    serves = {*population.servers["share"], *population.servers["directory"]}
    luck = draws.uniform("open", len(targets))
    is_open = [
        target in serves or (target in population.clients and chance < _OPEN_ON_CLIENTS)
        for target, chance in zip(targets, luck, strict=True)
    ]
    fate = [ANSWERED if answers else SILENT for answers in is_open]
    times = place.times(len(targets), place.begin_us(10, 15), 25 * MINUTE_US)
    return natural(
        place.ends(times, destination=pl.Series(targets), port=_SWEPT_PORT, fate=pl.Series(fate)),
        draws.of("amounts"),
    )


def vertical_scan(place: Place) -> pl.DataFrame:
    """Ask one server for its first 1,024 ports; two are open."""
    draws = place.draws
    server = draws.shuffled("server", place.population.servers["share"])[0]
    ports = draws.shuffled("ports", _SCANNED_PORTS)
    fate = [ANSWERED if port in _OPEN_PORTS else SILENT for port in ports]
    times = place.times(len(ports), place.begin_us(9, 16), 20 * MINUTE_US)
    return natural(
        place.ends(times, destination=server, port=pl.Series(ports), fate=pl.Series(fate)),
        draws.of("amounts"),
    )


def jittered_beacon(place: Place) -> pl.DataFrame:
    """Ask a new peer every 300 s, give or take 30 %, all day."""
    gaps = (210 + 180 * place.draws.uniform("gap", 500)) * SECOND_US
    return _beacon(place, gaps.cast(pl.Int64), sent=412, received=238)


def unanswered_beacon(place: Place) -> pl.DataFrame:
    """Ask a new peer every 60 s, all day; it is gone."""
    gaps = (59.5 + place.draws.uniform("gap", 1500)) * SECOND_US
    return _beacon(place, gaps.cast(pl.Int64), sent=_NO_ANSWER_BYTES, received=0)


def _beacon(place: Place, gaps_us: pl.Series, sent: int, received: int) -> pl.DataFrame:
    starts = gaps_us.cum_sum() + place.day_us
    # The last one ends within the day.
    starts = starts.filter(starts < place.day_us + DAY_US - MINUTE_US)
    return place.ends(
        starts,
        destination=place.new_peer(),
        port=443,
        duration_us=place.draws.below("duration", len(starts), SECOND_US) + SECOND_US // 10,
        source_bytes=sent,
        destination_bytes=received,
        ending=FIN if received else AGED,
    )


def ssh_brute_force(place: Place) -> pl.DataFrame:
    """Try 1,500 passwords on one server: each try has about as many bytes as the others."""
    draws = place.draws
    server = draws.shuffled("server", place.population.servers["application"])[0]
    return place.ends(
        place.times(_GUESSES, place.begin_us(9, 16), 45 * MINUTE_US),
        destination=server,
        port=22,
        duration_us=draws.below("duration", _GUESSES, 2 * SECOND_US) + 2 * SECOND_US,
        source_bytes=draws.below("sent", _GUESSES, 240) + 1900,
        destination_bytes=draws.below("received", _GUESSES, 300) + 2400,
        ending=FIN,
    )


def lateral_movement(place: Place) -> pl.DataFrame:
    """Log in to five clients that the host never contacted, by ports of administration."""
    draws = place.draws
    moves = pl.DataFrame({"destination": place.clients(len(_MOVES)), "port": _MOVES})
    visits = repeated(moves, draws.below("visits", len(_MOVES), 5) + 3)
    times = place.times(visits.height, place.begin_us(9, 16), 90 * MINUTE_US)
    ends = place.ends(times, destination=visits["destination"], port=visits["port"], fate=ANSWERED)
    return natural(ends, draws.of("amounts"))


def exfiltration(place: Place) -> pl.DataFrame:
    """Send 500 MB to a new peer, in twenty sessions."""
    draws = place.draws
    weights = draws.below("share", _UPLOADS, 1000) + 500
    parts = weights * EXFILTRATED_BYTES // int(weights.sum())
    rest = pl.Series([EXFILTRATED_BYTES - int(parts.sum())] + [0] * (_UPLOADS - 1))
    return place.ends(
        place.times(_UPLOADS, place.begin_us(9, 16), 50 * MINUTE_US),
        destination=place.new_peer(),
        port=443,
        duration_us=draws.below("duration", _UPLOADS, 2 * MINUTE_US) + 30 * SECOND_US,
        source_bytes=parts + rest,
        destination_bytes=draws.below("received", _UPLOADS, 40_000) + 4_000,
        ending=FIN,
    )


def deny_burst(place: Place) -> pl.DataFrame:
    """Ask mail servers outside 600 times in ten minutes; the firewall refuses each."""
    draws = place.draws
    peers = place.population.new_peers(_MAIL_PEERS)
    ends = place.ends(
        place.times(_DENIED, place.begin_us(9, 17), 10 * MINUTE_US),
        destination=draws.below("peer", _DENIED, _MAIL_PEERS) + peers.start,
        port=25,
        fate=REFUSED,
    )
    return natural(ends, draws.of("amounts"))


def role_change(place: Place) -> pl.DataFrame:
    """Serve many clients from the morning on, and ask a database and names as servers do."""
    population, draws = place.population, place.draws
    begin = place.begin_us(8, 9)
    length = place.day_us + 19 * HOUR_US - begin
    callers = place.clients(int(len(population.clients) * _CLIENT_SHARE))
    calls = repeated(pl.DataFrame({"source": callers}), draws.below("calls", len(callers), 6) + 2)
    served = place.ends(
        draws.below("called", calls.height, length) + begin,
        source=calls["source"],
        destination=place.host,
        port=ROLE_PORT,
        fate=ANSWERED,
    )
    size = calls.height // 2
    asks_names = draws.uniform("what", size) < 0.4
    asked = place.ends(
        draws.below("asked", size, length) + begin,
        destination=pl.select(
            pl.when(asks_names)
            .then(population.servers["dns"].start)
            .otherwise(population.servers["database"].start)
        ).to_series(),
        port=pl.select(pl.when(asks_names).then(53).otherwise(5432)).to_series(),
        fate=ANSWERED,
    ).with_columns(transport=pl.when(asks_names).then(UDP).otherwise("transport"))
    ends = [
        frame.select(
            "start_us",
            *(pl.col(name).cast(pl.Int64) for name in ("source", "destination", "port")),
            *(pl.col(name).cast(pl.UInt8) for name in ("transport", "fate")),
        )
        for frame in (served, asked)
    ]
    return as_sessions(natural(pl.concat(ends), draws.of("amounts")))
