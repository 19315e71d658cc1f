"""FortiGate traffic logs are read as a forwarder writes them."""

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

TRAFFIC = flows("fortigate/traffic.json", "json")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (
            "source_ip",
            ["192.0.2.10", "192.0.2.10", "2001:db8::10", "192.0.2.10", "192.0.2.11", "192.0.2.11"],
        ),
        (
            "destination_ip",
            [
                "198.51.100.4",
                "198.51.100.4",
                "2001:db8::4",
                "198.51.100.4",
                "198.51.100.5",
                "198.51.100.5",
            ],
        ),
        ("source_port", [50000, 50001, 50002, None, None, None]),
        ("destination_port", [443, 445, 443, None, None, None]),
        ("source_bytes", [1200, 0, 1200, 84, None, 70]),
        ("destination_bytes", [5400, 0, 60, 84, None, 0]),
        ("source_packets", [10, 0, 5, 1, None, None]),
        ("destination_packets", [9, 0, 1, 1, None, None]),
        (
            "event_start",
            [
                "2024-04-19T00:00:12.123457Z",
                "2024-04-19T00:00:43Z",
                "2024-04-19T00:00:41.500000Z",
                "2024-04-18T23:59:43Z",
                "2024-04-19T00:00:48Z",
                "2024-04-19T00:00:49Z",
            ],
        ),
        (
            "event_end",
            [
                "2024-04-19T00:00:42.123457Z",
                "2024-04-19T00:00:43Z",
                "2024-04-19T00:00:44.500000Z",
                "2024-04-19T00:00:45Z",
                None,
                None,
            ],
        ),
        ("event_action", ["allow", "deny", "allow", "allow", None, "allow"]),
        ("event_reason", ["tcp-fin", "policy-deny", "tcp-rst-from-server", None, None, None]),
        ("event_name", ["TRAFFIC"] * 6),
        ("network_transport", ["TCP", "TCP", "TCP", "ICMP", None, "UDP"]),
    ],
)
def test_a_field_of_a_traffic_log(field: str, expected: list[Any]) -> None:
    assert values(field, TRAFFIC) == expected


def test_the_fields_that_a_traffic_log_does_not_have() -> None:
    assert unmapped("fortigate") == {
        "source_ip_bytes",
        "destination_ip_bytes",
        "missed_bytes",
        "tcp_flags",
    }


def test_logs_of_other_types_are_skipped() -> None:
    found = read("fortigate/traffic.json", "json")

    assert [one == Skipped() for one in found] == [False] * 4 + [True] * 2 + [False] * 2


@pytest.mark.parametrize(
    "eventtime",
    [
        "1713484842",
        1713484842,
        "1713484842000",
        "1713484842000000000",
        1713484842000000000,
    ],
)
def test_without_a_duration_the_log_starts_when_it_was_written_and_no_end_is_known(
    eventtime: str | int,
) -> None:
    objects = iter([{"type": "traffic", "eventtime": eventtime}])

    found = read_objects(mapping_of("fortigate", "json"), objects)

    assert values("event_start", found) == ["2024-04-19T00:00:42Z"]
    assert values("event_end", found) == [None]


@pytest.mark.parametrize("eventtime", ["1713484842", "1713484842000000000"])
def test_a_session_of_no_duration_ends_when_it_starts(eventtime: str) -> None:
    objects = iter([{"type": "traffic", "eventtime": eventtime, "duration": "0"}])

    found = read_objects(mapping_of("fortigate", "json"), objects)

    assert values("event_start", found) == ["2024-04-19T00:00:42Z"]
    assert values("event_end", found) == ["2024-04-19T00:00:42Z"]


@pytest.mark.parametrize(
    ("action", "meaning"),
    [
        ("accept", ("allow", None)),
        ("close", ("allow", "tcp-fin")),
        ("timeout", ("allow", "aged-out")),
        ("client-rst", ("allow", "tcp-rst-from-client")),
        ("server-rst", ("allow", "tcp-rst-from-server")),
        ("dns", ("allow", None)),
        ("ip-conn", ("allow", None)),
        ("start", ("allow", None)),
        ("deny", ("deny", "policy-deny")),
        ("never-seen", ("never-seen", None)),
    ],
)
def test_what_an_action_means(action: str, meaning: tuple[str, str | None]) -> None:
    objects = iter([{"type": "traffic", "action": action}])

    (found,) = read_objects(mapping_of("fortigate", "json"), objects)

    (name,), (reason,) = (values(field, [found]) for field in ("event_action", "event_reason"))
    assert (name, reason) == meaning
