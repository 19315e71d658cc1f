"""Prevalence: how many of the internal hosts contact a peer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from attrs import frozen

from ndr_core.features.networks import Networks, Side
from ndr_core.history.tables import PREVALENCE_DAYS

OF_DAY: Final = (1 << PREVALENCE_DAYS) - 1
"""The days of the prevalence of a day in the masks of its history: the day and the 6 before."""

OF_WINDOW: Final = OF_DAY << 1
"""The days of the prevalence of a window in masks of the day on which it starts: the 7 days before, not the day."""


@frozen
class Prevalence:
    """The internal hosts that contacted peers in the days that count."""

    hosts_cnt: Mapping[str, int]
    """Peer -> distinct internal hosts that contacted it; peers without any are absent."""
    hosts_seen_cnt: int
    """Distinct internal hosts that contacted any peer."""

    def of(self, peer_ip: str) -> float | None:
        """Give the prevalence of a peer, 0 to 1; None where no internal host was seen."""
        if not self.hosts_seen_cnt:
            return None
        return self.hosts_cnt.get(peer_ip, 0) / self.hosts_seen_cnt


def prevalence_of(
    contacts: Iterable[tuple[str, str, int]], days: int, networks: Networks
) -> Prevalence:
    """Count the internal hosts of each peer.

    `contacts`: (host, peer, mask of the days) of outbound pairs; one host and peer may come several times. `days`: a
    mask of those that count, `OF_DAY` or `OF_WINDOW`.
    """
    hosts_of: dict[str, set[str]] = defaultdict(set)
    for host, peer, mask in contacts:
        if mask & days and networks.side_of(host) is Side.INTERNAL:
            hosts_of[peer].add(host)
    seen = set[str]().union(*hosts_of.values())
    return Prevalence({peer: len(hosts) for peer, hosts in hosts_of.items()}, len(seen))
