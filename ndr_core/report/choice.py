"""Which hosts a report shows in detail, and why these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

MOST_DETAILED: Final = 40
"""Hosts that are shown in detail, beside those that were asked for."""
ASKED: Final = "asked for"


@frozen
class Chosen:
    """A host that is shown in detail."""

    host: str
    reasons: tuple[str, ...]
    """Where it stands in which ranking: `1. of scan_score`."""


def choose_hosts(
    asked: Sequence[str], rankings: Mapping[str, Sequence[str]], most: int = MOST_DETAILED
) -> tuple[Chosen, ...]:
    """Choose hosts: those that were asked for, then the first of each ranking, then the second ones, and so on.

    `rankings`: name -> hosts, the highest first; `most`: how many beside those asked for. Each comes once, with all of
    its places.
    """
    reasons: dict[str, list[str]] = {host: [ASKED] for host in asked}
    for name, hosts in rankings.items():
        for place, host in enumerate(hosts, 1):
            reasons.setdefault(host, []).append(f"{place}. of {name}")
    depth = max(map(len, rankings.values()), default=0)
    in_turn = [
        hosts[place] for place in range(depth) for hosts in rankings.values() if place < len(hosts)
    ]
    others = [host for host in dict.fromkeys(in_turn) if host not in asked]
    chosen = [*dict.fromkeys(asked), *others[:most]]
    return tuple(Chosen(host, tuple(reasons[host])) for host in chosen)
