"""AWS VPC Flow Logs are read as AWS writes them, in each of their forms."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.flows.mapping import Lost
from ndr_core.flows.wanted import wanted_columns
from tests.unit.core.flows.presets.reading import flows, mapping_of, read_objects, unmapped, values

TEXT = flows("vpcflow/default.log", "text")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (
            "source_ip",
            ["192.0.2.15", "198.51.100.7", "203.0.113.9", "203.0.113.9", "2001:db8::1", None, None],
        ),
        (
            "destination_ip",
            ["198.51.100.7", "192.0.2.15", "192.0.2.15", "192.0.2.15", "2001:db8::2", None, None],
        ),
        ("source_port", [49152, 443, 55555, 0, 34892, None, None]),
        ("destination_port", [443, 49152, 22, 0, 53, None, None]),
        ("source_bytes", [4249, 9100, 40, 336, 8855, None, None]),
        ("source_packets", [20, 18, 1, 4, 54, None, None]),
        ("tcp_flags", [None, None, None, None, None, None, None]),
        (
            "event_start",
            [
                "2024-04-19T00:00:00Z",
                "2024-04-19T00:00:00Z",
                "2024-04-19T00:00:02Z",
                "2024-04-19T00:00:03Z",
                "2024-04-19T00:00:04Z",
                "2024-04-19T00:00:00Z",
                "2024-04-19T00:00:00Z",
            ],
        ),
        (
            "event_end",
            [
                "2024-04-19T00:01:00Z",
                "2024-04-19T00:01:00Z",
                "2024-04-19T00:01:00Z",
                "2024-04-19T00:01:00Z",
                "2024-04-19T00:01:00Z",
                "2024-04-19T00:01:00Z",
                "2024-04-19T00:01:00Z",
            ],
        ),
        ("event_action", ["allow", "allow", "deny", "allow", "allow", None, None]),
        ("event_name", ["TRAFFIC"] * 7),
        ("network_transport", ["TCP", "TCP", "TCP", "ICMP", "UDP", None, None]),
    ],
)
def test_a_field_of_a_record_of_text(field: str, expected: list[Any]) -> None:
    assert values(field, TEXT) == expected


JSON = flows("vpcflow/flow.json", "json")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("source_ip", ["192.0.2.15", "203.0.113.9", None, "2001:db8:1234:a100::f", None]),
        ("destination_ip", ["198.51.100.7", "192.0.2.15", None, "2001:db8:1234:a102::5", None]),
        ("source_port", [49152, 49761, None, 0, None]),
        ("destination_port", [443, 3389, None, 0, None]),
        ("source_bytes", [4249, 4249, None, 104, None]),
        ("source_packets", [20, 20, None, 1, None]),
        ("tcp_flags", [3, None, None, None, None]),
        (
            "event_start",
            [
                "2024-04-19T00:00:00Z",
                "2024-04-19T00:00:01Z",
                "2024-04-19T00:00:00Z",
                "2024-04-19T00:00:05Z",
                "2024-04-19T00:00:00Z",
            ],
        ),
        (
            "event_end",
            [
                "2024-04-19T00:01:00Z",
                "2024-04-19T00:00:02Z",
                "2024-04-19T00:01:00Z",
                "2024-04-19T00:00:05Z",
                "2024-04-19T00:01:00Z",
            ],
        ),
        ("event_action", ["allow", "deny", None, "allow", None]),
        ("event_name", ["TRAFFIC"] * 5),
        ("network_transport", ["TCP", "UDP", None, "ICMP", None]),
    ],
)
def test_a_field_of_a_record_of_json(field: str, expected: list[Any]) -> None:
    assert values(field, JSON) == expected


def test_the_fields_that_a_record_of_one_direction_does_not_have() -> None:
    assert unmapped("vpcflow") == {
        "destination_bytes",
        "destination_packets",
        "source_ip_bytes",
        "destination_ip_bytes",
        "missed_bytes",
        "event_reason",
    }


def test_the_columns_of_a_custom_format_may_be_any_in_any_order() -> None:
    found = flows("vpcflow/custom.log", "text")

    assert values("tcp_flags", found) == [3, 19, None]
    assert values("source_bytes", found) == [4249, 9100, None]
    assert values("source_packets", found) == [20, 18, None]


def test_names_with_an_underscore_are_those_of_athena_and_parquet() -> None:
    flow, no_data = flows("vpcflow/athena.json", "athena")

    assert flow == JSON[0]
    assert (no_data.source_ip, no_data.source_bytes, no_data.source_port) == (None, None, None)


def test_rows_of_parquet_have_numbers_where_text_has_a_dash() -> None:
    rows: list[dict[str, Any]] = [
        {"srcaddr": "192.0.2.15", "dstaddr": "198.51.100.7", "srcport": 49152, "dstport": 443},
        {"srcaddr": "-", "dstaddr": "-", "srcport": None, "dstport": None},
    ]
    amounts: list[dict[str, Any]] = [
        {"protocol": 6, "packets": 20, "bytes": 4249, "action": "ACCEPT", "tcp_flags": 3},
        {"protocol": None, "packets": None, "bytes": None, "action": "-", "tcp_flags": None},
    ]
    times: dict[str, Any] = {"start": 1713484800, "end": 1713484860}
    objects = (row | amount | times for row, amount in zip(rows, amounts, strict=True))

    flow, no_data = read_objects(mapping_of("vpcflow", "parquet"), objects)

    assert [flow, no_data] == flows("vpcflow/athena.json", "athena")


@pytest.mark.parametrize(("number", "transport"), [(47, "GRE"), (58, "ICMP"), (200, "200")])
def test_a_protocol_number_has_the_name_of_iana_or_stays_as_it_is(
    number: int, transport: str
) -> None:
    objects = iter([{"protocol": number, "srcaddr": "-"}])

    (found,) = read_objects(mapping_of("vpcflow", "json"), objects)

    assert values("network_transport", [found]) == [transport]


@pytest.mark.parametrize("form", ["text", "json", "athena", "parquet"])
def test_the_status_of_the_log_tells_of_records_that_were_lost(form: str) -> None:
    assert mapping_of("vpcflow", form).lost == Lost("log-status", "SKIPDATA", ("log_status",))


def test_a_custom_format_needs_no_more_than_a_start() -> None:
    wanted = wanted_columns(mapping_of("vpcflow", "text"))

    assert [one.leaves for one in wanted if not one.optional] == [(("start",),)]
