"""Who is in the network: servers and clients in segments, what each client is used for, and the peers outside."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.synthetic.scenario.draws import Draws
from ndr_adapters.synthetic.scenario.size import Size
from ndr_core.times import HOUR_US

SEGMENT_HOSTS: Final = 50
_SERVERS: Final = (
    ("dns", 2, 2000),
    ("directory", 2, 500),
    ("share", 2, 200),
    ("intranet", 2, 250),
    ("mail", 1, 1000),
    ("database", 1, 400),
    ("application", 2, 250),
    ("monitor", 1, 20_000),
)
"""Kind, least, and hosts for which there is one."""
_OUTSIDE: Final = (("ntp", 5), ("updater", 3), ("agent", 1), ("partner", 2), ("storage", 3))
"""Kind and number of the external servers that hosts contact by themselves."""
_CLIENTS: Final = (
    ("bursty", 2, 50),
    ("admin", 1, 100),
    ("help_desk", 1, 400),
    ("uploader", 1, 100),
    ("agent_host", 1, 67),
)
"""Use of a client, least, and hosts for which there is one; all others are ordinary."""
_NTP_SHARE: Final = 0.62
_NTP_WEIGHTS: Final = (0.3, 0.25, 0.2, 0.15, 0.1)
_UPDATER_SHARE: Final = 0.52
_UPDATER_WEIGHTS: Final = (0.7, 0.2, 0.1)
_ALWAYS_ON: Final = 0.7
_RETIRED: Final = 9
"""Last number of the address that a segment has no more."""
PLANTINGS: Final = 9
"""Ordinary clients that something is planted on, each on one."""
_MOST_POISSON: Final = 20
_PUBLIC: Final = 1 << 17
"""Addresses of 198.18.0.0/15, which is set apart for benchmarks."""
_SCATTER: Final = 40_503
"""Odd: it spreads numbers over the addresses, each once."""
_MOST_PEERS: Final = 100_000


class AddressBook:
    """Addresses by their numbers: sessions hold numbers."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, address: str) -> int:
        """Give the number of an address, a new one where it has none."""
        return self._numbers.setdefault(address, len(self._numbers))

    def numbers(self, addresses: Iterable[str]) -> range:
        """Number new addresses one after the other."""
        found = [self.number(address) for address in addresses]
        return range(found[0], found[-1] + 1)

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def addresses(self) -> pl.Series:
        """All addresses, in the order of their numbers."""
        return pl.Series("address", list(self._numbers), dtype=pl.String)


@frozen
class Population:
    """The hosts and the peers of a scenario. All ids are numbers of the book; hosts come first."""

    size: Size
    draws: Draws
    book: AddressBook
    servers: Mapping[str, range]
    """Kind of server -> its hosts."""
    clients: range
    retired: range
    """Addresses in the network that no host has any more: one in each segment."""
    uses: Mapping[str, Sequence[int]]
    """Use -> the clients of that use: those of planted attacks and of Poisson pairs too, which are ordinary."""
    peers: range
    """External peers by popularity."""
    outside: Mapping[str, range]
    """Kind of external server -> its addresses."""
    hosts: pl.DataFrame
    """One row a host: what it is, how much it does, when it is on, and whom it contacts by itself."""

    def new_peers(self, count: int) -> range:
        """Number external peers that no host has contacted."""
        return _number_new_peers(self.book, count)


