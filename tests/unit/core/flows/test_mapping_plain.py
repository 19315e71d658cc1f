"""A mapping as plain data says what people would write."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.flows.mapping import FieldSource, InputMapping
from ndr_core.flows.mapping_plain import mapping_to_plain, source_to_plain
from ndr_core.flows.selection import Condition, Selection
from ndr_core.flows.time_format import TimeFormat, TimePattern
from ndr_core.flows.value_map import MapRow, ValueMap

ROWS = (MapRow(("tcp", "S0"), "drop"), MapRow(("*", "S0"), None))


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        (FieldSource(column="a"), {"column": "a"}),
        (FieldSource(constant=""), {"constant": ""}),
        (FieldSource(path=("a", "b"), optional=True), {"path": ["a", "b"], "optional": True}),
        (FieldSource(any_of=(("a",), ("b", "c"))), {"any_of": ["a", ["b", "c"]]}),
        (
            FieldSource(column="t", format=TimeFormat.EPOCH_S),
            {"column": "t", "format": "epoch_s"},
        ),
        (
            FieldSource(column="t", format=(TimeFormat.ISO8601, TimePattern("%Y%m%d"))),
            {"column": "t", "format": ["iso8601", "%Y%m%d"]},
        ),
        (FieldSource(column="a", map={"x": "y"}), {"column": "a", "map": {"x": "y"}}),
        (
            FieldSource(column="a", map={"x": None}),
            {"column": "a", "map": {"values": [["x", None]]}},
        ),
        (
            FieldSource(column="a", map=ValueMap((MapRow(("x",), "y"),), default="z")),
            {"column": "a", "map": {"values": [["x", "y"]], "default": "z"}},
        ),
        (
            FieldSource(map=ValueMap(ROWS, (("p",), ("s", "t")), None)),
            {
                "map": {
                    "columns": ["p", ["s", "t"]],
                    "values": [["tcp", "S0", "drop"], ["*", "S0", None]],
                    "default": None,
                }
            },
        ),
    ],
)
def test_a_source_as_plain_data(source: FieldSource, plain: dict[str, Any]) -> None:
    assert source_to_plain(source) == plain


def test_a_mapping_has_what_it_says_and_no_more() -> None:
    assert mapping_to_plain(InputMapping({"source_ip": FieldSource(column="a")})) == {
        "fields": {"source_ip": {"column": "a"}},
        "null_values": [],
    }


def test_a_whole_mapping_as_plain_data() -> None:
    only = Selection((Condition(("a",), ("1", "2")), Condition(("b",), present=False)))

    plain = mapping_to_plain(
        InputMapping({}, ("-",), "zeek", only, files=("conn*",), timezone="Europe/Berlin")
    )

    assert plain == {
        "fields": {},
        "null_values": ["-"],
        "preset": "zeek",
        "only": {"a": ["1", "2"], "b": {"present": False}},
        "files": ["conn*"],
        "timezone": "Europe/Berlin",
    }


def test_conditions_on_paths_are_a_list() -> None:
    only = Selection((Condition(("a", "b"), ("1",)), Condition(("c",), present=True)))

    assert mapping_to_plain(InputMapping({}, only=only))["only"] == [
        {"path": ["a", "b"], "values": ["1"]},
        {"path": ["c"], "present": True},
    ]
