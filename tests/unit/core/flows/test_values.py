"""How values are read as text and as integers, wherever they come from."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.flows.values import BadValueError, integer_of, is_no_value, number_of, text_of

NAN = float("nan")


def read(function: Any, value: Any) -> Any:
    """What a function reads of a value; its error where it can't."""
    try:
        return function(value)
    except BadValueError:
        return BadValueError


@pytest.mark.parametrize(
    ("value", "is_none"),
    [(None, True), (NAN, True), ("-", True), ("", False), (0, False), (False, False), ({}, False)],
)
def test_what_stands_for_no_value(value: Any, is_none: bool) -> None:
    assert is_no_value(value, {"-"}) is is_none


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", "a b"),
        ("6.0", "6.0"),
        (6, "6"),
        (6.0, "6"),
        (-0.0, "0"),
        (True, "true"),
        (False, "false"),
        (1 << 70, str(1 << 70)),
        (2.0**53, str(1 << 53)),
        (1e300, BadValueError),
        (6.5, BadValueError),
        ({}, BadValueError),
        ([], BadValueError),
    ],
)
def test_what_a_map_sees_of_a_value(value: Any, text: Any) -> None:
    assert read(text_of, value) == text


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, 5),
        ("5", 5),
        ("5.0", 5),
        ("50e-1", 5),
        (-(1 << 63), -(1 << 63)),
        (1 << 63, BadValueError),
        ("1e400", BadValueError),
        ("05", BadValueError),
        (5.5, BadValueError),
        (NAN, BadValueError),
        (True, BadValueError),
        (None, BadValueError),
    ],
)
def test_what_is_an_integer(value: Any, number: Any) -> None:
    assert read(integer_of, value) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7),
        ("-7.5", -7.5),
        ("1E2", 100.0),
        ("9" * 19, int("9" * 19)),
        ("9" * 20, BadValueError),
        ("9" * 5000, BadValueError),
        ("-" + "9" * 20, BadValueError),
        ("9" * 20 + ".5", float("9" * 20)),
        (".5", BadValueError),
        ("x", BadValueError),
    ],
)
def test_which_number_a_text_is(text: str, number: Any) -> None:
    found = read(number_of, text)

    assert (found, type(found)) == (number, type(number))
