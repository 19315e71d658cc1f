"""What a line means, case by case: the contract that every engine is held to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ndr_core.flows.ip_address import canonical_ip
from ndr_core.flows.json_line import (
    MAX_LINE_BYTES,
    Blank,
    LineReader,
    Malformed,
    ReadFlow,
)
from ndr_core.flows.presets.registry import PRESETS
from tests.makers import flow, make_spec, us

READER = LineReader(PRESETS["paloalto"])


def read_field(name: str, value: Any) -> Any:
    """Value of the field, or the field at fault in a tuple."""
    match READER.read(json.dumps(flow(**{name: value}))):
        case ReadFlow(found):
            return getattr(found, name)
        case Malformed(_, fault):
            return (fault,)
    raise AssertionError("a record is no blank line")


@pytest.mark.parametrize(
    ("name", "value", "meaning"),
    [
        ("source_port", "443", 443),
        ("source_port", "0443", ("source_port",)),
        ("source_port", 443.0, ("source_port",)),
        ("source_bytes", (1 << 63) - 1, (1 << 63) - 1),
        ("source_bytes", 1 << 63, ("source_bytes",)),
        ("source_bytes", -(1 << 63), -(1 << 63)),
        ("source_bytes", "-0", 0),
        ("event_action", "DROP", "drop"),
        ("event_action", 7, "7"),
        ("event_action", 7.5, ("event_action",)),
        ("event_action", False, ("event_action",)),
        ("network_transport", "udp", "UDP"),
        ("event_reason", "As Is", "As Is"),
        ("source_ip", "10.0.0.01", None),
        ("source_ip", 10, None),
        ("source_ip", [], ("source_ip",)),
        ("event_start", "2025-03-01T10:00:00.1234567Z", us("2025-03-01T10:00:00.123456Z")),
        ("event_start", "2025-03-01 11:00:00+01:00", us("2025-03-01T10:00:00Z")),
        ("event_start", "2112-09-17T23:53:47.370495Z", (1 << 52) - 1),
        ("event_start", "2112-09-17T23:53:47.370496Z", ("event_start",)),
        ("event_start", "1969-12-31T23:59:59Z", ("event_start",)),
        ("event_start", "2025-02-29T00:00:00Z", ("event_start",)),
        ("event_end", "2025-03-01", ("event_end",)),
        ("event_start", 10**400, ("event_start",)),
    ],
)
def test_how_a_value_is_read(name: str, value: Any, meaning: Any) -> None:
    assert read_field(name, value) == meaning


@pytest.mark.parametrize(
    "value", [10**308, 10**309, -(10**400), "9" * 400, 1e308, "1e999"], ids=lambda v: str(v)[:8]
)
@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_a_number_that_is_no_time_is_malformed_however_large(value: Any, unit: str) -> None:
    start = {"column": "event_start", "format": f"epoch_{unit}"}
    spec = make_spec(input={"preset": "paloalto", "fields": {"event_start": start}})
    found = LineReader(spec.input).read(json.dumps(flow(event_start=value)))
    assert isinstance(found, Malformed)
    assert found.field == "event_start"


@pytest.mark.parametrize("line", [b"", b" \t\r", b"\xef\xbb\xbf", "\ufeff "])
def test_a_line_with_nothing_on_it_is_blank(line: bytes | str) -> None:
    assert READER.read(line) == Blank()


NO_OBJECTS = [
    b"{",
    b"[]",
    b"1",
    b"null",
    b'{"a":NaN}',
    b"{'a':1}",
    b'{"a":01}',
    b'{"a":1,}',
    b'{"a":"\xff"}',
    b'{"a":"\\ud800"}',
    b'{"a":"\t"}',
    b'{"a":1}{"a":1}',
    b'{"a":' + b"[" * 64 + b"]" * 64 + b"}",
    b'{"a":' + b"1" * 1001 + b"}",
    b'{"a":0.' + b"1" * 999 + b"}",
    b'{"a":"' + b"x" * MAX_LINE_BYTES + b'"}',
]


@pytest.mark.parametrize("line", NO_OBJECTS, ids=lambda line: line[:16].decode(errors="replace"))
def test_what_is_no_json_object_is_malformed(line: bytes) -> None:
    assert isinstance(READER.read(line), Malformed)


def test_of_a_repeated_key_the_last_value_counts() -> None:
    line = json.dumps(flow())[:-1] + ', "source_port": 1}'
    found = READER.read(line)
    assert isinstance(found, ReadFlow)
    assert found.flow.source_port == 1


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),  # one zero group stays
        ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),  # the longest run
        ("1:0:0:2:3:0:0:4", "1::2:3:0:0:4"),  # the first of equal runs
        ("::ffff:192.0.2.1", "::ffff:c000:201"),
        ("::", "::"),
        ("192.0.2.1/32", None),
        ("192.0.2", None),
        ("fe80::1%eth0", None),
        ("1.2.3.4.5", None),
        ("", None),
    ],
)
def test_canonical_addresses(text: str, canonical: str | None) -> None:
    assert canonical_ip(text) == canonical
