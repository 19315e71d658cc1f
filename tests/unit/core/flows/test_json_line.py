"""What a line means, case by case: the contract that every engine is held to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ndr_core.flows.json_line import (
    MAX_DEPTH,
    MAX_LINE_BYTES,
    MAX_NUMBER_CHARACTERS,
    MAX_RAW_BYTES,
    Blank,
    LineReader,
    Malformed,
    ReadFlow,
    cut_raw,
    is_too_long,
    line_text,
    parse_object,
)
from ndr_core.flows.mapping import FieldSource, InputMapping, TimeFormat
from ndr_core.flows.presets.paloalto import PALOALTO
from ndr_core.times import TIME_LIMIT_US, parse_bound

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


def us(text: str) -> int:
    return parse_bound(text, "time")


def reader_of(name: str, source: FieldSource, null_values: tuple[str, ...] = ()) -> LineReader:
    """A reader of Palo Alto records with another source for one field."""
    return LineReader(InputMapping({**PALOALTO.mapping.fields, name: source}, null_values))


def read_time(name: str, time_format: TimeFormat, value: Any) -> Any:
    """Value of a time in another format, or the field at fault in a tuple."""
    source = FieldSource(column="time", format=time_format)
    return read_field(name, value, reader_of(name, source), column="time")


def read_field(
    name: str, value: Any, reader: LineReader = READER, column: str | None = None
) -> Any:
    """Value of the field, or the field at fault in a tuple."""
    match reader.read(json.dumps(flow(**{column or name: value}))):
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
        ("event_reason", "Aged Out", "aged-out"),
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
    assert read_time("event_start", TimeFormat(f"epoch_{unit}"), value) == ("event_start",)


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


EPOCHS = (TimeFormat.EPOCH_S, TimeFormat.EPOCH_MS, TimeFormat.EPOCH_US)
DURATIONS = (TimeFormat.DURATION_S, TimeFormat.DURATION_MS, TimeFormat.DURATION_US)
UNIT_US = dict(zip(EPOCHS + DURATIONS, (1_000_000, 1000, 1) * 2, strict=True))


@pytest.mark.parametrize("time_format", EPOCHS, ids=str)
@pytest.mark.parametrize("value", [7, "7", 7.0, "7.0", "70e-1"])
def test_an_epoch_is_a_number_in_its_unit(time_format: TimeFormat, value: Any) -> None:
    assert read_time("event_start", time_format, value) == 7 * UNIT_US[time_format]


@pytest.mark.parametrize("time_format", DURATIONS, ids=str)
@pytest.mark.parametrize("value", [7, -7, "7", "-7.0"])
def test_a_duration_is_added_to_the_start(time_format: TimeFormat, value: Any) -> None:
    end = us("2025-03-01T10:00:00Z") + round(float(value)) * UNIT_US[time_format]

    assert read_time("event_end", time_format, value) == end


@pytest.mark.parametrize(
    ("time_format", "value", "meaning"),
    [
        (TimeFormat.EPOCH_US, 0.4, 0),
        (TimeFormat.EPOCH_US, 0.5, 1),
        (TimeFormat.EPOCH_US, 1.5, 2),
        (TimeFormat.EPOCH_US, -0.5, 0),
        (TimeFormat.EPOCH_MS, 0.0014, 1),
        (TimeFormat.EPOCH_S, "1.0000005", 1_000_001),
        (TimeFormat.EPOCH_US, -0.6, None),
        (TimeFormat.EPOCH_US, 0, 0),
        (TimeFormat.EPOCH_US, -1, None),
        (TimeFormat.EPOCH_US, TIME_LIMIT_US - 1, TIME_LIMIT_US - 1),
        (TimeFormat.EPOCH_US, TIME_LIMIT_US, None),
        (TimeFormat.EPOCH_S, -1, None),
        (TimeFormat.EPOCH_S, True, None),
        (TimeFormat.EPOCH_S, "true", None),
        (TimeFormat.EPOCH_S, "0x10", None),
        (TimeFormat.EPOCH_S, " 7", None),
        (TimeFormat.EPOCH_S, "07", None),
        (TimeFormat.EPOCH_S, "+7", None),
        (TimeFormat.EPOCH_S, "7.", None),
        (TimeFormat.EPOCH_S, "inf", None),
        (TimeFormat.EPOCH_S, "2025-03-01T10:00:00Z", None),
        (TimeFormat.EPOCH_S, [7], None),
        (TimeFormat.ISO8601, 7, None),
    ],
)
def test_a_time_on_the_edge_of_its_format(
    time_format: TimeFormat, value: Any, meaning: Any
) -> None:
    expected = ("event_start",) if meaning is None else meaning

    assert read_time("event_start", time_format, value) == expected


@pytest.mark.parametrize(
    ("value", "duration"),
    [
        (TIME_LIMIT_US - 1, TIME_LIMIT_US - 1),
        (TIME_LIMIT_US, None),
        (1 - TIME_LIMIT_US, 1 - TIME_LIMIT_US),
        (-TIME_LIMIT_US, None),
    ],
)
def test_a_duration_lies_within_the_range_of_times_on_either_side(
    value: int, duration: int | None
) -> None:
    start = us("2025-03-01T10:00:00Z")
    expected = ("event_end",) if duration is None else start + duration

    assert read_time("event_end", TimeFormat.DURATION_US, value) == expected


def test_a_duration_without_a_start_makes_no_end() -> None:
    reader = reader_of("event_end", FieldSource(column="d", format=TimeFormat.DURATION_S))

    found = reader.read(json.dumps(flow(event_start=None, d=7)))

    assert isinstance(found, ReadFlow)
    assert (found.flow.event_start, found.flow.event_end) == (None, None)


def test_without_a_duration_there_is_no_end() -> None:
    assert read_time("event_end", TimeFormat.DURATION_S, None) is None


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("2025-03-01T10:00:00", "2025-03-01T10:00:00Z"),
        ("2025-03-01T10:00:00.5Z", "2025-03-01T10:00:00.500000Z"),
        ("2025-03-01T10:00:00.000000999+00:00", "2025-03-01T10:00:00Z"),
        ("2025-03-01T10:00:00.1-00:30", "2025-03-01T10:30:00.100000Z"),
        ("2025-03-01T10:00:00-14:59", "2025-03-02T00:59:00Z"),
        ("2025-03-01T00:30:00+01:15", "2025-02-28T23:15:00Z"),
        ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ("1970-01-01T01:00:00+01:00", "1970-01-01T00:00:00Z"),
        ("1970-01-01T00:59:59+01:00", None),
        ("2025-03-01T24:00:00Z", None),
        ("2025-03-01T10:60:00Z", None),
        ("2025-03-01T10:00:60Z", None),
        ("2025-04-31T10:00:00Z", None),
        ("2025-13-01T10:00:00Z", None),
        ("2025-03-01T10:00:00+15:00", None),
        ("2025-03-01T10:00:00+0100", None),
        ("2025-03-01t10:00:00Z", None),
        ("2025-03-01T10:00:00z", None),
        ("2025-03-01T10:00Z", None),
        ("2025-03-01T10:00:00.Z", None),
        ("2025-03-01T10:00:00.1234567890Z", None),
        ("0000-01-01T00:00:00Z", None),
        (" 2025-03-01T10:00:00Z", None),
        ("2025-03-01T10:00:00Z\n", None),
        ("2025-03-01T10:00:0\u0660Z", None),
    ],
)
def test_how_an_iso_time_is_read(text: str, meaning: str | None) -> None:
    expected = ("event_start",) if meaning is None else us(meaning)

    assert read_time("event_start", TimeFormat.ISO8601, text) == expected


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        (0, 0),
        (-1, -1),
        (str((1 << 63) - 1), (1 << 63) - 1),
        (str(1 << 63), ("source_bytes",)),
        (str(-(1 << 63)), -(1 << 63)),
        (-(1 << 63) - 1, ("source_bytes",)),
        (True, ("source_bytes",)),
        (1e3, ("source_bytes",)),
        ("1e3", ("source_bytes",)),
        ("+1", ("source_bytes",)),
        (" 1", ("source_bytes",)),
        ("1\n", ("source_bytes",)),
        ("", ("source_bytes",)),
        ("\u0661", ("source_bytes",)),
        ({}, ("source_bytes",)),
        (None, None),
    ],
)
def test_an_integer_lies_within_int64_and_is_written_plainly(value: Any, meaning: Any) -> None:
    assert read_field("source_bytes", value) == meaning


@pytest.mark.parametrize("name", ["source_port", "event_start", "source_ip", "event_action"])
def test_a_null_value_is_no_value_for_a_field_of_any_kind(name: str) -> None:
    reader = LineReader(InputMapping(PALOALTO.mapping.fields, null_values=("-", "n/a")))

    found = [reader.read(json.dumps(flow(**{name: value}))) for value in ("-", "n/a", None)]

    assert [isinstance(item, ReadFlow) and getattr(item.flow, name) for item in found] == [None] * 3


def test_a_null_value_is_compared_as_it_is_written() -> None:
    reader = LineReader(InputMapping(PALOALTO.mapping.fields, null_values=("N/A",)))

    assert read_field("event_reason", "n/a", reader) == "n/a"


def test_a_value_map_is_applied_to_text_before_its_case() -> None:
    source = FieldSource(column="act", map={"1": "ALLOW", "Deny": "Drop"})
    reader = reader_of("event_action", source)

    found = [read_field("event_action", value, reader, "act") for value in (1, "Deny", "deny")]

    assert found == ["allow", "drop", "deny"]


def test_a_constant_is_given_to_every_record() -> None:
    reader = reader_of("event_name", FieldSource(constant="TRAFFIC"))

    assert read_field("event_name", "ignored", reader) == "TRAFFIC"


def test_a_field_that_the_mapping_does_not_name_is_null() -> None:
    fields = {"event_start": PALOALTO.mapping.fields["event_start"]}

    found = LineReader(InputMapping(fields)).read(json.dumps(flow()))

    assert isinstance(found, ReadFlow)
    assert (found.flow.source_ip, found.flow.destination_ip, found.flow.source_port) == (None,) * 3
    assert found.flow.event_start == us("2025-03-01T10:00:00Z")


def test_key_columns_are_read_as_text_in_their_order() -> None:
    reader = LineReader(InputMapping(PALOALTO.mapping.fields, null_values=("-",)), ("b", "a", "c"))

    found = reader.read(json.dumps(flow(a="x", b=7, c="-")))

    assert isinstance(found, ReadFlow)
    assert found.flow.keys == ("7", "x", None)


@pytest.mark.parametrize("value", [1.5, True, [], {}])
def test_a_key_column_that_is_no_text_is_at_fault(value: Any) -> None:
    reader = LineReader(PALOALTO.mapping, ("uid",))

    found = reader.read(json.dumps(flow(uid=value)))

    assert isinstance(found, Malformed)
    assert found.field == "uid"


def test_the_first_field_at_fault_is_named_and_the_line_is_kept() -> None:
    line = json.dumps(flow(source_port="x", event_action=1.5))

    assert READER.read(f"  {line}\r") == Malformed(line, "source_port")


def test_a_flow_comes_with_the_trimmed_text_of_its_line() -> None:
    line = json.dumps(flow())

    found = READER.read(b"\xef\xbb\xbf\xef\xbb\xbf \t" + line.encode() + b" \r")

    assert isinstance(found, ReadFlow)
    assert found.raw == line


def test_a_byte_order_mark_after_a_blank_is_no_json() -> None:
    assert READER.read(" \ufeff{}") == Malformed("\ufeff{}")


def test_a_line_that_is_no_text_is_kept_as_far_as_it_is() -> None:
    assert READER.read(b'{"a":"\xff"}') == Malformed('{"a":"\ufffd"}')


@pytest.mark.parametrize("pair", ["[]", '{"a":}'], ids=["lists", "objects"])
def test_an_object_may_be_as_deep_as_is_allowed_and_no_deeper(pair: str) -> None:
    opening, closing = pair[:-1], pair[-1]

    def nested(depth: int) -> str:
        inner = depth - 2
        return '{"a":' + opening * inner + "[]" + closing * inner + "}"

    assert parse_object(nested(MAX_DEPTH)) is not None
    assert parse_object(nested(MAX_DEPTH + 1)) is None


def test_a_list_beside_the_deepest_one_makes_an_object_no_deeper() -> None:
    deepest = "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)

    assert parse_object(f'{{"a":{deepest},"b":[[]]}}') is not None
    assert parse_object(f'{{"a":[{deepest}],"b":[[]]}}') is None


def test_the_limits_are_those_that_every_engine_keeps() -> None:
    limits = (MAX_LINE_BYTES, MAX_DEPTH, MAX_NUMBER_CHARACTERS, MAX_RAW_BYTES)

    assert limits == (1_048_576, 64, 1000, 8192)


def test_brackets_within_strings_or_beside_each_other_make_no_depth() -> None:
    strings = json.dumps({"a": "[" * 100, "b": '{"' * 100})
    beside = json.dumps({"a": [[]] * 100})

    assert parse_object(strings) is not None
    assert parse_object(beside) is not None


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("beginning", ["1", "0.1", "1e0"])
def test_a_number_may_be_written_in_as_many_characters_as_are_allowed(
    sign: str, beginning: str
) -> None:
    number = (sign + beginning).ljust(MAX_NUMBER_CHARACTERS, "0")

    assert parse_object(f'{{"a":{number}}}') is not None
    assert parse_object(f'{{"a":{number}0}}') is None


def test_digits_in_a_string_are_no_number() -> None:
    assert parse_object(b'{"a":"' + b"1" * 2000 + b'"}') == {"a": "1" * 2000}


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_what_only_some_readers_take_for_a_number_is_no_json(constant: str) -> None:
    assert parse_object(f'{{"a":{constant}}}') is None


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("\\u0041", True),
        ("\\ud83d\\ude00", True),
        ("\\uD83D\\uDE00", True),
        ("\\\\ud800", True),
        ("\\ud800", False),
        ("\\udc00", False),
        ("\\ude00\\ud83d", False),
        ("\\ud83d\\ud83d\\ude00", False),
        ("\\ud83dx\\ude00", False),
    ],
)
def test_half_of_a_surrogate_pair_is_no_text(text: str, allowed: bool) -> None:
    assert (parse_object(f'{{"a":"{text}"}}') is not None) is allowed


@pytest.mark.parametrize("character", ["a", "\u00e9", "\u20ac", "\U0001f600"])
def test_the_length_of_a_line_is_that_of_its_bytes(character: str) -> None:
    width = len(character.encode())
    longest = character * (MAX_LINE_BYTES // width) + "a" * (MAX_LINE_BYTES % width)

    assert not is_too_long(longest)
    assert not is_too_long(longest.encode())
    assert is_too_long(longest + "a")
    assert is_too_long(longest.encode() + b"a")


@pytest.mark.parametrize("line", [b"", "{}", " " * MAX_LINE_BYTES])
def test_a_short_line_is_not_too_long(line: bytes | str) -> None:
    assert not is_too_long(line)


@pytest.mark.parametrize("line", [b" " * (MAX_LINE_BYTES + 1), " " * (MAX_LINE_BYTES + 1)])
def test_a_line_that_is_too_long_is_malformed_though_it_is_blank(line: bytes | str) -> None:
    assert READER.read(line) == Malformed("")


def test_text_that_is_too_long_in_bytes_is_no_object() -> None:
    text = '{"a":"' + "\u20ac" * (MAX_LINE_BYTES // 3) + '"}'

    assert parse_object(text) is None
    assert parse_object(text.encode()) is None


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_the_text_of_a_rejected_line_is_cut_at_a_character(width: int) -> None:
    character = {1: "a", 2: "\u00e9", 3: "\u20ac", 4: "\U0001f600"}[width]
    fits = character * (MAX_RAW_BYTES // width)

    assert cut_raw(fits) == fits
    assert cut_raw(fits + character) == fits


def test_a_rejected_line_is_kept_cut() -> None:
    line = b"x" * (MAX_RAW_BYTES + 1)
    whole = json.dumps(flow(source_port="x", event_reason="y" * MAX_RAW_BYTES))

    assert READER.read(line) == Malformed("x" * MAX_RAW_BYTES)
    assert READER.read(whole) == Malformed(whole[:MAX_RAW_BYTES], "source_port")
    assert READER.read(b"x" * (MAX_LINE_BYTES + 2)) == Malformed("x" * MAX_RAW_BYTES)


def test_the_text_of_a_line_keeps_blanks_that_are_not_around_it() -> None:
    assert line_text(b" a\t b \r") == "a\t b"
    assert line_text("\u00a0a\x0b") == "\u00a0a\x0b"
