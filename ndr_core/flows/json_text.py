"""The text of one JSON object on a line: what it may look like, and its limits, written down once.

A line of more than MAX_LINE_BYTES is malformed, whatever it holds; only the first bytes of it are looked at.
A line is taken without its line feed, leading byte order marks, and spaces, tabs and carriage returns around
it; when nothing is left it is blank: no record, only counted. Any other line must be one JSON object
(RFC 8259, strictly) in valid UTF-8 without lone surrogates, at most MAX_DEPTH deep,
with no number written in more than MAX_NUMBER_CHARACTERS. Of a repeated key the last value counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

MAX_LINE_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 64
MAX_NUMBER_CHARACTERS: Final = 1000
"""Of a number on a line, its sign, point and exponent included. No engine's reader refuses one so short."""
MAX_RAW_BYTES: Final = 8192
"""How much of a rejected line the quarantine keeps."""

BLANKS: Final = " \t\r"
BYTE_ORDER_MARK: Final = "\ufeff"

# Patterns of a whole value (anchor both ends); they mean the same in Python, Java and Rust.
LONG_NUMBER: Final = f"[-+.0-9eE]{{{MAX_NUMBER_CHARACTERS + 1}}}"
"""Part of a number that is too long, where strings are left out of the line."""
STRING_TOKEN: Final = r'"((?:[^"\\]++|\\.)*+)"'
"""A JSON string in valid JSON text (Java and Python 3.11 know the possessive `*+` and `++`)."""
PAIRED_ESCAPE: Final = (
    r"\\(?:[^u]|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})"
)
"""Every escape but a lone surrogate: a backslash that is left after removing these is one."""

_STRING_TOKEN = re.compile(STRING_TOKEN)
_PAIRED_ESCAPE = re.compile(PAIRED_ESCAPE)


class _NotAllowedError(ValueError):
    """JSON text outside what the module's docstring allows."""


def _reject_constant(name: str) -> Any:
    raise _NotAllowedError(name)


def _limited(token: str) -> str:
    if len(token) > MAX_NUMBER_CHARACTERS:
        raise _NotAllowedError(token)
    return token


_DECODER = json.JSONDecoder(
    parse_constant=_reject_constant,
    parse_int=lambda token: int(_limited(token)),
    parse_float=lambda token: float(_limited(token)),
)


def line_text(line: bytes | str) -> str:
    """Text of a line as quarantine and tie-breaks see it: trimmed, undecodable bytes as U+FFFD."""
    text = line.decode("utf-8", "replace") if isinstance(line, bytes) else line
    return text.lstrip(BYTE_ORDER_MARK).strip(BLANKS)


def is_too_long(line: bytes | str) -> bool:
    """Whether a line is longer than lines may be."""
    if isinstance(line, bytes) or len(line) * 4 <= MAX_LINE_BYTES:
        return len(line) > MAX_LINE_BYTES
    return len(line.encode("utf-8", "replace")) > MAX_LINE_BYTES


def cut_raw(text: str) -> str:
    """The first MAX_RAW_BYTES of a text, cut at a character."""
    if len(text) * 4 <= MAX_RAW_BYTES:
        return text
    return text.encode("utf-8", "replace")[:MAX_RAW_BYTES].decode("utf-8", "ignore")


def parse_object(line: bytes | str) -> Mapping[str, Any] | None:
    """The JSON object on a line that is not blank, or None where there is none by the rules above."""
    if isinstance(line, bytes):
        try:
            line = line.decode("utf-8")
        except UnicodeDecodeError:
            return None
    if is_too_long(line):
        return None
    text = line_text(line)
    if text.count("{") + text.count("[") > MAX_DEPTH and _too_deep(text):
        return None
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    if "\\u" in text and "\\" in _PAIRED_ESCAPE.sub("", text):
        return None
    return value


def _too_deep(text: str) -> bool:
    depth = 0
    for char in _STRING_TOKEN.sub("", text):
        if char in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif char in "]}":
            depth -= 1
    return False
