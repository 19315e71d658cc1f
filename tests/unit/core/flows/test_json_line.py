"""What becomes of a line: a flow record with its text, or why there is none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve

from ndr_core.flows.json_line import LineReader
from ndr_core.flows.json_text import MAX_LINE_BYTES, MAX_RAW_BYTES
from ndr_core.flows.object_reader import Skipped
from ndr_core.flows.presets.paloalto import PALOALTO
from ndr_core.flows.raw_record import Blank, Malformed
from ndr_core.flows.record_reader import BadRecord, ReadFlow
from ndr_core.flows.selection import Condition, Selection

READER = LineReader(PALOALTO.mapping)


def flow(**changes: Any) -> dict[str, Any]:
    """A Palo Alto record, changed."""
    return {
        "source_ip": "10.0.0.1",
        "destination_ip": "192.0.2.7",
        "source_port": 50000,
        "event_start": "2025-03-01T10:00:00Z",
        "event_end": "2025-03-01T10:00:01Z",
        "event_action": "allow",
    } | changes


@pytest.mark.parametrize("line", [b"", b" \t\r", b"\xef\xbb\xbf", "\ufeff "])
def test_a_line_with_nothing_on_it_is_blank(line: bytes | str) -> None:
    assert READER.read(line) == Blank()


def test_a_flow_comes_with_the_trimmed_text_of_its_line() -> None:
    line = json.dumps(flow())

    found = READER.read(b"\xef\xbb\xbf\xef\xbb\xbf \t" + line.encode() + b" \r")

    assert isinstance(found, ReadFlow)
    assert found.raw == line


def test_a_byte_order_mark_after_a_blank_is_no_json() -> None:
    assert READER.read(" \ufeff{}") == Malformed("\ufeff{}")


def test_a_line_that_is_no_text_is_kept_as_far_as_it_is() -> None:
    assert READER.read(b'{"a":"\xff"}') == Malformed('{"a":"\ufffd"}')


@pytest.mark.parametrize("line", [b" " * (MAX_LINE_BYTES + 1), " " * (MAX_LINE_BYTES + 1)])
def test_a_line_that_is_too_long_is_malformed_though_it_is_blank(line: bytes | str) -> None:
    assert READER.read(line) == Malformed("")


def test_a_rejected_line_is_kept_cut() -> None:
    line = b"x" * (MAX_RAW_BYTES + 1)
    whole = json.dumps(flow(source_port="x", event_reason="y" * MAX_RAW_BYTES))

    assert READER.read(line) == Malformed("x" * MAX_RAW_BYTES)
    assert READER.read(whole) == BadRecord(whole[:MAX_RAW_BYTES], "source_port")
    assert READER.read(b"x" * (MAX_LINE_BYTES + 2)) == Malformed("x" * MAX_RAW_BYTES)


def test_what_is_no_object_is_malformed_and_has_no_field() -> None:
    assert READER.read('{"a":1} x') == Malformed('{"a":1} x')


def test_a_record_with_a_value_that_can_not_be_read_is_kept_with_its_field() -> None:
    line = json.dumps(flow(source_port="x", event_action=1.5))

    assert READER.read(f"  {line}\r") == BadRecord(line, "source_port")


def test_a_record_that_is_not_selected_is_skipped_whatever_its_values() -> None:
    only = Selection((Condition(("event_action",), ("allow",)),))
    reader = LineReader(evolve(PALOALTO.mapping, only=only))

    assert reader.read(json.dumps(flow(event_action="deny", source_port="x"))) == Skipped()
    assert isinstance(reader.read(json.dumps(flow())), ReadFlow)
