"""What feature jobs know of the network: which addresses are the own ones, and in which segment each lies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final

from attrs import field, frozen

from ndr_core.errors import Problem, shown, too_many
from ndr_core.names import PATH_SEGMENT, is_path_segment, whole

_MOST_NETWORKS: Final = 10_000
"""Far above any use: each address is compared with each of them."""

DEFAULT_INTERNAL: Final = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
)
"""Where a spec names no internal networks: the private, shared, link-local and loopback ones."""

NEITHER_NETWORKS: Final = ("224.0.0.0/4", "255.255.255.255/32", "ff00::/8", "0.0.0.0/32", "::/128")
"""Multicast, broadcast and the unspecified address: no host has one of them as its own."""

SEGMENT_BITS: Final = {4: 24, 6: 64}
"""IP version -> leading bits of an address that make its segment, where none is configured for it."""

ADDRESS_BITS: Final = {4: 32, 6: 128}
"""IP version -> bits of an address."""

_NAME_RULE: Final = (
    "may hold letters, digits, '.', '_' and '-' only, 128 at most, a letter or digit first"
)
_CIDR: Final = re.compile(r"[0-9A-Fa-f:.]{2,45}/[0-9]{1,3}", re.ASCII)


class Side(Enum):
    """On which side of the network's edge an address lies."""

    INTERNAL = "internal"
    EXTERNAL = "external"
    NEITHER = "neither"
    """Multicast, broadcast or unspecified: the address of no single host."""


class Hosts(Enum):
    """Whose rows are built."""

    INTERNAL = "internal"
    ALL = "all"


@frozen(order=True)
class Cidr:
    """A network: the addresses of one version that begin with the same bits."""

    version: int
    bits: int
    """Leading bits that are fixed."""
    first: int
    """Its first address, as a number."""

    @property
    def last(self) -> int:
        """Its last address, as a number."""
        return self.first + (1 << (ADDRESS_BITS[self.version] - self.bits)) - 1

    def holds(self, version: int, address: int) -> bool:
        """Whether an address, given as a number, lies in the network."""
        return version == self.version and self.first <= address <= self.last

    def __str__(self) -> str:
        address = IPv4Address(self.first) if self.version == 4 else IPv6Address(self.first)
        return f"{address}/{self.bits}"


@lru_cache(maxsize=1 << 14)
def parse_cidr(text: str) -> Cidr:
    """Read a network such as 10.1.0.0/16 or 2001:db8::/32. Raises ValueError for another text, saying why."""
    if _CIDR.fullmatch(text) is None:
        raise ValueError(f"{shown(text)} is no network such as 10.1.0.0/16 or 2001:db8::/32")
    try:
        network = ip_network(text)
    except ValueError as error:
        raise ValueError(
            f"{shown(text)} is no network such as 10.1.0.0/16 or 2001:db8::/32: {error}"
        ) from error
    return Cidr(network.version, network.prefixlen, int(network.network_address))


