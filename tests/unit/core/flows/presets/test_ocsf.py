"""OCSF network activity is read as firewalls and Amazon Security Lake write it."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.flows.object_reader import Skipped
from tests.unit.core.flows.presets.reading import (
    flows,
    mapping_of,
    read,
    read_objects,
    unmapped,
    values,
)

FIREWALL = flows("ocsf/firewall.json", "json")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("source_ip", ["192.0.2.3", "192.0.2.3", "2001:db8::3"]),
        ("destination_ip", ["198.51.100.20", "198.51.100.21", "2001:db8::20"]),
        ("source_port", [50123, 50124, None]),
        ("destination_port", [443, 23, None]),
        ("source_bytes", [1830, 74, None]),
        ("destination_bytes", [52211, 0, None]),
        ("source_packets", [31, 1, None]),
        ("destination_packets", [59, 0, None]),
        ("tcp_flags", [None, 2, None]),
        ("event_start", ["2024-04-19T00:00:00Z", "2024-04-19T00:00:01Z", "2024-04-19T00:00:03Z"]),
        ("event_end", ["2024-04-19T00:00:12Z", "2024-04-19T00:00:01Z", None]),
        ("event_action", ["allow", "drop", None]),
        ("event_name", ["TRAFFIC"] * 3),
        ("network_transport", ["TCP", "TCP", None]),
    ],
)
def test_a_field_of_an_event_of_a_firewall(field: str, expected: list[Any]) -> None:
    assert values(field, FIREWALL) == expected


LAKE = flows("ocsf/security_lake.json", "flow_logs")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("source_ip", ["192.0.2.15", "203.0.113.9"]),
        ("destination_ip", ["198.51.100.7", "192.0.2.15"]),
        ("source_port", [49152, 55555]),
        ("destination_port", [443, 22]),
        ("source_bytes", [4249, 40]),
        ("destination_bytes", [None, None]),
        ("source_packets", [20, 1]),
        ("destination_packets", [None, None]),
        ("tcp_flags", [3, 2]),
        ("event_start", ["2024-04-19T00:00:00Z", "2024-04-19T00:00:02Z"]),
        ("event_end", ["2024-04-19T00:01:00Z", "2024-04-19T00:01:00Z"]),
        ("event_action", ["allow", "block"]),
        ("event_name", ["TRAFFIC"] * 2),
        ("network_transport", ["TCP", "TCP"]),
    ],
)
def test_a_field_of_a_flow_log_of_security_lake(field: str, expected: list[Any]) -> None:
    assert values(field, LAKE) == expected


def test_the_fields_that_network_activity_does_not_have() -> None:
    assert unmapped("ocsf") == {
        "source_ip_bytes",
        "destination_ip_bytes",
        "missed_bytes",
        "event_reason",
    }


def test_an_event_of_another_class_is_skipped() -> None:
    assert read("ocsf/firewall.json", "json")[2] == Skipped()


@pytest.mark.parametrize(
    ("action", "disposition", "meaning"),
    [
        (1, 1, "allow"),
        (2, 2, "block"),
        (2, 6, "drop"),
        (2, 21, "reset"),
        (2, 25, "reject"),
        (2, 26, "deny"),
        (2, 3, "block"),
        (2, 4, "block"),
        (3, 19, "alert"),
        (4, 12, "allow"),
        (2, None, "deny"),
        (1, None, "allow"),
        (None, 1, "allow"),
        (0, 0, None),
        (None, None, None),
    ],
)
def test_what_the_ids_of_action_and_disposition_mean(
    action: int | None, disposition: int | None, meaning: str | None
) -> None:
    objects = iter([{"class_uid": 4001, "action_id": action, "disposition_id": disposition}])

    (found,) = read_objects(mapping_of("ocsf", "json"), objects)

    assert values("event_action", [found]) == [meaning]


@pytest.mark.parametrize(
    ("traffic", "sent", "received"),
    [
        ({"bytes_out": 10, "bytes_in": 90, "bytes": 100}, 10, 90),
        ({"bytes_in": 90, "bytes": 100}, None, 90),
        ({"bytes_out": 10, "bytes": 100}, 10, None),
        ({"bytes": 100}, None, None),
    ],
)
def test_the_total_of_both_directions_is_not_what_the_source_sent(
    traffic: dict[str, int], sent: int | None, received: int | None
) -> None:
    packets = {name.replace("bytes", "packets"): value for name, value in traffic.items()}
    objects = iter([{"class_uid": 4001, "traffic": {**traffic, **packets}}])

    found = read_objects(mapping_of("ocsf", "json"), objects)

    for amount in ("bytes", "packets"):
        assert values(f"source_{amount}", found) == [sent]
        assert values(f"destination_{amount}", found) == [received]


@pytest.mark.parametrize("form", ["flow_logs", "security_lake"])
def test_the_total_of_one_direction_is_what_the_source_sent(form: str) -> None:
    traffic = {"bytes": 100, "packets": 2}

    found = read_objects(mapping_of("ocsf", form), iter([{"class_uid": 4001, "traffic": traffic}]))

    assert values("source_bytes", found) == [100]
    assert values("source_packets", found) == [2]
