"""The classes of a spec become its JSON Schema: keys, kinds, bounds, texts and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import pytest
from attrs import field, frozen

from ndr_core.jobs.spec_schema import Forms, Schema, class_schema
from ndr_core.times import Duration


class Colour(Enum):
    RED = "red"
    GREEN = "green"


@frozen
class Part:
    """A part of a toy.

    More of it.
    """

    size: int
    colour: Colour = Colour.RED
    """Which colour it has:
    one of two."""


@frozen
class Toy:
    """The spec of a job that there is none of."""

    part: Part = field(metadata={"doc": "the part"})
    parts: tuple[Part, ...] = ()
    named: Mapping[str, float] = field(factory=dict, metadata={"schema": {"maxProperties": 2}})
    text: str | None = field(default=None, metadata={"schema": {"pattern": "^a"}})
    ready: bool = False
    every: Duration = field(default=Duration(90_000_000))


@frozen
class Odd:
    """Has a set, which no file holds."""

    words: frozenset[str] = frozenset()


PART: Schema = {
    "type": "object",
    "description": "A part of a toy.",
    "properties": {
        "size": {"type": "integer"},
        "colour": {
            "description": "Which colour it has: one of two.",
            "enum": ["red", "green"],
            "default": "red",
        },
    },
    "additionalProperties": False,
    "required": ["size"],
}


def properties(cls: type[Any], forms: Forms | None = None) -> dict[str, Schema]:
    found: dict[str, Schema] = class_schema(cls, forms or Forms())["properties"]
    return found


def test_a_class_is_an_object_of_its_keys_and_no_others() -> None:
    assert class_schema(Part, Forms()) == PART


def test_a_part_is_described_by_the_key_that_holds_it() -> None:
    assert properties(Toy)["part"] == {**PART, "description": "the part"}


def test_the_other_kinds_of_values_are_those_of_json() -> None:
    found = properties(Toy)

    assert found["parts"] == {"type": "array", "items": PART}
    assert found["named"] == {
        "type": "object",
        "additionalProperties": {"type": "number"},
        "maxProperties": 2,
    }
    assert found["text"] == {"anyOf": [{"type": "string", "pattern": "^a"}, {"type": "null"}]}
    assert found["ready"] == {"type": "boolean", "default": False}
    assert found["every"] == {
        "type": "string",
        "pattern": "^(?:([0-9]{1,12})([smhd]))$",
        "default": "90s",
    }


def test_a_type_that_is_written_in_another_way_has_the_schema_of_that() -> None:
    words = {"type": "string", "pattern": "^[a-z ]*$"}

    found = properties(Odd, Forms(types={frozenset[str]: words}))

    assert found["words"] == words


def test_what_is_known_of_a_key_adds_to_its_type() -> None:
    found = properties(Part, Forms(keys={(Part, "size"): {"minimum": 0}}))

    assert found["size"] == {"type": "integer", "minimum": 0}


@frozen
class Unordered:
    """Has a list of fixed length, and a mapping of numbers."""

    pair: tuple[int, str] = (0, "")
    numbered: Mapping[int, str] = field(factory=dict)


@pytest.mark.parametrize(
    ("cls", "forms", "message"),
    [
        (Odd, Forms(), r"^Odd\.words: no schema is known of frozenset\[str\]; give it one"),
        (Unordered, Forms(), r"^Unordered\.pair: no schema is known of tuple\[int, str\]"),
        (
            Unordered,
            Forms(types={tuple[int, str]: {}}),
            r"^Unordered\.numbered: no schema is known of .*Mapping\[int, str\]",
        ),
    ],
)
def test_a_type_of_which_no_schema_is_known_is_named_with_its_key(
    cls: type[Any], forms: Forms, message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        class_schema(cls, forms)