@frozen
class Networks:
    """The own networks, and how they are divided."""

    internal: tuple[str, ...] = field(
        default=DEFAULT_INTERNAL,
        metadata={
            "doc": "the own networks, such as 10.0.0.0/8: their addresses are internal; if absent, the private, "
            "shared, link-local and loopback networks",
            "schema": {"minItems": 1, "maxItems": _MOST_NETWORKS},
        },
    )
    segments: Mapping[str, tuple[str, ...]] = field(
        factory=dict,
        metadata={
            "doc": "name of a segment -> its networks; an address belongs to the smallest network that holds it. "
            "One that no network holds: its first 24 bits (IPv4) or 64 bits (IPv6) are its segment",
            "schema": {
                "maxProperties": _MOST_NETWORKS,
                "propertyNames": {"pattern": whole(PATH_SEGMENT)},
            },
        },
    )

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        found = []
        if not self.internal:
            found.append(Problem("internal", "needs at least one network"))
        found += _list_problems("internal", self.internal)
        if len(self.segments) > _MOST_NETWORKS:
            found.append(Problem("segments", too_many(len(self.segments), _MOST_NETWORKS)))
        owners: dict[Cidr, str] = {}
        for name, texts in self.segments.items():
            key = f"segments.{name}"
            if not is_path_segment(name):
                found.append(Problem(key, f"the name {_NAME_RULE}"))
            wrong = _list_problems(key, texts)
            found += wrong
            for cidr in () if wrong else map(parse_cidr, texts):
                if owners.setdefault(cidr, name) != name:
                    found.append(
                        Problem(
                            key, f"{cidr} is also in segment {shown(owners[cidr])}; name it once"
                        )
                    )
        return found

    @property
    def internal_cidrs(self) -> tuple[Cidr, ...]:
        """The own networks, read and sorted."""
        return _sorted(self.internal)

    @property
    def segment_cidrs(self) -> tuple[tuple[Cidr, str], ...]:
        """The configured networks with the segments that they belong to, the smallest networks first."""
        return _smallest_first(
            tuple((text, name) for name, texts in self.segments.items() for text in texts)
        )

    def side_of(self, ip: str) -> Side:
        """Tell on which side an address lies. `ip`: canonical text."""
        version, address = numbered(ip)
        if any(cidr.holds(version, address) for cidr in NEITHER_CIDRS):
            return Side.NEITHER
        if any(cidr.holds(version, address) for cidr in self.internal_cidrs):
            return Side.INTERNAL
        return Side.EXTERNAL

    def segment_of(self, ip: str) -> str:
        """Name the segment of an address: the configured one, else its /24 or /64. `ip`: canonical text."""
        version, address = numbered(ip)
        for cidr, name in self.segment_cidrs:
            if cidr.holds(version, address):
                return name
        bits = SEGMENT_BITS[version]
        rest = ADDRESS_BITS[version] - bits
        return str(Cidr(version, bits, address >> rest << rest))

    def to_plain(self) -> dict[str, Any]:
        """Give plain data, as a spec has it: the networks as they are written."""
        return {
            "internal": list(self.internal),
            "segments": {name: list(texts) for name, texts in self.segments.items()},
        }

    def meaning(self) -> dict[str, Any]:
        """Give what they say as plain data, in one order and spelling: equal where all addresses fare alike."""
        return {
            "internal": [str(cidr) for cidr in self.internal_cidrs],
            "segments": {
                name: [str(cidr) for cidr in _sorted(texts)]
                for name, texts in sorted(self.segments.items())
            },
        }


@lru_cache(maxsize=1 << 17)
def numbered(ip: str) -> tuple[int, int]:
    """Give the version of an address and its number. Raises ValueError for a text that is no address."""
    address = ip_address(ip)
    return address.version, int(address)


@lru_cache(maxsize=64)
def _sorted(texts: tuple[str, ...]) -> tuple[Cidr, ...]:
    return tuple(sorted(set(map(parse_cidr, texts))))


@lru_cache(maxsize=64)
def _smallest_first(named: tuple[tuple[str, str], ...]) -> tuple[tuple[Cidr, str], ...]:
    networks = [(parse_cidr(text), name) for text, name in named]
    return tuple(sorted(networks, key=lambda one: (-one[0].bits, one[0])))


def _list_problems(key: str, texts: Iterable[str]) -> list[Problem]:
    found = []
    known = tuple(texts)
    if len(known) > _MOST_NETWORKS:
        found.append(Problem(key, too_many(len(known), _MOST_NETWORKS)))
    for text in known:
        try:
            parse_cidr(text)
        except ValueError as error:
            found.append(Problem(key, str(error)))
    return found


NEITHER_CIDRS: Final = tuple(map(parse_cidr, NEITHER_NETWORKS))
"""`NEITHER_NETWORKS`, read."""


NETWORKS: Final = {"doc": "the own networks"}
HOSTS: Final = {"doc": "whose rows are built: internal, or all (of external hosts, too)"}
"""What the keys `networks` and `hosts` of JobSpecs say of themselves."""
