"""Plain data become a spec of any job, or errors that name each key at fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import pytest
from attrs import field, frozen

from ndr_core.errors import Problem, SpecError
from ndr_core.jobs.spec_reader import read_spec, require_mapping, spec_converter, wrong_kind


class Colour(Enum):
    RED = "red"
    GREEN = "green"


@frozen
class Part:
    size: int = 0
    share: float = 0.0


@frozen
class Toy:
    """The spec of a job that there is none of."""

    name: str
    colour: Colour = Colour.RED
    ready: bool = False
    part: Part = field(factory=Part)
    parts: tuple[Part, ...] = ()
    named: Mapping[str, Part] = field(factory=dict)
    words: tuple[str, ...] = ()

    def problems(self) -> list[Problem]:
        if self.name == "bad":
            return [Problem("name", "is bad"), Problem("", "is bad as a whole")]
        return []


def read(data: Any) -> Toy:
    return read_spec(data, Toy, spec_converter(), "toy.yaml")


def refused(data: Any) -> list[str]:
    with pytest.raises(SpecError) as caught:
        read(data)
    return str(caught.value).splitlines()


def test_a_spec_is_read_part_by_part() -> None:
    data = {
        "name": "a",
        "colour": "green",
        "ready": True,
        "part": {"size": 1, "share": 0.5},
        "parts": [{"size": 2}],
        "named": {"x": {"size": 3}},
        "words": ["one", "two"],
    }

    assert read(data) == Toy(
        "a", Colour.GREEN, True, Part(1, 0.5), (Part(2),), {"x": Part(3)}, ("one", "two")
    )


def test_what_is_left_out_has_its_default() -> None:
    assert read({"name": "a"}) == Toy("a")


def test_a_whole_number_is_a_float_where_one_is_expected() -> None:
    share = read({"name": "a", "part": {"share": 1}}).part.share

    assert (share, type(share)) == (1.0, float)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (None, "nothing"),
        ([], "a list"),
        ("text", "text"),
        (5, "a number"),
        (0.5, "a number"),
        (True, "true/false"),
        ((), "tuple"),
    ],
)
def test_a_spec_that_is_no_mapping_is_refused_by_its_kind(data: Any, kind: str) -> None:
    assert refused(data) == [f"toy.yaml: holds {kind}, expected a mapping of keys"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 1}, "name: 1 is a number, expected text"),
        ({"name": None}, "name: None is nothing, expected text"),
        ({"ready": "yes"}, "ready: 'yes' is text, expected true or false"),
        ({"ready": 1}, "ready: 1 is a number, expected true or false"),
        ({"part": {"size": 1.0}}, "part.size: 1.0 is a number, expected a whole number"),
        ({"part": {"size": True}}, "part.size: True is true/false, expected a whole number"),
        ({"part": {"share": True}}, "part.share: True is true/false, expected a number"),
        ({"part": {"share": "1"}}, "part.share: '1' is text, expected a number"),
        ({"parts": [{}, {"size": {}}]}, "parts[1].size: {} is a mapping, expected a whole number"),
        ({"parts": [{"size": []}]}, "parts[0].size: [] is a list, expected a whole number"),
        ({"named": {"x": {"size": "1"}}}, "named.x.size: '1' is text, expected a whole number"),
        ({"part": [1]}, "part: [1] is a list, expected a mapping of keys"),
        ({"part": None}, "part: None is nothing, expected a mapping of keys"),
        ({"named": "x"}, "named: 'x' is text, expected a mapping of keys"),
        ({"named": {"x": 1}}, "named.x: 1 is a number, expected a mapping of keys"),
        ({"words": "abc"}, "words: 'abc' is text, expected a list of texts"),
        ({"words": {"a": 1}}, "words: {'a': 1} is a mapping, expected a list of texts"),
        ({"words": ["a", 1]}, "words[1]: 1 is a number, expected text"),
        ({"colour": "gren"}, "colour: unknown value 'gren', did you mean 'green'?"),
        ({"colour": "blue"}, "colour: unknown value 'blue', known: green, red"),
        ({"colour": []}, "colour: unknown value [], known: green, red"),
        ({"nam": "x"}, "unknown key 'nam', did you mean 'name'?"),
        ({"part": {"siz": 1}}, "part: unknown key 'siz', did you mean 'size'?"),
        (
            {"part": {"b": 1, "a": 1}},
            "part: unknown key 'a', known: share, size; unknown key 'b', known: share, size",
        ),
    ],
)
def test_a_wrong_value_is_refused_by_its_key(change: dict[str, Any], message: str) -> None:
    assert refused({"name": "a"} | change) == [f"toy.yaml: {message}"]


def test_a_key_that_is_no_text_is_unknown() -> None:
    assert refused({"name": "a", 5: 1})[0].startswith("toy.yaml: unknown key '5', known: colour")


def test_a_missing_key_is_named() -> None:
    assert refused({}) == ["toy.yaml: name: is missing"]


def test_every_problem_is_listed_at_once_with_its_origin() -> None:
    lines = refused({"ready": 1, "colour": 2, "x": 3, "part": {"size": "4", "y": 5}})

    assert len(lines) == 6
    assert all(line.startswith("toy.yaml: ") for line in lines)


def test_problems_of_a_spec_as_a_whole_are_listed_likewise() -> None:
    assert refused({"name": "bad"}) == ["toy.yaml: name: is bad", "toy.yaml: is bad as a whole"]


def test_a_list_of_20_problems_is_shown_whole_and_a_longer_one_is_cut() -> None:
    wrong = {"size": "x"}

    twenty = refused({"name": "a", "parts": [wrong] * 20})
    more = refused({"name": "a", "parts": [wrong] * 23})

    assert len(twenty) == 20
    assert more[:20] == twenty
    assert more[20:] == ["toy.yaml: .. and 3 more"]


def test_of_unknown_keys_20_are_shown() -> None:
    (line,) = refused({"name": "a"} | {f"key{number:02}": 1 for number in range(30)})

    assert line.count("unknown key") == 20
    assert "'key19'" in line


def test_a_mapping_that_is_required_and_none_is_a_type_error_that_says_so() -> None:
    require_mapping({}, "a mapping")
    with pytest.raises(TypeError, match=r"^5 is a number, expected a mapping$"):
        require_mapping(5, "a mapping")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "None is nothing, expected x"),
        ({1}, "{1} is set, expected x"),
        ("x" * 200, "xxx.. (202 characters) is text, expected x"),
    ],
)
def test_a_value_of_the_wrong_kind_is_shown_as_far_as_it_is_short(value: Any, message: str) -> None:
    assert wrong_kind(value, "x").endswith(message)


def test_a_converter_takes_no_value_for_another() -> None:
    structure: Callable[[Any, type], Any] = spec_converter().structure

    assert structure("red", Colour) is Colour.RED
    with pytest.raises(TypeError):
        structure("1", int)
