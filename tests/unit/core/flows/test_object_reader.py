"""What the object of a record means, case by case: the contract that every engine is held to."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from ndr_core.flows.mapping import FieldSource, InputMapping
from ndr_core.flows.object_reader import BadValue, ObjectReader, Skipped
from ndr_core.flows.presets.paloalto import PALOALTO
from ndr_core.flows.record import FlowRecord
from ndr_core.flows.selection import Condition, Selection
from ndr_core.flows.time_format import TimeFormat, TimePattern
from ndr_core.flows.value_map import MapRow, ValueMap
from ndr_core.times import TIME_LIMIT_US, parse_bound

READER = ObjectReader(evolve(PALOALTO.mapping, null_values=()))


NOON_S = 1_740_830_400
"""2025-03-01T12:00:00Z, in seconds."""


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


def reader_of(name: str, source: FieldSource, null_values: tuple[str, ...] = ()) -> ObjectReader:
    """A reader of Palo Alto records with another source for one field."""
    return ObjectReader(InputMapping({**PALOALTO.mapping.fields, name: source}, null_values))


def read_time(name: str, time_format: Any, value: Any, timezone: str | None = None) -> Any:
    """Value of a time in another format, or the field at fault in a tuple."""
    source = FieldSource(column="time", format=time_format)
    mapping = InputMapping({**PALOALTO.mapping.fields, name: source}, timezone=timezone)
    return read_field(name, value, ObjectReader(mapping), column="time")


def read_field(
    name: str, value: Any, reader: ObjectReader = READER, column: str | None = None
) -> Any:
    """Value of the field, or the field at fault in a tuple."""
    return value_or_fault(reader.read(flow(**{column or name: value})), name)


def value_or_fault(found: Skipped | BadValue | FlowRecord, name: str) -> Any:
    return (found.field,) if isinstance(found, BadValue) else getattr(found, name)


@pytest.mark.parametrize(
    ("name", "value", "meaning"),
    [
        ("source_port", "443", 443),
        ("source_port", "0443", ("source_port",)),
        ("source_port", 443.0, 443),
        ("source_port", "443.0", 443),
        ("source_port", "4.43e2", 443),
        ("source_port", 443.5, ("source_port",)),
        ("source_port", "+443", ("source_port",)),
        ("source_port", float("nan"), None),
        ("source_bytes", 2.0**53, 1 << 53),
        ("source_bytes", 2.0**53 + 2, ("source_bytes",)),
        ("source_bytes", float("inf"), ("source_bytes",)),
        ("source_bytes", (1 << 63) - 1, (1 << 63) - 1),
        ("source_bytes", 1 << 63, ("source_bytes",)),
        ("source_bytes", -(1 << 63), -(1 << 63)),
        ("source_bytes", "-0", 0),
        ("event_action", "DROP", "drop"),
        ("event_action", 7, "7"),
        ("event_action", 7.0, "7"),
        ("event_action", 7.5, ("event_action",)),
        ("event_action", False, "false"),
        ("event_action", {}, ("event_action",)),
        ("event_action", [], ("event_action",)),
        ("event_reason", 10**30, str(10**30)),
        ("network_transport", "udp", "UDP"),
        ("event_reason", "Aged Out", "aged-out"),
        ("source_ip", "10.0.0.01", None),
        ("source_ip", 10, ("source_ip",)),
        ("source_ip", True, ("source_ip",)),
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
    ("end", "can_be"), [(0, True), (-1, False), (TIME_LIMIT_US - 1, True), (TIME_LIMIT_US, False)]
)
def test_an_end_by_a_duration_is_a_time_that_can_be(end: int, can_be: bool) -> None:
    value = end - us("2025-03-01T10:00:00Z")
    expected = end if can_be else ("event_end",)

    assert read_time("event_end", TimeFormat.DURATION_US, value) == expected


def test_a_duration_without_a_start_makes_no_end() -> None:
    reader = reader_of("event_end", FieldSource(column="d", format=TimeFormat.DURATION_S))

    found = reader.read(flow(event_start=None, d=7))

    assert isinstance(found, FlowRecord)
    assert (found.event_start, found.event_end) == (None, None)


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
        ("2025-03-01T10:00:00+0100", "2025-03-01T09:00:00Z"),
        ("2025-03-01T10:00:00-01", "2025-03-01T11:00:00Z"),
        ("2025-03-01T10:00:00 +01:30", "2025-03-01T08:30:00Z"),
        ("2025-03-01 10:00:00.5 Z", "2025-03-01T10:00:00.500000Z"),
        ("2025-03-01 10:00:00.5 UTC", "2025-03-01T10:00:00.500000Z"),
        ("2025-03-01t10:00:00Z", "2025-03-01T10:00:00Z"),
        ("2025-03-01T10:00:00z", "2025-03-01T10:00:00Z"),
        ("2025-03-01T10:00:00UTC", None),
        ("2025-03-01T10:00:00  Z", None),
        ("2025-03-01  10:00:00Z", None),
        ("2025-03-01T10:00:00+1", None),
        ("2025-03-01T10:00:00+01:3", None),
        ("2025-03-01T10:00:00,5Z", None),
        ("20250301T100000Z", None),
        ("2025/03/01 10:00:00", None),
        ("1740823200", None),
        ("2025-03-01T10:00Z", None),
        ("2025-03-01T10:00:00.Z", None),
        ("2025-03-01T10:00:00.12345678901234Z", "2025-03-01T10:00:00.123456Z"),
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
        (1e3, 1000),
        ("1e3", 1000),
        ("1e-3", ("source_bytes",)),
        ("9" * 20, ("source_bytes",)),
        ("9" * 20 + ".0", ("source_bytes",)),
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
    reader = ObjectReader(InputMapping(PALOALTO.mapping.fields, null_values=("-", "n/a")))

    found = [reader.read(flow(**{name: value})) for value in ("-", "n/a", None)]

    assert [isinstance(item, FlowRecord) and getattr(item, name) for item in found] == [None] * 3


def test_a_null_value_is_compared_as_it_is_written() -> None:
    reader = ObjectReader(InputMapping(PALOALTO.mapping.fields, null_values=("N/A",)))

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

    found = ObjectReader(InputMapping(fields)).read(flow())

    assert isinstance(found, FlowRecord)
    assert (found.source_ip, found.destination_ip, found.source_port) == (None,) * 3
    assert found.event_start == us("2025-03-01T10:00:00Z")


def test_key_columns_are_read_as_text_in_their_order() -> None:
    reader = ObjectReader(
        InputMapping(PALOALTO.mapping.fields, null_values=("-",)), ("b", "a", "c")
    )

    found = reader.read(flow(a="x", b=7, c="-"))

    assert isinstance(found, FlowRecord)
    assert found.keys == ("7", "x", None)


@pytest.mark.parametrize("value", [1.5, [], {}])
def test_a_key_column_that_is_no_text_is_at_fault(value: Any) -> None:
    reader = ObjectReader(PALOALTO.mapping, ("uid",))

    found = reader.read(flow(uid=value))

    assert isinstance(found, BadValue)
    assert found.field == "uid"


FLOW = {"bytes": {"out": 5, "in": None}, "state": "closed", "list": [{"x": 1}]}


@pytest.mark.parametrize(
    ("path", "meaning"),
    [
        (("flow", "bytes", "out"), 5),
        (("flow", "bytes", "in"), None),
        (("flow", "bytes", "none"), None),
        (("flow", "state", "x"), None),
        (("flow", "list", "x"), None),
        (("none", "x"), None),
        (("flow", "state"), ("source_bytes",)),
        (("flow", "bytes"), ("source_bytes",)),
    ],
)
def test_a_path_leads_into_objects_and_elsewhere_finds_nothing(
    path: tuple[str, ...], meaning: Any
) -> None:
    reader = reader_of("source_bytes", FieldSource(path=path))

    assert read_field("source_bytes", FLOW, reader, "flow") == meaning


@pytest.mark.parametrize(
    ("record", "meaning"),
    [
        ({"a": 1, "b": 2}, 1),
        ({"a": None, "b": 2}, 2),
        ({"a": "-", "b": 2}, 2),
        ({"b": 2}, 2),
        ({"b": float("nan"), "c": {"d": 3}}, 3),
        ({"c": {"d": "-"}}, None),
        ({"a": "x", "b": 2}, ("source_port",)),
    ],
)
def test_of_any_of_some_places_the_first_with_a_value_counts(
    record: dict[str, Any], meaning: Any
) -> None:
    source = FieldSource(any_of=(("a",), ("b",), ("c", "d")))
    reader = reader_of("source_port", source, null_values=("-",))

    found = reader.read(flow(**record))

    assert value_or_fault(found, "source_port") == meaning


STATES = ValueMap(
    (MapRow(("tcp", "S0"), "Drop"), MapRow(("*", "SF"), "allow"), MapRow(("*", "S0"), None)),
    (("proto",), ("state",)),
)


@pytest.mark.parametrize(
    ("proto", "state", "meaning"),
    [
        ("tcp", "S0", "drop"),
        ("udp", "S0", None),
        ("udp", "SF", "allow"),
        (None, "SF", "allow"),
        (17, "SF", "allow"),
        ("tcp", "REJ", None),
        (None, None, None),
        ("tcp", [], ("event_action",)),
    ],
)
def test_a_map_of_several_columns_gives_what_its_first_row_that_fits_says(
    proto: Any, state: Any, meaning: Any
) -> None:
    reader = reader_of("event_action", FieldSource(map=STATES))

    found = reader.read(flow(proto=proto, state=state))

    assert value_or_fault(found, "event_action") == meaning


def test_only_selected_records_are_read() -> None:
    only = Selection((Condition(("type",), ("flow", "6")), Condition(("x",), present=False)))
    reader = ObjectReader(evolve(PALOALTO.mapping, only=only))

    records: list[dict[str, Any]] = [
        {"type": "flow"},
        {"type": 6.0},
        {"type": "dns"},
        {"type": None},
        {"type": []},
        {"type": "flow", "x": 1},
        {},
    ]

    found = [isinstance(reader.read(flow(**record)), FlowRecord) for record in records]

    assert found == [True, True, False, False, False, False, False]
    assert reader.read(flow(type="dns", source_port="x")) == Skipped()


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        (1740823200_123456499, 1740823200_123456),
        (1740823200_123456500, 1740823200_123457),
        ("1740823200123456500", 1740823200_123457),
        (1.74e18, 1_740_000_000_000_000),
        ((1 << 52) * 1000, ("event_start",)),
        (-501, ("event_start",)),
        (-500, 0),
    ],
)
def test_an_integer_of_nanoseconds_is_exact(value: Any, meaning: Any) -> None:
    assert read_time("event_start", TimeFormat.EPOCH_NS, value) == meaning


def test_the_first_format_that_reads_a_value_counts() -> None:
    formats = (TimeFormat.ISO8601, TimeFormat.EPOCH_S, TimePattern("%Y/%m/%d"))

    found = [
        read_time("event_start", formats, value)
        for value in ("2025-03-01T10:00:00Z", 1740823200, "1740823200", "2025/03/01", "x")
    ]

    ten, midnight = us("2025-03-01T10:00:00Z"), us("2025-03-01T00:00:00Z")
    assert found == [ten, ten, ten, midnight, ("event_start",)]


@pytest.mark.parametrize(
    ("pattern", "value", "meaning"),
    [
        ("%d/%m/%Y %H:%M:%S", "01/03/2025 10:00:00", "2025-03-01T10:00:00Z"),
        ("%Y%m%d%H%M%S.%f", "20250301100000.5", "2025-03-01T10:00:00.500000Z"),
        ("%Y-%m-%d %H:%M:%S%z", "2025-03-01 10:00:00+0130", "2025-03-01T08:30:00Z"),
        ("%Y-%m-%d %H:%M:%S%z", "2025-03-01 10:00:00Z", "2025-03-01T10:00:00Z"),
        ("(%Y) %m.%d", "(2025) 03.01", "2025-03-01T00:00:00Z"),
        ("(%Y) %m.%d", "(2025) 03-01", None),
        ("%Y%m%d", "20250229", None),
        ("%Y%m%d", "2025031", None),
        ("%Y%m%d", 20250301, None),
    ],
)
def test_how_a_time_of_a_pattern_is_read(pattern: str, value: Any, meaning: str | None) -> None:
    expected = ("event_start",) if meaning is None else us(meaning)

    assert read_time("event_start", TimePattern(pattern), value) == expected


def backwards(duration: Any, end: Any) -> Any:
    """The start of a session by its end, or the field at fault in a tuple."""
    source = FieldSource(column="took", format=TimeFormat.DURATION_S)
    reader = reader_of("event_start", source)
    found = reader.read(flow(took=duration, event_end=end))
    return value_or_fault(found, "event_start")


@pytest.mark.parametrize(
    ("duration", "end", "meaning"),
    [
        (2, "2025-03-01T10:00:02Z", us("2025-03-01T10:00:00Z")),
        (-2, "2025-03-01T10:00:02Z", us("2025-03-01T10:00:04Z")),
        (None, "2025-03-01T10:00:02Z", None),
        (2, None, None),
        (3, "1970-01-01T00:00:02Z", ("event_start",)),
        ("x", "never", ("event_start",)),
        (2, "never", ("event_end",)),
    ],
)
def test_a_duration_in_the_start_counts_back_from_the_end(
    duration: Any, end: Any, meaning: Any
) -> None:
    assert backwards(duration, end) == meaning


@pytest.mark.parametrize(
    ("given", "meaning"),
    [
        ({"took": 30, "written": NOON_S + 30}, (NOON_S, NOON_S + 30)),
        ({"took": 0, "written": NOON_S}, (NOON_S, NOON_S)),
        ({"written": NOON_S}, (NOON_S, None)),
        ({"written": NOON_S * 1_000_000_000}, (NOON_S, None)),
        ({"took": 30}, (None, None)),
    ],
)
def test_a_start_that_is_read_from_the_place_of_the_end_leaves_the_end_unknown(
    given: dict[str, int], meaning: tuple[int | None, int | None]
) -> None:
    fields = {
        **PALOALTO.mapping.fields,
        "event_start": FieldSource(
            any_of=(("took",), ("written",)), format=(TimeFormat.DURATION_S, TimeFormat.EPOCH_NS)
        ),
        "event_end": FieldSource(
            column="written", format=(TimeFormat.EPOCH_S, TimeFormat.EPOCH_NS)
        ),
    }

    found = ObjectReader(InputMapping(fields)).read(given)

    assert isinstance(found, FlowRecord)
    start, end = (None if one is None else one * 1_000_000 for one in meaning)
    assert (found.event_start, found.event_end) == (start, end)


@pytest.mark.parametrize(
    ("start", "end", "meaning"),
    [
        (100, 130, (100, 130)),
        ("30", 130, (100, 130)),
        (100, "30", (100, 130)),
        ("30", "30", (None, None)),
        ("30", None, (None, None)),
        (None, "30", (None, None)),
        (str(NOON_S + 131), 130, ("event_start",)),
    ],
)
def test_where_formats_are_of_times_and_durations_each_value_tells_which_it_is(
    start: Any, end: Any, meaning: Any
) -> None:
    # A time is given in nanoseconds here, far too many for a duration in hours.
    formats = (TimeFormat.DURATION_S, TimeFormat.EPOCH_NS)
    fields = {
        **PALOALTO.mapping.fields,
        "event_start": FieldSource(column="s", format=formats),
        "event_end": FieldSource(column="e", format=formats),
    }

    def spelt(value: Any) -> Any:
        return (NOON_S + value) * 1_000_000_000 if isinstance(value, int) else value

    found = ObjectReader(InputMapping(fields)).read(flow(s=spelt(start), e=spelt(end)))

    if isinstance(found, BadValue):
        assert (found.field,) == meaning
    else:
        assert isinstance(found, FlowRecord)
        times = (found.event_start, found.event_end)
        assert tuple(None if t is None else t // 1_000_000 - NOON_S for t in times) == meaning


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("2025-03-01T10:00:00", "2025-03-01T09:00:00Z"),
        ("2025-03-01T10:00:00Z", "2025-03-01T10:00:00Z"),
        ("2025-07-01T10:00:00.5", "2025-07-01T08:00:00.500000Z"),
        ("2025-03-30T02:30:00", None),
        ("2025-10-26T02:30:00", "2025-10-26T00:30:00Z"),
    ],
)
def test_a_time_without_an_offset_is_one_of_the_zone(text: str, meaning: str | None) -> None:
    expected = ("event_start",) if meaning is None else us(meaning)

    assert read_time("event_start", TimeFormat.ISO8601, text, "Europe/Berlin") == expected