def populate(size: Size) -> Population:
    """Number servers, clients, peers and external servers, and give each host its habits."""
    draws, book = Draws(str(size.seed)).of("population"), AddressBook()
    book.numbers(map(host_address, range(size.hosts)))
    servers, first = {}, 0
    for kind, least, hosts in _SERVERS:
        servers[kind] = range(first, first + max(least, size.hosts // hosts))
        first = servers[kind].stop
    clients = range(first, size.hosts)
    retired = book.numbers(
        f"{segment_prefix(segment)}.{_RETIRED}" for segment in range(segments(size))
    )
    peers = book.numbers(map(_peer_address, range(min(10 * size.hosts, _MOST_PEERS))))
    outside = {kind: _number_new_peers(book, count) for kind, count in _OUTSIDE}
    uses = _uses(size, clients, draws)
    habits = _habits(draws, size, servers, outside, {*uses["planted"], *uses["poisson"]})
    return Population(size, draws, book, servers, clients, retired, uses, peers, outside, habits)


def _number_new_peers(book: AddressBook, count: int) -> range:
    """As many numbers as the book holds are taken, at most: what it holds beyond the peers is little."""
    first = _MOST_PEERS + len(book)
    return book.numbers(public_address(first + k) for k in range(count))


def _uses(size: Size, clients: range, draws: Draws) -> Mapping[str, Sequence[int]]:
    uses, left = {}, draws.shuffled("uses", clients)
    asked = [(use, max(least, size.hosts // hosts)) for use, least, hosts in _CLIENTS]
    poisson = min(_MOST_POISSON, max(4, size.hosts // 100))
    for use, count in [*asked, ("planted", PLANTINGS), ("poisson", poisson)]:
        uses[use], left = left[:count], left[count:]
    return uses | {"ordinary": left}


def _habits(
    draws: Draws,
    size: Size,
    servers: Mapping[str, range],
    outside: Mapping[str, range],
    must_be_on: Collection[int],
) -> pl.DataFrame:
    host, count = pl.int_range(size.hosts, dtype=pl.UInt32, eager=True), size.hosts
    clients = max(hosts.stop for hosts in servers.values())
    is_client = host >= clients
    wakes = (7.25 + 2 * draws.uniform("wakes", count)) * HOUR_US
    sleeps = (16.25 + 3 * draws.uniform("sleeps", count)) * HOUR_US
    always_on = draws.uniform("on", count) < _ALWAYS_ON

    def external(kind: str, share: float, weights: Sequence[float]) -> pl.Series:
        chosen = draws.chosen(kind, count, weights) + outside[kind].start
        has_one = draws.uniform(f"has {kind}", count) < share
        return pl.select(pl.when(has_one).then(chosen.cast(pl.UInt32))).to_series()

    return pl.DataFrame(
        {
            "host": host,
            "is_client": is_client,
            "activity": draws.log_normal("activity", count, -0.1, 0.45).clip(0.45, 3.5),
            "always_on": always_on | ~is_client | host.is_in(list(must_be_on)),
            "wakes_us": wakes.cast(pl.Int64),
            "sleeps_us": sleeps.cast(pl.Int64),
            "shift_us": (draws.normal("shift", count) * 0.7 * HOUR_US).cast(pl.Int64),
            **{
                kind: (host % len(servers[kind]) + servers[kind].start).cast(pl.UInt32)
                for kind in ("dns", "directory", "share", "mail")
            },
            "ntp": external("ntp", _NTP_SHARE, _NTP_WEIGHTS),
            "updater": external("updater", _UPDATER_SHARE, _UPDATER_WEIGHTS),
        }
    )


def host_address(number: int) -> str:
    """Give the address of a host: fifty to a segment, one in four addresses of it in use."""
    segment, place = divmod(number, SEGMENT_HOSTS)
    return f"{segment_prefix(segment)}.{10 + 4 * place}"


def segments(size: Size) -> int:
    """Give how many segments the hosts take."""
    return -(-size.hosts // SEGMENT_HOSTS)


def segment_prefix(segment: int) -> str:
    """Give the first three numbers of a segment's addresses."""
    return f"10.{1 + segment // 200}.{segment % 200}"


def public_address(number: int) -> str:
    """Give an address of 198.18.0.0/15."""
    scattered = number * _SCATTER % _PUBLIC
    return f"198.{18 + (scattered >> 16)}.{scattered >> 8 & 255}.{scattered & 255}"


def _peer_address(number: int) -> str:
    """One in ten has IPv6."""
    if number % 10 == 9:
        return f"2001:db8:{number % 977:x}::{number:x}"
    return public_address(number)
