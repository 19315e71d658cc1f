"""Zeek's conn.log is read as Zeek writes it, in each of its forms."""

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

CONN = flows("zeek/conn.json", "json")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (
            "source_ip",
            [
                "192.0.2.10",
                "203.0.113.9",
                "203.0.113.9",
                "192.0.2.10",
                "2001:db8::10",
                "2001:db8::10",
                "192.0.2.10",
                "192.0.2.10",
            ],
        ),
        (
            "destination_ip",
            [
                "198.51.100.34",
                "192.0.2.10",
                "192.0.2.10",
                "2001:db8::53",
                "2001:db8::fb",
                "2001:db8::ff",
                "198.51.100.1",
                "198.51.100.34",
            ],
        ),
        ("source_port", [51234, 40000, 40001, 40053, 5353, 136, 8, 51300]),
        ("destination_port", [443, 22, 3389, 53, 5353, 135, 0, 443]),
        ("source_bytes", [517, None, 0, 40, 2148, None, 56, 0]),
        ("destination_bytes", [4096, None, 0, 120, 0, None, 56, 1715022185]),
        ("source_packets", [10, None, 1, 1, 6, 1, 1, 2]),
        ("destination_packets", [9, None, 1, 1, 0, 0, 1, 2]),
        ("source_ip_bytes", [1045, None, 60, 68, 2436, 72, 84, 92]),
        ("destination_ip_bytes", [4500, None, 40, 148, 0, 0, 84, 80]),
        ("missed_bytes", [12, None, 0, 0, 0, 0, 0, 0]),
        (
            "event_start",
            [
                "2024-04-19T00:00:00.123456Z",
                "2024-04-19T00:00:01Z",
                "2024-04-19T00:00:02.500000Z",
                "2024-04-19T00:00:03.250000Z",
                "2024-04-19T00:00:04Z",
                "2024-04-19T00:00:05Z",
                "2024-04-19T00:00:06Z",
                "2024-04-19T00:00:07Z",
            ],
        ),
        (
            "event_end",
            [
                "2024-04-19T00:00:01.623456Z",
                None,
                "2024-04-19T00:00:02.500123Z",
                "2024-04-19T00:00:03.270000Z",
                "2024-04-19T00:00:19Z",
                None,
                "2024-04-19T00:00:06.100000Z",
                "2024-04-19T00:00:08Z",
            ],
        ),
        ("event_action", ["allow", "drop", "deny", "allow", None, None, None, "allow"]),
        (
            "event_reason",
            [
                "tcp-fin",
                "aged-out",
                "tcp-rst-from-server",
                "tcp-fin",
                None,
                None,
                None,
                "tcp-rst-from-server",
            ],
        ),
        ("event_name", ["TRAFFIC"] * 8),
        ("network_transport", ["TCP", "TCP", "TCP", "UDP", "UDP", "ICMP", "ICMP", "TCP"]),
    ],
)
def test_a_field_of_a_connection(field: str, expected: list[Any]) -> None:
    assert values(field, CONN) == expected


def test_the_fields_that_zeek_does_not_have() -> None:
    assert unmapped("zeek") == {"tcp_flags"}


def test_tabs_and_json_tell_the_same() -> None:
    assert flows("zeek/conn.log", "tsv") == CONN


@pytest.mark.parametrize("file", ["zeek/conn.iso.json", "zeek/conn.nested.json"])
def test_iso_times_and_an_object_of_the_id_tell_the_same(file: str) -> None:
    assert flows(file, "json") == CONN[:2]


def test_a_time_in_milliseconds_is_told_by_its_size() -> None:
    (found,) = flows("zeek/conn.millis.json", "json")

    assert values("event_start", [found]) == ["2024-04-19T00:00:00.123000Z"]
    assert values("event_end", [found]) == ["2024-04-19T00:00:01.623000Z"]


@pytest.mark.parametrize("log", ["dns", "http", "weird"])
@pytest.mark.parametrize(("ending", "form"), [("log", "tsv"), ("json", "json")])
def test_a_record_of_another_log_is_skipped(log: str, ending: str, form: str) -> None:
    assert read(f"zeek/{log}.{ending}", form) == [Skipped()]


@pytest.mark.parametrize(
    ("state", "action", "reason"),
    [
        ("S0", "drop", "aged-out"),
        ("REJ", "deny", "tcp-rst-from-server"),
        ("S1", "allow", "aged-out"),
        ("SF", "allow", "tcp-fin"),
        ("S2", "allow", "aged-out"),
        ("S3", "allow", "aged-out"),
        ("RSTO", "allow", "tcp-rst-from-client"),
        ("RSTR", "allow", "tcp-rst-from-server"),
        ("RSTOS0", "drop", "tcp-rst-from-client"),
        ("RSTRH", "deny", "tcp-rst-from-server"),
        ("SH", "drop", "aged-out"),
        ("SHR", "allow", "aged-out"),
        ("OTH", "allow", "aged-out"),
        ("NEW", None, None),
    ],
)
def test_what_a_state_of_a_tcp_connection_means(
    state: str, action: str | None, reason: str | None
) -> None:
    assert meaning("tcp", state) == (action, reason)


@pytest.mark.parametrize("proto", ["udp", "icmp", "unknown_transport"])
def test_a_state_that_speaks_of_a_handshake_says_nothing_of_other_transports(proto: str) -> None:
    states = [meaning(proto, state) for state in ("S0", "SHR", "OTH", "SF")]

    assert states == [(None, None), (None, None), (None, None), ("allow", "tcp-fin")]


def meaning(proto: str, state: str) -> tuple[str | None, str | None]:
    """Action and reason of a connection."""
    record = {"ts": 1, "proto": proto, "conn_state": state}
    (found,) = read_objects(mapping_of("zeek", "json"), iter([record]))
    assert not isinstance(found, Skipped)
    (action,), (reason,) = (values(field, [found]) for field in ("event_action", "event_reason"))
    return action, reason
