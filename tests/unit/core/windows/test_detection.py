"""Scans, guessing and lateral movement, by pairs made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.windows.detection import detections, even_per_mille, segments
from ndr_core.windows.novelty import HostHistory
from ndr_core.windows.settings import DetectionPorts
from tests.window_cases import NETWORKS

PORTS = DetectionPorts()


def pair(
    peer: str, port: int | None, sessions: int = 1, unanswered: int = 0, **changes: Any
) -> Any:
    return {
        "peer_ip": peer,
        "peer_port": port,
        "sessions_cnt": sessions,
        "unanswered_cnt": unanswered,
        "bytes_sent_sum": 10,
        "bytes_sent_hist": ((10, sessions),),
        "duration_s_sum": 1,
    } | changes


def detected(pairs: list[Any], history: HostHistory | None = None) -> dict[str, Any]:
    return detections(pairs, history, NETWORKS, PORTS)


def test_a_target_is_failed_when_none_of_its_sessions_was_answered() -> None:
    found = detected([pair("192.0.2.1", 80, 3, 3), pair("192.0.2.2", 80, 3, 2)])

    assert found["scan_targets_cnt"] == 1
    assert found["detection:failed_peers"] == 1
    assert found["detection:answering_peers"] == 1


def test_a_peer_that_answered_on_one_port_has_answered() -> None:
    found = detected([pair("192.0.2.1", 80, 1, 1), pair("192.0.2.1", 443)])

    assert found["detection:failed_peers"] == 0
    assert found["detection:answering_peers"] == 1


def test_an_unknown_port_is_one_of_horizontal_scans_and_of_targets_but_not_of_vertical_ones() -> (
    None
):
    found = detected([pair(f"192.0.2.{number}", None, 1, 1) for number in (1, 2, 3)])

    assert found["hscan_max_peers"] == 3
    assert found["scan_targets_cnt"] == 3
    assert found["vscan_max_ports"] == 0


@pytest.mark.parametrize("peer", ["224.0.0.1", "255.255.255.255", "ff02::1", "0.0.0.0"])
def test_multicast_and_broadcast_fail_no_target(peer: str) -> None:
    found = detected([pair(peer, 53, 5, 5)])

    assert found["scan_targets_cnt"] == 0
    assert found["hscan_max_peers"] == 0
    assert found["detection:failed_peers"] == 0


def test_sessions_are_even_within_a_tenth_of_their_median() -> None:
    # The median of ten is the fifth: 100; within 10 of it are 90, 100 and 110.
    assert even_per_mille(((89, 1), (90, 1), (100, 4), (110, 1), (111, 3))) == 1000 * 6 // 10


def test_of_pairs_with_equally_many_sessions_the_most_even_one_counts() -> None:
    found = detected(
        [
            pair("192.0.2.1", 22, 4, bytes_sent_hist=((10, 2), (100, 2))),
            pair("192.0.2.2", 22, 4, bytes_sent_hist=((10, 3), (100, 1))),
            pair("192.0.2.3", 22, 3, bytes_sent_hist=((10, 3),)),
            pair("192.0.2.4", 80, 9),  # no port on which one logs in
            pair("192.0.2.5", None, 9),
        ]
    )

    assert (found["brute_max_sessions"], found["brute_even_pm"]) == (4, 750)


def test_a_peer_met_on_any_lateral_port_before_is_not_new_on_another_one() -> None:
    history = HostHistory({("10.0.1.1", 445): 1, ("10.0.1.2", 443): 1})

    found = detected(
        [pair("10.0.1.1", 3389), pair("10.0.1.2", 3389), pair("192.0.2.1", 22)], history
    )

    assert found["admin_peer_nunique"] == 2
    assert found["detection:new_admin_peers"] == 1  # 10.0.1.2 was met, on a web port


def test_without_a_history_no_peer_is_known_to_be_new() -> None:
    assert detected([pair("10.0.1.1", 22)])["detection:new_admin_peers"] is None


def test_a_window_without_pairs_has_zeros_and_no_evenness() -> None:
    found = detected([], HostHistory())

    assert found.pop("brute_even_pm") is None
    assert set(found.values()) == {0}


def test_segments_count_peers_of_both_sides_and_neither() -> None:
    pairs = [
        pair("10.0.1.1", 22),
        pair("10.0.1.2", 22),
        pair("192.0.2.1", 22),
        pair("224.0.0.1", 5),
    ]

    assert segments(pairs, NETWORKS) == {
        "peer_segment_nunique": 3,
        "ext_peer_nunique": 1,
        "int_peer_nunique": 2,
        "ext_bytes_sent_sum": 10,
    }
