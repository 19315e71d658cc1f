"""Suricata's flow events are read as EVE has them."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.flows.object_reader import Skipped
from tests.unit.core.flows.presets.reading import flows, read, unmapped, values

EVE = flows("suricata/eve.json", "json")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (
            "source_ip",
            ["192.0.2.10", "203.0.113.9", "192.0.2.10", "192.0.2.10", "192.0.2.10", "192.0.2.11"],
        ),
        (
            "destination_ip",
            [
                "198.51.100.2",
                "192.0.2.10",
                "2001:db8::53",
                "198.51.100.1",
                "198.51.100.9",
                "198.51.100.3",
            ],
        ),
        ("source_port", [49152, 40000, 40053, None, 49160, None]),
        ("destination_port", [443, 22, 53, None, 8080, None]),
        ("source_bytes", [1000, 60, 82, 98, 400, None]),
        ("destination_bytes", [9000, 0, 162, 98, 300, None]),
        ("source_packets", [10, 1, 1, 1, 4, None]),
        ("destination_packets", [12, 0, 1, 1, 3, None]),
        (
            "event_start",
            [
                "2024-04-19T00:00:00.427112Z",
                "2024-04-19T00:00:01Z",
                "2024-04-19T00:00:02Z",
                "2024-04-19T00:00:03Z",
                "2024-04-19T00:00:04Z",
                "2024-04-19T00:00:05Z",
            ],
        ),
        (
            "event_end",
            [
                "2024-04-19T00:00:30.427112Z",
                "2024-04-19T00:00:01Z",
                "2024-04-19T00:00:02.020000Z",
                "2024-04-19T00:00:03.010000Z",
                "2024-04-19T00:00:05Z",
                None,
            ],
        ),
        ("event_action", ["allow", "drop", "allow", "allow", "drop", None]),
        ("event_reason", ["tcp-fin", "aged-out", "aged-out", "aged-out", None, None]),
        ("event_name", ["TRAFFIC"] * 6),
        ("network_transport", ["TCP", "TCP", "UDP", "ICMP", "TCP", None]),
    ],
)
def test_a_field_of_a_flow_event(field: str, expected: list[Any]) -> None:
    assert values(field, EVE) == expected


def test_the_fields_that_a_flow_event_does_not_have() -> None:
    assert unmapped("suricata") == {
        "source_ip_bytes",
        "destination_ip_bytes",
        "missed_bytes",
        "tcp_flags",
    }


def test_events_of_other_types_are_skipped() -> None:
    found = read("suricata/eve.json", "json")

    assert [one == Skipped() for one in found] == [False] * 5 + [True] * 3 + [False]
