"""Hosts, addresses and segments as numbers while windows are built, and what is known of the addresses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl
from attrs import field, frozen

from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.polars.features.networks import segments, sides
from ndr_adapters.polars.views import HOST
from ndr_core.deltas.roles import INBOUND, OUTBOUND
from ndr_core.features.networks import Networks, Side

PEER: Final = "peer"
"""Column: the number of a peer's address."""
PORT: Final = "port"
"""Column: a port + 1, 0 for an unknown one."""
SIDE: Final = "side"
"""Column: on which side of the network's edge the peer lies, the text of a `Side`."""
SEGMENT: Final = "segment"
"""Column: the number of the peer's segment."""

_ROLES: Final = (OUTBOUND.name, INBOUND.name)


@frozen
class Numbers:
    """Numbers of addresses and segments, which hold for one build.

    HOST is the number of an address, doubled, and 1 more for the role inbound.
    """

    networks: Networks
    _addresses: Addresses = field(factory=Addresses)
    _segments: Addresses = field(factory=Addresses)

    def host(self, role: str) -> pl.Expr:
        """Give HOST of a row of a role, over `host_ip`."""
        number = self._addresses.number(pl.col("host_ip")).cast(pl.Int64)
        return (number * len(_ROLES) + _ROLES.index(role)).alias(HOST)

    def peer(self) -> pl.Expr:
        """Give PEER, over `peer_ip`."""
        return self._addresses.number(pl.col("peer_ip")).alias(PEER)

    def segment(self) -> pl.Expr:
        """Give SEGMENT, over the column `segment` of texts."""
        return self._segments.number(pl.col("segment")).alias(SEGMENT)

    def host_ip(self) -> pl.Expr:
        """Give the address of HOST."""
        return self._addresses.text(pl.col(HOST) // len(_ROLES)).alias("host_ip")

    def peer_ip(self) -> pl.Expr:
        """Give the address of PEER."""
        return self._addresses.text(pl.col(PEER)).alias("peer_ip")

    def host_sides(self, hosts: pl.Series) -> pl.Series:
        """Give the SIDE of each HOST."""
        texts = hosts.to_frame(HOST).select(self.host_ip()).to_series()
        return sides(texts, self.networks).alias(SIDE)

    def places(self, peers: pl.Series) -> pl.DataFrame:
        """Give PEER, SIDE and SEGMENT of peers. `peers`: each once."""
        known = peers.to_frame(PEER)
        texts = known.select(self.peer_ip()).to_series()
        names = segments(texts, self.networks).alias("segment").to_frame()
        side = sides(texts, self.networks).alias(SIDE).cast(_SIDES)
        return known.with_columns(side, names.select(self.segment()).to_series())


_SIDES: Final = pl.Enum([side.value for side in Side])


def port() -> pl.Expr:
    """Give PORT, over `peer_port`."""
    return (pl.col("peer_port") + 1).fill_null(0).cast(pl.UInt32).alias(PORT)


def peer_port() -> pl.Expr:
    """Give the port of PORT, null for an unknown one."""
    number = pl.col(PORT).cast(pl.Int64)
    return pl.when(number > 0).then(number - 1).alias("peer_port")


def is_outbound() -> pl.Expr:
    """Whether HOST is one of the role outbound."""
    return pl.col(HOST) % len(_ROLES) == _ROLES.index(OUTBOUND.name)


def contact_hash() -> pl.Expr:
    """Give a number of `host_ip` and `peer_ip`: the same for the same texts, and hardly ever for others."""
    host, peer = (pl.col(name).cast(pl.String) for name in ("host_ip", "peer_ip"))
    return (host.hash(0) ^ peer.hash(1)).alias("contact_hash")


def role_of() -> pl.Expr:
    """Give the role of HOST."""
    outbound, inbound = _ROLES
    return pl.when(is_outbound()).then(pl.lit(outbound)).otherwise(pl.lit(inbound)).alias("role")


def on_ports(ports: Iterable[int]) -> pl.Expr:
    """Whether PORT is one of some ports."""
    return pl.col(PORT).is_in([one + 1 for one in sorted(ports)])
