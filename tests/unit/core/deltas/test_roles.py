"""A role sees a record from the side of one of its two hosts."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import asdict, evolve

from ndr_core.deltas.roles import INBOUND, OUTBOUND, ROLES, Role
from ndr_core.errors import Problem
from ndr_core.expressions.evaluate import evaluate
from ndr_core.flows.record import FlowRecord

MINUTE = 60_000_000
RECORD = asdict(
    FlowRecord(
        source_ip="10.0.0.1",
        destination_ip="192.0.2.7",
        event_start=5 * MINUTE + 1,
        event_end=6 * MINUTE,
        source_port=50000,
        destination_port=443,
        source_bytes=100,
        destination_bytes=None,
        source_packets=3,
        destination_packets=0,
        event_action="allow",
        event_reason="aged-out",
        event_name="TRAFFIC",
        network_transport="TCP",
    )
) | {"moment": 7 * MINUTE + 1, "mark:negative_duration": False, "mark:missing_end": False}


def seen(role: Role, **changes: Any) -> dict[str, Any]:
    return {name: evaluate(value, RECORD | changes) for name, value in role.view().items()}


def test_outbound_is_seen_from_the_source() -> None:
    assert seen(OUTBOUND) == {
        "host_ip": "10.0.0.1",
        "peer_ip": "192.0.2.7",
        "peer_port": 443,
        "bytes_sent": 100,
        "bytes_recv": 0,
        "packets_sent": 3,
        "packets_recv": 0,
        "duration_us": MINUTE - 1,
        "event_start": 5 * MINUTE + 1,
        "event_ts": 6 * MINUTE,
        "minute": 7,
        "reply": 0,
        "end_known": True,
        "is_session": True,
        "event_action": "allow",
        "event_reason": "aged-out",
        "event_name": "TRAFFIC",
        "network_transport": "TCP",
    }


def test_inbound_is_seen_from_the_destination_and_service_and_reply_stay_the_destination_s() -> (
    None
):
    assert seen(INBOUND) == seen(OUTBOUND) | {
        "host_ip": "192.0.2.7",
        "peer_ip": "10.0.0.1",
        "bytes_sent": 0,
        "bytes_recv": 100,
        "packets_sent": 0,
        "packets_recv": 3,
    }


@pytest.mark.parametrize(
    ("packets", "sent", "reply"),
    [(0, 5, 0), (2, 0, 2), (None, 0, 0), (None, 5, 5), (None, None, None)],
)
def test_the_reply_is_what_is_known_of_the_destination_packets_before_bytes(
    packets: int | None, sent: int | None, reply: int | None
) -> None:
    for role in (OUTBOUND, INBOUND):
        assert seen(role, destination_packets=packets, destination_bytes=sent)["reply"] == reply


@pytest.mark.parametrize("mark", ["mark:negative_duration", "mark:missing_end"])
def test_an_end_that_was_repaired_is_not_known(mark: str) -> None:
    assert seen(OUTBOUND, **{mark: True})["end_known"] is False


@pytest.mark.parametrize(
    ("name", "is_session"), [("THREAT", False), ("TRAFFIC", True), (None, True)]
)
def test_a_record_is_one_of_a_session_unless_it_is_a_threat(
    name: str | None, is_session: bool
) -> None:
    assert seen(OUTBOUND, event_name=name)["is_session"] is is_session


def test_a_role_may_name_another_port() -> None:
    assert seen(evolve(OUTBOUND, peer_port="source_port"))["peer_port"] == 50000


@pytest.mark.parametrize(("late", "second"), [(0, 0), (1, 0), (999_999, 0), (1_000_000, 1_000_000)])
def test_the_time_of_a_view_is_the_whole_second_in_which_the_session_ended(
    late: int, second: int
) -> None:
    assert seen(OUTBOUND, event_end=6 * MINUTE + late)["event_ts"] == 6 * MINUTE + second


def test_only_the_role_outbound_as_it_is_counts_as_outbound() -> None:
    others = [
        INBOUND,
        evolve(OUTBOUND, name="client"),
        evolve(OUTBOUND, peer_port="source_port"),
        evolve(INBOUND, name="outbound"),
    ]

    assert evolve(OUTBOUND).is_outbound
    assert not any(role.is_outbound for role in others)


def test_roles_are_known_by_their_names() -> None:
    assert ROLES == {"outbound": OUTBOUND, "inbound": INBOUND}
    assert OUTBOUND.problems() == INBOUND.problems() == []


@pytest.mark.parametrize(
    ("key", "value", "like"),
    [
        ("host", "source_bytes", "source_ip"),
        ("host", "sorce_ip", "source_ip"),
        ("peer", "event_start", "source_ip"),
        ("sent", "source_port", "source_bytes"),
        ("sent", "source_ip", "source_bytes"),
        ("sent", "missed_bytes", "source_bytes"),
        ("received", "source_ip_bytes", "source_bytes"),
        ("received", "event_end", "source_bytes"),
        ("peer_port", "source_bytes", "source_port"),
    ],
)
def test_a_part_that_its_field_can_not_play_is_refused(key: str, value: str, like: str) -> None:
    role = Role(**(asdict(INBOUND) | {key: value}))

    assert role.problems() == [Problem(key, f"{value!r} is no field like {like}")]


def test_a_name_that_can_be_no_folder_is_refused() -> None:
    (problem,) = evolve(INBOUND, name="In/Bound").problems()

    assert problem.key == "name"
