"""What is new for a host: its pairs of a window against its history, which holds nothing of the window."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from attrs import field, frozen

from ndr_core.deltas.tables import PAIR
from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import Expr, col
from ndr_core.expressions.portable import FIXED_POINT_SCALE, log2
from ndr_core.features.networks import Networks, Side
from ndr_core.history.masks import active_days, age_days, day_bit, shifted
from ndr_core.history.tables import PAIR_HISTORY, PAIR_KEY
from ndr_core.tables.merge import Row
from ndr_core.times import day_of
from ndr_core.windows.aggregates import HISTORY_AGGREGATES
from ndr_core.windows.history_source import HistorySource

KeyT = TypeVar("KeyT")

MOST_RARE_DAYS: Final = 2
"""What was seen on more days of the history is not rare; what was seen on none is new."""

RARITY_BITS: Final = log2((col("days_seen") + 1) * 2) - log2(col("active_days") * 2 + 1)
"""Rarity of a pair that was active on `active_days`, of a host that was seen on `days_seen` of the 30 days."""


def _fixed_point(bits: Expr) -> Expr:
    return (bits * float(FIXED_POINT_SCALE) + 0.5).floor_to_int()


RARITY_FIXED_POINT: Final = _fixed_point(RARITY_BITS)
"""The same in 2^-16 bits, rounded: these add up exactly, in any order."""


@frozen
class HostHistory:
    """The history of one host in one role, as windows see it that start on one day."""

    pairs: Mapping[tuple[str, int | None], int] = field(factory=dict)
    """Peer and port -> mask; none is 0. Port None is a port of its own."""

    @property
    def mask(self) -> int:
        """The days on which the host was seen."""
        return self._united(lambda _peer, _port: True).get(True, 0)

    @property
    def history_days(self) -> int:
        """Days from the first day on which the host was seen to that of the window; 0 where it was on none."""
        return age_days(self.mask) or 0

    def of_pair(self, peer: str, port: int | None) -> int:
        """Give the days on which the host met a peer on a port."""
        return self.pairs.get((peer, port), 0)

    def by_peer(self) -> dict[str, int]:
        """Give the days on which the host met each peer; one that it never met is absent."""
        return self._united(lambda peer, _port: peer)

    def by_port(self) -> dict[int | None, int]:
        """Give the days on which the host met any peer on each port; a port of no such day is absent."""
        return self._united(lambda _peer, port: port)

    def by_segment(self, networks: Networks) -> dict[str, int]:
        """Give the days on which the host met any peer of each segment; a segment of no such day is absent."""
        return self._united(lambda peer, _port: networks.segment_of(peer))

    def _united(self, key: Callable[[str, int | None], KeyT]) -> dict[KeyT, int]:
        masks: dict[KeyT, int] = {}
        for (peer, port), days in self.pairs.items():
            value = key(peer, port)
            masks[value] = masks.get(value, 0) | days
        return masks


def histories(
    source: HistorySource,
    base: Iterable[Mapping[str, Any]],
    pairs: Iterable[Mapping[str, Any]],
) -> dict[tuple[str, str], HostHistory]:
    """Give the histories of all hosts by host and role; a host without any is absent.

    `base`: rows of the pair history of the day `source.base`; `pairs`: rows of the pair table, of any slices.
    Those outside of `source.slices` are left out.
    """
    masks: dict[tuple[Any, ...], int] = defaultdict(int)
    if source.base is not None:
        for row in map(PAIR_HISTORY.plain_row, base):
            key = tuple(row[name] for name in PAIR_KEY)
            masks[key] |= shifted(row["days_mask"], source.day - source.base)
    for row in map(PAIR.plain_row, pairs):
        start = row["slice_start_ts"]
        if any(since <= start < until for since, until in source.slices):
            key = tuple(row[name] for name in PAIR_KEY)
            masks[key] |= day_bit(source.day - day_of(start))
    found: dict[tuple[str, str], dict[tuple[str, int | None], int]] = defaultdict(dict)
    for (host, role, peer, port), mask in masks.items():
        if mask:
            found[host, role][peer, port] = mask
    return {key: HostHistory(of_host) for key, of_host in found.items()}


def novelty(
    pairs: Sequence[Mapping[str, Any]], history: HostHistory | None, networks: Networks
) -> Row:
    """Give `HISTORY_AGGREGATES` of a host, a role and a window.

    `pairs`: the merged pairs of the window; `history`: that of the host, None where it is not known.
    """
    if history is None:
        return dict.fromkeys(one.name for one in HISTORY_AGGREGATES)
    by_peer, by_port, by_segment = (
        history.by_peer(),
        history.by_port(),
        history.by_segment(networks),
    )
    peers = {pair["peer_ip"]: by_peer.get(pair["peer_ip"], 0) for pair in pairs}
    ports = {
        pair["peer_port"]: by_port.get(pair["peer_port"], 0)
        for pair in pairs
        if pair["peer_port"] is not None
    }
    segments = {segment: by_segment.get(segment, 0) for segment in map(networks.segment_of, peers)}
    of_pairs = [history.of_pair(pair["peer_ip"], pair["peer_port"]) for pair in pairs]
    days_seen = active_days(history.mask)
    rarities = [{"days_seen": days_seen, "active_days": active_days(mask)} for mask in of_pairs]
    new_external = [
        pair["bytes_sent_sum"]
        for pair in pairs
        if not peers[pair["peer_ip"]] and networks.side_of(pair["peer_ip"]) is Side.EXTERNAL
    ]
    return {
        "novelty:new_peers": _new(peers.values()),
        "novelty:rare_peers": _rare(peers.values()),
        "novelty:new_ports": _new(ports.values()),
        "novelty:rare_ports": _rare(ports.values()),
        "novelty:new_pairs": _new(of_pairs),
        "novelty:rare_pairs": _rare(of_pairs),
        "novelty:new_segments": _new(segments.values()),
        "novelty:new_ext_bytes": sum(new_external),
        "history_days": history.history_days,
        "novelty:pairs": len(pairs),
        "novelty:rarity_max": max((evaluate(RARITY_BITS, row) for row in rarities), default=None),
        "novelty:rarity_sum": sum(evaluate(RARITY_FIXED_POINT, row) for row in rarities),
    }


def _new(masks: Iterable[int]) -> int:
    return sum(mask == 0 for mask in masks)


def _rare(masks: Iterable[int]) -> int:
    return sum(1 <= active_days(mask) <= MOST_RARE_DAYS for mask in masks)
