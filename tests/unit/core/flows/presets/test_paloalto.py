"""Palo Alto logs are read under the names of the firewall, of Strata Logging Service, and the canonical ones."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.flows.object_reader import Skipped
from ndr_core.flows.wanted import wanted_columns
from tests.unit.core.flows.presets.reading import flows, mapping_of, read, unmapped, values

PANOS = flows("paloalto/panos.json", "panos")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("source_ip", ["192.0.2.3", "192.0.2.3", "192.0.2.3", "192.0.2.3", "2001:db8::3"]),
        (
            "destination_ip",
            ["198.51.100.20", "198.51.100.21", "198.51.100.20", "198.51.100.22", "2001:db8::20"],
        ),
        ("source_port", [50123, 50124, 50123, 50125, None]),
        ("destination_port", [443, 23, 443, 443, None]),
        ("source_bytes", [1830, 74, None, 66, None]),
        ("destination_bytes", [52211, 0, None, 64, None]),
        ("source_packets", [31, 1, None, 1, None]),
        ("destination_packets", [59, 0, None, 1, None]),
        (
            "event_start",
            [
                "2024-04-19T00:00:00Z",
                "2024-04-19T00:00:01Z",
                "2024-04-19T00:00:05Z",
                "2024-04-19T00:00:07Z",
                "2024-04-19T00:00:10Z",
            ],
        ),
        (
            "event_end",
            ["2024-04-19T00:00:12Z", "2024-04-19T00:00:01Z", None, "2024-04-19T00:00:07Z", None],
        ),
        ("event_action", ["allow", "reset-both", "alert", "allow", None]),
        ("event_reason", ["tcp-fin", "policy-deny", None, None, None]),
        ("event_name", ["TRAFFIC", "TRAFFIC", "THREAT", "TRAFFIC", "TRAFFIC"]),
        ("network_transport", ["TCP", "TCP", "TCP", "TCP", None]),
    ],
)
def test_a_field_of_the_firewall(field: str, expected: list[Any]) -> None:
    assert values(field, PANOS) == expected


STRATA = flows("paloalto/strata.json", "strata")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("source_ip", ["192.0.2.3", "192.0.2.3", "2001:db8::3"]),
        ("destination_ip", ["198.51.100.20", "198.51.100.20", "2001:db8::20"]),
        ("source_port", [50123, 50123, None]),
        ("destination_port", [443, 443, None]),
        ("source_bytes", [1830, None, None]),
        ("destination_bytes", [52211, None, None]),
        ("source_packets", [31, None, None]),
        ("destination_packets", [59, None, None]),
        ("event_start", ["2024-04-19T00:00:00Z", "2024-04-19T00:00:05Z", "2024-04-19T00:00:10Z"]),
        ("event_end", ["2024-04-19T00:00:12Z", None, None]),
        ("event_action", ["allow", "sinkhole", None]),
        ("event_reason", ["tcp-fin", None, None]),
        ("event_name", ["TRAFFIC", "THREAT", "TRAFFIC"]),
        ("network_transport", ["TCP", "TCP", None]),
    ],
)
def test_a_field_of_strata_logging_service(field: str, expected: list[Any]) -> None:
    assert values(field, STRATA) == expected


CANONICAL = flows("paloalto/canonical.json", "canonical")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("source_ip", ["192.0.2.3", "192.0.2.3"]),
        ("destination_ip", ["198.51.100.20", "198.51.100.21"]),
        ("source_port", [50123, 50124]),
        ("destination_port", [443, 23]),
        ("source_bytes", [1830, 0]),
        ("destination_bytes", [52211, 0]),
        ("source_packets", [None, None]),
        ("destination_packets", [None, None]),
        ("event_start", ["2024-04-19T00:00:00Z", "2024-04-19T00:00:01Z"]),
        ("event_end", ["2024-04-19T00:00:12Z", "2024-04-19T00:00:01Z"]),
        ("event_action", ["allow", "reset-both"]),
        ("event_reason", ["tcp-fin", "policy-deny"]),
        ("event_name", ["TRAFFIC", "THREAT"]),
        ("network_transport", ["TCP", "TCP"]),
    ],
)
def test_a_field_with_its_canonical_name(field: str, expected: list[Any]) -> None:
    assert values(field, CANONICAL) == expected


def test_the_fields_that_a_firewall_does_not_have() -> None:
    assert unmapped("paloalto") == {
        "source_ip_bytes",
        "destination_ip_bytes",
        "missed_bytes",
        "tcp_flags",
    }


def test_a_log_that_is_neither_traffic_nor_threat_is_skipped() -> None:
    assert read("paloalto/panos.json", "panos")[4] == Skipped()


def test_both_ways_of_forwarding_tell_the_same_of_a_session() -> None:
    assert PANOS[0] == STRATA[0]


@pytest.mark.parametrize(
    "left_out",
    [
        ("source_bytes", "destination_bytes", "source_packets", "destination_packets"),
        ("event_end", "event_reason"),
        ("network_transport",),
    ],
)
def test_a_batch_may_do_without_what_the_firewall_leaves_out_of_some_logs(
    left_out: tuple[str, ...],
) -> None:
    wanted = wanted_columns(mapping_of("paloalto", "panos"))

    needed = {one.key for one in wanted if not one.optional}

    assert needed
    assert needed.isdisjoint(f"fields.{name}.any_of" for name in left_out)
