"""Scans, password guessing, movement from host to host: what the merged pairs of an outbound host tell of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ndr_core.features.networks import Networks, Side
from ndr_core.tables.columns import Histogram
from ndr_core.tables.merge import Row
from ndr_core.windows.aggregates import SEGMENT_AGGREGATES
from ndr_core.windows.medians import count_near, median_middle
from ndr_core.windows.novelty import HostHistory
from ndr_core.windows.settings import DetectionPorts

EVEN_SHARE: Final = 10
"""A session is even with others whose bytes sent are within such a part of their median."""

Pair = Mapping[str, Any]
"""A merged row of the pair table."""


def segments(pairs: Sequence[Pair], networks: Networks) -> Row:
    """Give `SEGMENT_AGGREGATES` of a host, a role and a window. `pairs`: its merged pairs."""
    peers = {pair["peer_ip"] for pair in pairs}
    external = {ip for ip in peers if networks.side_of(ip) is Side.EXTERNAL}
    internal = {ip for ip in peers if networks.side_of(ip) is Side.INTERNAL}
    sent = sum(pair["bytes_sent_sum"] for pair in pairs if pair["peer_ip"] in external)
    values = (len(set(map(networks.segment_of, peers))), len(external), len(internal), sent)
    return dict(zip((one.name for one in SEGMENT_AGGREGATES), values, strict=True))


def detections(
    pairs: Sequence[Pair],
    history: HostHistory | None,
    networks: Networks,
    ports: DetectionPorts,
) -> Row:
    """Give `DETECTION_AGGREGATES` of an outbound host and a window.

    `pairs`: the merged pairs of the window; `history`: that of the host, None where it is not known.
    """
    return {
        **_scans([pair for pair in pairs if networks.side_of(pair["peer_ip"]) is not Side.NEITHER]),
        **_guessing([pair for pair in pairs if pair["peer_port"] in ports.auth]),
        **_lateral(
            [
                pair
                for pair in pairs
                if pair["peer_port"] in ports.lateral
                and networks.side_of(pair["peer_ip"]) is Side.INTERNAL
            ],
            history,
            ports.lateral,
        ),
        "long_pair_seconds_max": max((pair["duration_s_sum"] for pair in pairs), default=0),
    }


def is_failed(pair: Pair) -> bool:
    """Whether no session of a pair was answered."""
    return bool(pair["unanswered_cnt"] == pair["sessions_cnt"])


def even_per_mille(sizes: Histogram) -> int:
    """Give the per mille of sessions that are within a tenth of the median size. `sizes`: of one or more sessions."""
    size = median_middle(sizes)
    return 1000 * count_near(sizes, size, size // EVEN_SHARE) // sum(count for _, count in sizes)


def _scans(pairs: Iterable[Pair]) -> Row:
    """Failed targets, of the pairs with single hosts."""
    known = list(pairs)
    failed = [pair for pair in known if is_failed(pair)]
    answering = {pair["peer_ip"] for pair in known if not is_failed(pair)}
    return {
        "hscan_max_peers": _most(failed, "peer_port", "peer_ip"),
        "vscan_max_ports": _most(
            [pair for pair in failed if pair["peer_port"] is not None], "peer_ip", "peer_port"
        ),
        "scan_targets_cnt": len(failed),
        "detection:failed_peers": len({pair["peer_ip"] for pair in known} - answering),
        "detection:answering_peers": len(answering),
    }


def _most(pairs: Iterable[Pair], key: str, value: str) -> int:
    """The most distinct values of one key."""
    found: dict[Any, set[Any]] = defaultdict(set)
    for pair in pairs:
        found[pair[key]].add(pair[value])
    return max(map(len, found.values()), default=0)


def _guessing(pairs: Iterable[Pair]) -> Row:
    """The pair with most sessions; of several the one whose sessions are most even."""
    sessions, even = max(
        ((pair["sessions_cnt"], even_per_mille(pair["bytes_sent_hist"])) for pair in pairs),
        default=(0, None),
    )
    return {"brute_max_sessions": sessions, "brute_even_pm": even}


def _lateral(pairs: Iterable[Pair], history: HostHistory | None, ports: frozenset[int]) -> Row:
    """Internal peers on ports by which hosts are acted on, and those never met on any of them before."""
    peers = {pair["peer_ip"] for pair in pairs}
    known = None if history is None else {peer for peer, port in history.pairs if port in ports}
    return {
        "admin_peer_nunique": len(peers),
        "detection:new_admin_peers": None if known is None else len(peers - known),
    }
