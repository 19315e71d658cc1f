"""The canonical record has the fields that its schema lists."""

from __future__ import annotations

import pytest
from attrs import fields
from attrs.exceptions import FrozenInstanceError

from ndr_core.flows.record import (
    FIELD_BY_NAME,
    FLOW_FIELDS,
    MAX_PORT,
    FieldKind,
    FlowRecord,
)


def test_a_record_has_the_canonical_fields_and_its_keys() -> None:
    names = {attribute.name for attribute in fields(FlowRecord)}

    assert names == {flow_field.name for flow_field in FLOW_FIELDS} | {"keys"}


def test_fields_are_found_by_name() -> None:
    assert list(FIELD_BY_NAME.values()) == list(FLOW_FIELDS)
    assert all(flow_field.name == name for name, flow_field in FIELD_BY_NAME.items())


def test_a_flow_needs_two_hosts_and_a_start() -> None:
    required = {flow_field.name for flow_field in FLOW_FIELDS if flow_field.required}

    assert required == {"source_ip", "destination_ip", "event_start"}


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (FieldKind.IP, ["source_ip", "destination_ip"]),
        (
            FieldKind.INTEGER,
            [
                "source_port",
                "destination_port",
                "source_bytes",
                "destination_bytes",
                "source_packets",
                "destination_packets",
                "source_ip_bytes",
                "destination_ip_bytes",
                "missed_bytes",
                "tcp_flags",
            ],
        ),
        (FieldKind.TIMESTAMP, ["event_start", "event_end"]),
        (FieldKind.TEXT, ["event_action", "event_reason", "event_name", "network_transport"]),
    ],
)
def test_each_field_is_of_one_kind(kind: FieldKind, names: list[str]) -> None:
    assert [flow_field.name for flow_field in FLOW_FIELDS if flow_field.kind is kind] == names


def test_a_port_has_sixteen_bits() -> None:
    assert MAX_PORT == 2**16 - 1


def test_a_record_without_more_is_null_elsewhere_and_does_not_change() -> None:
    record = FlowRecord("10.0.0.1", "192.0.2.7", 0)

    assert (record.event_end, record.source_port, record.destination_bytes) == (None, None, None)
    assert record.keys == ()
    with pytest.raises(FrozenInstanceError):
        record.event_end = 1  # type: ignore[misc]
