"""NetFlow is read as goflow2 and nfdump write it."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from ndr_core.flows.record import FlowRecord
from tests.unit.core.flows.presets.reading import (
    flows,
    mapping_of,
    read_objects,
    unmapped,
    values,
)

GOFLOW2 = flows("netflow/goflow2.json", "goflow2")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("source_ip", ["192.0.2.15", "198.51.100.7", "2001:db8::15", "192.0.2.15", "192.0.2.16"]),
        (
            "destination_ip",
            ["198.51.100.7", "192.0.2.15", "2001:db8::53", "198.51.100.1", "198.51.100.8"],
        ),
        ("source_port", [49152, 443, 40053, 0, None]),
        ("destination_port", [443, 49152, 53, 2048, None]),
        ("source_bytes", [4249, 9100, 82, 84, None]),
        ("source_packets", [20, 18, 1, 1, None]),
        (
            "event_start",
            [
                "2024-04-19T00:00:00.123000Z",
                "2024-04-19T00:00:00.140000Z",
                "2024-04-19T00:00:02Z",
                "2024-04-19T00:00:03Z",
                "2024-04-19T00:00:04Z",
            ],
        ),
        (
            "event_end",
            [
                "2024-04-19T00:00:12.456000Z",
                "2024-04-19T00:00:12.450000Z",
                "2024-04-19T00:00:02.020000Z",
                "2024-04-19T00:00:03Z",
                None,
            ],
        ),
        ("event_name", ["TRAFFIC"] * 5),
        ("tcp_flags", [27, 27, 0, None, None]),
        ("network_transport", ["TCP", "TCP", "UDP", "ICMP", None]),
    ],
)
def test_a_field_of_goflow2(field: str, expected: list[Any]) -> None:
    assert values(field, GOFLOW2) == expected


NFDUMP = flows("netflow/nfdump.json", "nfdump")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (
            "source_ip",
            [
                "192.0.2.15",
                "198.51.100.7",
                "2001:db8::15",
                "192.0.2.15",
                "192.0.2.16",
                "192.0.2.17",
            ],
        ),
        (
            "destination_ip",
            [
                "198.51.100.7",
                "192.0.2.15",
                "2001:db8::53",
                "198.51.100.1",
                "198.51.100.8",
                "198.51.100.9",
            ],
        ),
        ("source_port", [49152, 443, 40053, None, 40060, None]),
        ("destination_port", [443, 49152, 53, None, 8080, None]),
        ("source_bytes", [4249, 9100, 82, 84, 120, None]),
        ("source_packets", [20, 18, 1, 1, 2, None]),
        (
            "event_start",
            [
                "2024-04-19T00:00:00.123000Z",
                "2024-04-19T00:00:00.140000Z",
                "2024-04-19T00:00:02Z",
                "2024-04-19T00:00:03Z",
                "2024-04-19T00:00:04Z",
                "2024-04-19T00:00:06Z",
            ],
        ),
        (
            "event_end",
            [
                "2024-04-19T00:00:12.456000Z",
                "2024-04-19T00:00:12.450000Z",
                "2024-04-19T00:00:02.020000Z",
                "2024-04-19T00:00:03Z",
                "2024-04-19T00:00:05Z",
                None,
            ],
        ),
        ("event_name", ["TRAFFIC"] * 6),
        ("network_transport", ["TCP", "TCP", "UDP", "ICMP", "TCP", None]),
    ],
)
def test_a_field_of_nfdump(field: str, expected: list[Any]) -> None:
    assert values(field, NFDUMP) == expected


CSV = flows("netflow/nfdump.csv", "csv")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("source_ip", ["192.0.2.15", "198.51.100.7", "2001:db8::15", "192.0.2.15"]),
        ("destination_ip", ["198.51.100.7", "192.0.2.15", "2001:db8::53", "198.51.100.1"]),
        ("source_port", [49152, 443, 40053, 0]),
        ("destination_port", [443, 49152, 53, 8]),
        ("source_bytes", [4249, 9100, 82, 84]),
        ("source_packets", [20, 18, 1, 1]),
        (
            "event_start",
            [
                "2024-04-19T00:00:00.123000Z",
                "2024-04-19T00:00:00.140000Z",
                "2024-04-19T00:00:02Z",
                "2024-04-19T00:00:03Z",
            ],
        ),
        (
            "event_end",
            [
                "2024-04-19T00:00:12.456000Z",
                "2024-04-19T00:00:12.450000Z",
                "2024-04-19T00:00:02.020000Z",
                "2024-04-19T00:00:03Z",
            ],
        ),
        ("event_name", ["TRAFFIC"] * 4),
        ("network_transport", ["TCP", "TCP", "UDP", "ICMP"]),
    ],
)
def test_a_field_of_the_csv_of_nfdump(field: str, expected: list[Any]) -> None:
    assert values(field, CSV) == expected


CSV16 = flows("netflow/nfdump16.csv", "csv16")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("source_ip", ["192.0.2.15", "198.51.100.7"]),
        ("destination_ip", ["198.51.100.7", "192.0.2.15"]),
        ("source_port", [49152, 443]),
        ("destination_port", [443, 49152]),
        ("source_bytes", [4249, 9100]),
        ("source_packets", [20, 18]),
        ("event_start", ["2024-04-19T00:00:00Z", "2024-04-19T00:00:00Z"]),
        ("event_end", ["2024-04-19T00:00:12Z", "2024-04-19T00:00:12Z"]),
        ("event_name", ["TRAFFIC"] * 2),
        ("network_transport", ["TCP", "TCP"]),
    ],
)
def test_a_field_of_the_csv_of_nfdump_1_6(field: str, expected: list[Any]) -> None:
    assert values(field, CSV16) == expected


def test_the_fields_that_collectors_do_not_write_in_one_way() -> None:
    assert unmapped("netflow") == {
        "source_ip_bytes",
        "destination_ip_bytes",
        "missed_bytes",
        "tcp_flags",
        "event_action",
        "event_reason",
    }


def test_both_collectors_tell_the_same_of_a_flow() -> None:
    without_flags = [evolve(flow, tcp_flags=None) for flow in GOFLOW2[:3]]

    assert without_flags == NFDUMP[:3] == CSV[:3]


@pytest.mark.parametrize(
    ("form", "amounts"),
    [
        ("nfdump", {"in_bytes": 300, "in_packets": 2, "out_bytes": 900, "out_packets": 3}),
        ("csv", {"inBytes": "300", "inPackets": "2", "outBytes": "900", "outPackets": "3"}),
        ("csv16", {"ibyt": "300", "ipkt": "2", "obyt": "900", "opkt": "3"}),
    ],
)
def test_a_bidirectional_record_of_nfdump_counts_what_came_back(
    form: str, amounts: dict[str, Any]
) -> None:
    (found,) = read_objects(mapping_of("netflow", form), iter([amounts]))

    assert isinstance(found, FlowRecord)
    assert (found.source_bytes, found.source_packets) == (300, 2)
    assert (found.destination_bytes, found.destination_packets) == (900, 3)


def test_the_flags_of_nfdump_are_a_text_that_is_not_read() -> None:
    (found,) = read_objects(mapping_of("netflow", "nfdump"), iter([{"tcp_flags": "...AP.SF"}]))

    assert values("tcp_flags", [found]) == [None]
