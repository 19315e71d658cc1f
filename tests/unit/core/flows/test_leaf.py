"""A leaf leads to a value inside the objects of a record."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.flows.leaf import Leaf, holds, leaf_text, leaves_of, value_at

RECORD = {"a": {"b": {"c": 1}, "d": None, "e": {}}, "a.b": 2, "l": [{"x": 1}]}


@pytest.mark.parametrize(
    ("leaf", "value", "is_there"),
    [
        (("a.b",), 2, True),
        (("a", "b", "c"), 1, True),
        (("a", "d"), None, True),
        (("a", "d", "x"), None, False),
        (("a", "x"), None, False),
        (("x", "y"), None, False),
        (("l", "x"), None, False),
        (("x",), None, False),
    ],
)
def test_what_lies_at_a_leaf(leaf: Leaf, value: Any, is_there: bool) -> None:
    assert value_at(RECORD, leaf) == value
    assert holds(RECORD, leaf) is is_there


def test_all_leaves_of_a_record_are_found_as_far_as_they_are_asked_for() -> None:
    leaves = (("a", "b", "c"), ("a", "d"), ("a", "e"), ("a.b",), ("l",))

    assert leaves_of(RECORD, 100) == leaves
    assert leaves_of(RECORD, 2) == leaves[:2]


def test_a_leaf_is_shown_as_a_spec_has_it() -> None:
    assert (leaf_text(("a.b",)), leaf_text(("a", "b"))) == ("'a.b'", "[a, b]")
