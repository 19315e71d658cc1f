"""How a value of a record's object is read as text or as an integer, written down once.

===========  =======================================================================================
no value     null, an absent key, NaN, or a string that is listed in `null_values`
text         a string as it is; true and false; a number that reads as an integer, as that integer's digits
integer      a number, or a string that is written as one, whose value is integral: without point and
             exponent within int64, with them (a double then) at most 2^53 in size
===========  =======================================================================================

All other values are bad values of a field.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

from ndr_core.int64 import is_int64

# Patterns of a whole value (anchor both ends); they mean the same in Python, Java and Rust.
INTEGER: Final = r"-?(?:0|[1-9][0-9]{0,18})"
NUMBER: Final = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
MAX_INTEGRAL_DOUBLE: Final = 1 << 53
"""How large a double may be to be taken for an integer: up to there each integer is a double of its own."""

_INTEGER = re.compile(INTEGER)
_NUMBER = re.compile(NUMBER)


class BadValueError(ValueError):
    """A value that can't be read as what a field needs."""


def is_no_value(value: Any, null_values: Collection[str]) -> bool:
    """Whether a value of an object stands for none."""
    if isinstance(value, str):
        return value in null_values
    return value is None or (isinstance(value, float) and value != value)


def text_of(value: Any) -> str:
    """Read a value as text. Raises BadValueError for a number that is no integer, an object and a list."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):  # of any size: text has no range
        return str(value)
    return str(integer_of(value))


def integer_of(value: Any) -> int:
    """Read a value as an integer. Raises BadValueError for one that is none."""
    if isinstance(value, str):
        value = number_of(value)
    if isinstance(value, int) and not isinstance(value, bool) and is_int64(value):
        return value
    if isinstance(value, float) and abs(value) <= MAX_INTEGRAL_DOUBLE and value.is_integer():
        return int(value)
    raise BadValueError


def number_of(text: str) -> int | float:
    """Read a text that is written as a JSON number: an integer within some digits, else a double.

    Raises BadValueError for another text.
    """
    if _INTEGER.fullmatch(text):
        return int(text)
    if not _NUMBER.fullmatch(text):
        raise BadValueError
    if text.lstrip("-").isdecimal():  # of more digits than any integer of a field has
        raise BadValueError
    return float(text)
