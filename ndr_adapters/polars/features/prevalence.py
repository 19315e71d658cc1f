"""How many of the internal hosts contact a peer: `history.prevalence` of the core, for many hosts at once."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
from attrs import frozen

from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.polars.features.networks import sides
from ndr_core.features.networks import Networks, Side


@frozen
class Prevalence:
    """The internal hosts that contacted peers in the days that count."""

    peers: pl.DataFrame
    """`peer_ip` and `prevalence_hosts`, of peers that were contacted."""
    hosts_seen: int
    """Internal hosts that contacted any peer."""

    @classmethod
    def total(cls, peers: pl.DataFrame, hosts_seen: int) -> Prevalence:
        """Add up what was counted of parts of the hosts: `peers` has the rows of each part."""
        return cls(peers.group_by("peer_ip").agg(pl.sum("prevalence_hosts")), hosts_seen)


def prevalence_of(
    contacts: Iterable[pl.LazyFrame], networks: Networks, addresses: Addresses | None = None
) -> Prevalence:
    """Count the internal hosts of each peer. `contacts`: `host_ip` and `peer_ip` of outbound rows of the days.

    These may be texts, or what `addresses` knows by its numbers.
    """
    addresses = addresses or Addresses()
    numbered = [
        rows.select(addresses.number(pl.col("host_ip", "peer_ip")))
        .unique()
        .collect(engine="streaming")
        for rows in contacts
    ]
    schema = {"host_ip": pl.UInt32, "peer_ip": pl.UInt32}
    whole = pl.concat([pl.DataFrame(schema=schema), *numbered]).unique()
    hosts = whole.select(pl.col("host_ip").unique())
    side = sides(hosts.select(addresses.text(pl.col("host_ip"))).to_series(), networks)
    internal = hosts.filter(side == Side.INTERNAL.value)
    of_internal = whole.join(internal, on="host_ip", how="semi")
    peers = of_internal.group_by("peer_ip").agg(pl.len().cast(pl.Int64).alias("prevalence_hosts"))
    named = peers.with_columns(addresses.text(pl.col("peer_ip")))
    return Prevalence(named, of_internal.get_column("host_ip").n_unique())
