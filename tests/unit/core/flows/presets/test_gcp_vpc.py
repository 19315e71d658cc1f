"""VPC Flow Logs of Google Cloud are read as a sink of Cloud Logging writes them."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.flows.object_reader import Skipped
from tests.unit.core.flows.presets.reading import flows, read, unmapped, values

ENTRIES = flows("gcp_vpc/entries.json", "json")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("source_ip", ["192.0.2.15", "198.51.100.7", "2001:db8::15", "192.0.2.15", "192.0.2.16"]),
        (
            "destination_ip",
            ["198.51.100.7", "192.0.2.15", "2001:db8::53", "198.51.100.1", "198.51.100.8"],
        ),
        ("source_port", [49152, 443, 40053, None, None]),
        ("destination_port", [443, 49152, 53, None, None]),
        ("source_bytes", [4249, 9100, 82, 84, None]),
        ("source_packets", [20, 18, 1, 1, None]),
        (
            "event_start",
            [
                "2024-04-19T00:00:00.123456Z",
                "2024-04-19T00:00:00.140000Z",
                "2024-04-19T00:00:02Z",
                "2024-04-19T00:00:03Z",
                "2024-04-19T00:00:04Z",
            ],
        ),
        (
            "event_end",
            [
                "2024-04-19T00:00:12.456789Z",
                "2024-04-19T00:00:12.450000Z",
                "2024-04-19T00:00:02.020000Z",
                "2024-04-19T00:00:03Z",
                None,
            ],
        ),
        ("event_name", ["TRAFFIC"] * 5),
        ("network_transport", ["TCP", "TCP", "UDP", "ICMP", None]),
    ],
)
def test_a_field_of_an_entry(field: str, expected: list[Any]) -> None:
    assert values(field, ENTRIES) == expected


def test_the_fields_that_an_entry_does_not_have() -> None:
    assert unmapped("gcp_vpc") == {
        "destination_bytes",
        "destination_packets",
        "source_ip_bytes",
        "destination_ip_bytes",
        "missed_bytes",
        "tcp_flags",
        "event_action",
        "event_reason",
    }


def test_an_entry_of_another_log_is_skipped() -> None:
    assert read("gcp_vpc/entries.json", "json")[4] == Skipped()
