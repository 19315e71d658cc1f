"""The parts of a mapping are read from plain data, or refused with what was expected."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.deltas.spec_reader import parse_job_spec
from ndr_core.errors import SpecError
from ndr_core.flows.mapping import FieldSource, InputMapping
from ndr_core.flows.selection import Condition, Selection
from ndr_core.flows.time_format import TimeFormat, TimePattern
from ndr_core.flows.value_map import Default, MapRow, ValueMap

FIELDS: dict[str, Any] = {
    "source_ip": "src",
    "destination_ip": "dst",
    "event_start": {"column": "ts", "format": "epoch_s"},
}


def read(fields: dict[str, Any] | None = None, **more: Any) -> InputMapping:
    plain = {"fields": FIELDS | (fields or {}), **more}
    spec = parse_job_spec({"project_name": "p", "input": plain})
    assert parse_job_spec(spec.to_plain()) == spec
    return spec.input


def refused(fields: dict[str, Any] | None = None, **more: Any) -> str:
    with pytest.raises(SpecError) as caught:
        read(fields, **more)
    (line,) = str(caught.value).splitlines()
    return line.removeprefix("JobSpec: input.")


def test_a_field_may_lie_inside_objects_or_in_any_of_some_places() -> None:
    found = read(
        {
            "source_port": {"path": ["flow", "sport"], "optional": True},
            "destination_port": {"any_of": ["dport", ["flow", "dport"]]},
        }
    ).fields

    assert found["source_port"] == FieldSource(path=("flow", "sport"), optional=True)
    assert found["destination_port"] == FieldSource(any_of=(("dport",), ("flow", "dport")))


def test_a_time_has_a_format_a_pattern_or_several() -> None:
    found = read(
        {
            "event_start": {"column": "s", "format": ["iso8601", "%Y/%m/%d %H:%M:%S"]},
            "event_end": {"column": "e", "format": "epoch_ns"},
        }
    ).fields

    assert found["event_start"].format == (TimeFormat.ISO8601, TimePattern("%Y/%m/%d %H:%M:%S"))
    assert found["event_end"].format == (TimeFormat.EPOCH_NS,)


def map_of(plain: Any) -> ValueMap | None:
    column = {} if isinstance(plain, dict) and "columns" in plain else {"column": "a"}
    return read({"event_action": {**column, "map": plain}}).fields["event_action"].map


def test_a_map_of_one_column_may_name_numbers_and_truths_as_yaml_has_them() -> None:
    assert map_of({6: "allow", True: "deny", "values": "x"}) == ValueMap(
        (MapRow(("6",), "allow"), MapRow(("true",), "deny"), MapRow(("values",), "x"))
    )
    assert map_of({False: None}) == ValueMap((MapRow(("false",), None),))
    assert map_of({}) is None
    assert map_of(None) is None


def test_a_map_of_one_column_may_have_a_default() -> None:
    rows = (MapRow(("a",), "b"),)

    assert map_of({"values": {"a": "b"}, "default": None}) == ValueMap(rows, default=None)
    assert map_of({"values": [["a", "b"]], "default": "c"}) == ValueMap(rows, default="c")


def test_a_map_of_several_columns_has_rows() -> None:
    plain = {
        "columns": ["proto", ["flow", "state"]],
        "values": [["tcp", 0, "drop"], ["*", 1, None]],
    }

    assert map_of(plain) == ValueMap(
        (MapRow(("tcp", "0"), "drop"), MapRow(("*", "1"), None)),
        (("proto",), ("flow", "state")),
        Default.KEEP,
    )


def test_a_selection_names_values_or_presence_by_column_or_by_path() -> None:
    by_column = read(only={"type": ["flow", 6], "state": {"present": True}}).only
    by_path = read(
        only=[
            {"path": ["event", "kind"], "values": ["flow"]},
            {"path": ["x"], "present": False},
            {"path": ["y", "z"], "present": True},
        ]
    ).only

    assert by_column == Selection(
        (Condition(("type",), ("flow", "6")), Condition(("state",), present=True))
    )
    assert by_path == Selection(
        (
            Condition(("event", "kind"), ("flow",)),
            Condition(("x",), present=False),
            Condition(("y", "z"), present=True),
        )
    )


def test_files_and_the_time_zone_are_texts() -> None:
    found = read(files=["conn*", "*.log"], timezone="Europe/Berlin")

    assert (found.files, found.timezone) == (("conn*", "*.log"), "Europe/Berlin")


ACTION = "fields.event_action.map: "


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"path": "flow"}, "fields.event_action.path: 'flow' is text, expected a list of texts"),
        ({"path": [1]}, "fields.event_action.path[0]: 1 is a number, expected text"),
        ({"path": []}, "fields.event_action: a path has 1 to 16 names, one has 0"),
        ({"any_of": "a"}, "fields.event_action.any_of: 'a' is text, expected a list of columns"),
        (
            {"any_of": [5]},
            "fields.event_action.any_of: 5 is a number, expected a column, or a list",
        ),
        ({"column": "a", "map": []}, ACTION + "[] is a list, expected a mapping of values"),
        ({"column": "a", "map": {"a": 5}}, ACTION + "5 is a number, expected text or null"),
        ({"column": "a", "map": {1.5: "x"}}, ACTION + "1.5 is a number, expected a value of the"),
        (
            {"map": {"columns": ["a", "b"], "values": [["x", "y"]]}},
            ACTION + "['x', 'y'] has 2 entries, expected 3: 2 values, and what they become",
        ),
        (
            {"column": "a", "map": {"values": [["x"]]}},
            ACTION + "['x'] has 1 entries, expected 2: one value, and what they become",
        ),
        (
            {"column": "a", "map": {"values": ["x"]}},
            ACTION + "'x' is text, expected a list of rows such as [tcp, S0, drop]",
        ),
        (
            {"map": {"columns": ["a"], "values": [], "defalt": "x"}},
            ACTION + "unknown key 'defalt', did you mean 'default'?",
        ),
        (
            {"map": {"columns": ["a"], "values": [[None, "x"]]}},
            ACTION + "None is nothing, expected a value of the source",
        ),
    ],
)
def test_a_wrong_field_is_refused_with_its_key(field: dict[str, Any], message: str) -> None:
    assert refused({"event_action": field}).startswith(message)


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        ("epoch", "unknown format 'epoch', did you mean 'epoch_s'? (or a pattern such as '%Y/%m"),
        (5, "5 is a number, expected a format of times, or a list of them"),
        ([], "an empty list of formats fits no time"),
        ("%Y", "'%Y' has no %m and no %d: a time needs its day"),
    ],
)
def test_a_wrong_format_is_refused_with_its_key(formats: Any, message: str) -> None:
    found = refused({"event_start": {"column": "t", "format": formats}})

    assert found.startswith(f"fields.event_start.format: {message}")


@pytest.mark.parametrize(
    ("only", "message"),
    [
        ("flow", "'flow' is text, expected a mapping of columns"),
        ({5: ["a"]}, "5 is a number, expected a column"),
        ({"a": "b"}, "'b' is text, expected a: a list of values, or {present: true}"),
        ({"a": []}, "a: an empty list selects no record; expected a list of values"),
        ({"a": {"present": "yes"}}, "a: {'present': 'yes'} says nothing, expected a list of"),
        ({"a": {}}, "a: {} says nothing, expected a list of values, or {present: true}"),
        (["a"], "'a' is text, expected a mapping such as {path: [flow, state], values"),
        ([{"values": ["a"]}], "path: expected a list of names such as [flow, bytes_toserver]"),
        ([{"path": ["a"], "values": ["b"], "present": True}], "a: {'values': ['b'], 'present'"),
    ],
)
def test_a_wrong_selection_is_refused_with_its_key(only: Any, message: str) -> None:
    assert refused(only=only).startswith(f"only: {message}")


def test_half_of_a_surrogate_pair_is_no_text() -> None:
    assert "surrogate" in refused({"source_ip": {"path": ["\ud800"]}})


def test_what_a_preset_says_of_its_input_holds_unless_a_spec_says_otherwise() -> None:
    given = {"preset": "vpcflow", "null_values": ["-", "x"], "timezone": "Asia/Tokyo"}
    spec = parse_job_spec({"project_name": "p", "input": given})

    assert (spec.input.null_values, spec.input.timezone) == (("-", "x"), "Asia/Tokyo")
