"""What a line of input means, written down once: JSON text -> flow record, or why not.

Engines may read clean lines with their own JSON reader, as long as the answer is the one given here.

A line of more than MAX_LINE_BYTES is malformed, whatever it holds; only the first bytes of it are looked at.
A line is taken without its line feed, leading byte order marks, and spaces, tabs and carriage returns around
it; when nothing is left it is blank: no record, only counted. Any other line must be one JSON object
(RFC 8259, strictly) in valid UTF-8 without lone surrogates, at most MAX_DEPTH deep,
with no number written in more than MAX_NUMBER_CHARACTERS. Of a repeated key the last value counts.

How a JSON value is read as a field:

===========  =======================================================================================
text, IP     a string; an integer gives its decimal digits. Other values are malformed.
integer      an integer, or a string that is one, within int64. 443.0 and "0443" are malformed.
ISO-8601     a string that matches ISO_TIME and exists in the calendar; without an offset it is UTC;
             digits after the microseconds are cut.
epoch,       a number, or a string that is one, as a double; times the unit, rounded half up to us.
duration
===========  =======================================================================================

null, an absent key and a string listed in `null_values` are no value, for every field. Times must lie in
[0, 2^52) us, durations in (-2^52, 2^52) us.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from attrs import frozen

from ndr_core.flows.ip_address import canonical_ip
from ndr_core.flows.mapping import FieldSource, InputMapping, TimeFormat
from ndr_core.flows.record import (
    FieldKind,
    FlowField,
    FlowRecord,
)
from ndr_core.int64 import is_int64
from ndr_core.times import SECOND_US, TIME_LIMIT_US, to_us

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
INTEGER: Final = r"-?(?:0|[1-9][0-9]{0,18})"
NUMBER: Final = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
ISO_TIME: Final = (
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])[T ]"
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?"
)
STRING_TOKEN: Final = r'"((?:[^"\\]++|\\.)*+)"'
"""A JSON string in valid JSON text (Java and Python 3.11 know the possessive `*+` and `++`)."""
PAIRED_ESCAPE: Final = (
    r"\\(?:[^u]|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})"
)
"""Every escape but a lone surrogate: a backslash that is left after removing these is one."""

_INTEGER = re.compile(INTEGER)
_NUMBER = re.compile(NUMBER)
_ISO_TIME = re.compile(ISO_TIME)
_STRING_TOKEN = re.compile(STRING_TOKEN)
_PAIRED_ESCAPE = re.compile(PAIRED_ESCAPE)


@frozen
class Blank:
    """A line with nothing on it."""


@frozen
class Malformed:
    """A line that can't be read; `field` names the canonical field at fault, if it is one."""

    raw: str
    field: str | None = None


@frozen
class ReadFlow:
    """A line that holds a flow record; `raw` is its text, uncut."""

    flow: FlowRecord
    raw: str


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


class LineReader:
    """Reads lines as flow records under one input mapping."""

    def __init__(self, mapping: InputMapping, key_columns: tuple[str, ...] = ()) -> None:
        """`key_columns`: source columns to read as text into `FlowRecord.keys`."""
        self._bound = mapping.bound_fields()
        self._constants = mapping.constants()
        self._null_values = frozenset(mapping.null_values)
        self._key_columns = key_columns

    def read(self, line: bytes | str) -> Blank | Malformed | ReadFlow:
        """Meaning of one line, given as bytes or as text that was valid UTF-8."""
        if is_too_long(line):
            return Malformed(cut_raw(line_text(line[: MAX_LINE_BYTES + 1])))
        raw = line_text(line)
        if not raw:
            return Blank()
        value = parse_object(line)
        if value is None:
            return Malformed(cut_raw(raw))
        values: dict[str, Any] = dict(self._constants)
        name = ""
        try:
            for flow_field, source in self._bound:
                name = flow_field.name
                values[name] = self._field(flow_field, source, value.get(source.column or ""))
            for name in self._key_columns:
                values[name] = self._text(value.get(name))
        except _NotAllowedError:
            return Malformed(cut_raw(raw), name)
        _end_from_duration(values, self._bound)
        keys = tuple(values.pop(column) for column in self._key_columns)
        for required in ("source_ip", "destination_ip", "event_start"):
            values.setdefault(required)
        return ReadFlow(FlowRecord(**values, keys=keys), raw)

    def _field(self, flow_field: FlowField, source: FieldSource, value: Any) -> Any:
        if value is None or (isinstance(value, str) and value in self._null_values):
            return None
        match flow_field.kind:
            case FieldKind.INTEGER:
                return _integer(value)
            case FieldKind.TIMESTAMP:
                assert source.format is not None
                return _time(value, source.format)
            case FieldKind.IP:
                return canonical_ip(self._text(value))
        text = self._text(value)
        return flow_field.case.of(source.map.get(text, text)) if text is not None else None

    def _text(self, value: Any) -> str | None:
        if value is None or (isinstance(value, str) and value in self._null_values):
            return None
        if isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        raise _NotAllowedError


def _integer(value: Any) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and is_int64(value):
        return value
    raise _NotAllowedError


def _time(value: Any, time_format: TimeFormat) -> int:
    if time_format is TimeFormat.ISO8601:
        micros = _iso_us(value)
    else:
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _NotAllowedError
        try:
            scaled = float(value) * float(time_format.unit_us) + 0.5
        except OverflowError as error:  # an integer beyond the doubles
            raise _NotAllowedError from error
        if not math.isfinite(scaled):
            raise _NotAllowedError
        micros = math.floor(scaled)
    lowest = 1 - TIME_LIMIT_US if time_format.is_duration else 0
    if lowest <= micros < TIME_LIMIT_US:
        return micros
    raise _NotAllowedError


def _iso_us(value: Any) -> int:
    if not isinstance(value, str) or not _ISO_TIME.fullmatch(value):
        raise _NotAllowedError
    whole, fraction, offset = value[:19], "0", value[19:]
    if offset.startswith("."):
        digits = len(offset[1:]) - len(offset[1:].lstrip("0123456789"))
        fraction, offset = offset[1 : 1 + digits], offset[1 + digits :]
    try:
        moment = datetime.fromisoformat(whole).replace(tzinfo=UTC)
    except ValueError as error:
        raise _NotAllowedError from error
    seconds = to_us(moment) // SECOND_US
    if offset not in ("", "Z"):
        shift = int(offset[1:3]) * 3600 + int(offset[4:6]) * 60
        seconds += shift if offset[0] == "-" else -shift
    return seconds * SECOND_US + int(fraction[:6].ljust(6, "0"))


def _end_from_duration(values: dict[str, Any], bound: list[tuple[FlowField, FieldSource]]) -> None:
    """A duration in `event_end` becomes start + duration; without a start there is no end."""
    for flow_field, source in bound:
        if flow_field.name == "event_end" and source.format and source.format.is_duration:
            duration, start = values["event_end"], values["event_start"]
            no_end = duration is None or start is None
            values["event_end"] = None if no_end else start + duration
