"""What the object of a record means, written down once: a flow record, or why there is none.

`values` says how a value is read as text or as an integer. An address is a string; one that is no address is
read as None, so that a quality rule can tell. A time:

===========  =======================================================================================
ISO-8601,    a string of that form that exists in the calendar; without an offset it is a time of the
pattern      mapping's time zone (UTC): of one that its clocks show twice the earlier, of one that they skip
             none; digits after the microseconds are cut
epoch,       a number, or a string that is one. In nanoseconds an integer is exact; else it is a double,
duration     in its unit. Rounded half up to us
===========  =======================================================================================

Times must lie in [0, 2^52) us, durations in (-2^52, 2^52) us. Of several formats the first that reads a value is
taken. A duration in `event_end` counts from the start, one in `event_start` back from the end.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from attrs import frozen

from ndr_core.flows.ip_address import canonical_ip
from ndr_core.flows.leaf import Leaf, value_at
from ndr_core.flows.mapping import FieldSource, InputMapping
from ndr_core.flows.record import FieldKind, FlowField, FlowRecord
from ndr_core.flows.time_format import ISO_PARTS, ISO_TIME, Format, TimeFormat, TimePattern
from ndr_core.flows.time_zone import ZoneOffsets, zone_offsets
from ndr_core.flows.values import BadValueError, integer_of, is_no_value, number_of, text_of
from ndr_core.flows.vocabulary import canonical_text
from ndr_core.times import SECOND_US, TIME_LIMIT_US, to_us

_NS_FORMATS: Final = (TimeFormat.EPOCH_NS, TimeFormat.DURATION_NS)
_NS_PER_US: Final = 1000

Read = Callable[[Any], Any]
"""Reads a value that is one; of several columns, their texts. Raises BadValueError."""
Inputs = tuple[tuple[Leaf, ...], ...]


@frozen
class Skipped:
    """A record that the mapping does not select."""


@frozen
class BadValue:
    """A record with a value that can't be read: that of `field`, the first at fault."""

    field: str


class ObjectReader:
    """Reads the objects of records as flow records, under one input mapping."""

    def __init__(self, mapping: InputMapping, key_columns: tuple[str, ...] = ()) -> None:
        """`key_columns`: source columns to read as text into `FlowRecord.keys`."""
        self._mapping = mapping
        self._null_values = frozenset(mapping.null_values)
        self._constants = mapping.constants()
        zone = None if mapping.timezone is None else zone_offsets(mapping.timezone)
        self._fields = [
            (flow_field.name, source.inputs, field_reader(flow_field, source, zone))
            for flow_field, source in mapping.bound_fields()
        ]
        self._key_columns = key_columns

    def read(self, value: Mapping[str, Any]) -> Skipped | BadValue | FlowRecord:
        """Meaning of the object of one record."""
        if not self._mapping.only.fits(value, self._null_values):
            return Skipped()
        found: dict[str, Any] = {"source_ip": None, "destination_ip": None, "event_start": None}
        found |= self._constants
        name = ""
        try:
            for name, inputs, read in self._fields:
                found[name] = self._field(inputs, read, value)
                if name == "event_end" and not self._resolve_duration(found):
                    return BadValue("event_start")
            keys = []
            for name in self._key_columns:
                key = value.get(name)
                keys.append(None if is_no_value(key, self._null_values) else text_of(key))
        except BadValueError:
            return BadValue(name)
        return FlowRecord(**found, keys=tuple(keys))

    def _field(self, inputs: Inputs, read: Read, record: Mapping[str, Any]) -> Any:
        values = [self._first(leaves, record) for leaves in inputs]
        if len(values) == 1:
            return None if values[0] is None else read(values[0])
        return read([None if value is None else text_of(value) for value in values])

    def _first(self, leaves: tuple[Leaf, ...], record: Mapping[str, Any]) -> Any:
        """The first of these values that is one; None where there is none."""
        for leaf in leaves:
            value = value_at(record, leaf)
            if not is_no_value(value, self._null_values):
                return value
        return None

    def _resolve_duration(self, found: dict[str, Any]) -> bool:
        """Put a time in place of a duration. Gives False where that is no time that a start can have."""
        start, end = found["event_start"], found["event_end"]
        unknown = start is None or end is None
        if self._is_duration("event_end"):
            found["event_end"] = None if unknown else start + end
        elif self._is_duration("event_start"):
            found["event_start"] = None if unknown else end - start
            return unknown or 0 <= end - start < TIME_LIMIT_US
        return True

    def _is_duration(self, name: str) -> bool:
        return name in self._mapping.fields and self._mapping.fields[name].is_duration


def field_reader(flow_field: FlowField, source: FieldSource, zone: ZoneOffsets | None) -> Read:
    """Give what reads the value of a field; of a map of several columns, their texts."""
    match flow_field.kind:
        case FieldKind.INTEGER:
            return integer_of
        case FieldKind.IP:
            return _address
        case FieldKind.TIMESTAMP:
            return _time_reader(source, zone)
    value_map = source.map
    if value_map is None:
        return lambda value: _written(flow_field, text_of(value))
    if len(source.inputs) > 1:
        return lambda texts: _written(flow_field, value_map.lookup(texts))
    return lambda value: _written(flow_field, value_map.lookup([text_of(value)]))


def _written(flow_field: FlowField, text: str | None) -> str | None:
    """A text in the way of records."""
    return None if text is None else canonical_text(flow_field.name, text)


def _address(value: Any) -> str | None:
    if not isinstance(value, str):
        raise BadValueError
    return canonical_ip(value)


def _time_reader(source: FieldSource, zone: ZoneOffsets | None) -> Read:
    readers = [_format_reader(one, zone) for one in source.format]
    lowest = 1 - TIME_LIMIT_US if source.is_duration else 0

    def read(value: Any) -> int:
        for reader in readers:
            micros = reader(value)
            if micros is not None and lowest <= micros < TIME_LIMIT_US:
                return micros
        raise BadValueError

    return read


def _format_reader(one: Format, zone: ZoneOffsets | None) -> Callable[[Any], int | None]:
    """What reads a value in one format; None for a value that has another one."""
    match one:
        case TimePattern():
            return _text_reader(re.compile(one.expression), one.parts, zone)
        case TimeFormat.ISO8601:
            return _text_reader(re.compile(ISO_TIME), ISO_PARTS, zone)
    return lambda value: _scaled(value, one)


def _scaled(value: Any, time_format: TimeFormat) -> int | None:
    if isinstance(value, str):
        try:
            value = number_of(value)
        except BadValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    in_ns = time_format in _NS_FORMATS
    if in_ns and isinstance(value, int):
        return (value + _NS_PER_US // 2) // _NS_PER_US
    try:
        number = float(value)
    except OverflowError:  # an integer beyond the doubles
        return None
    scaled = (number / _NS_PER_US if in_ns else number * float(time_format.unit_us)) + 0.5
    return math.floor(scaled) if math.isfinite(scaled) else None


def _text_reader(
    pattern: re.Pattern[str], parts: str, zone: ZoneOffsets | None
) -> Callable[[Any], int | None]:
    def read(value: Any) -> int | None:
        found = pattern.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            return None
        return _moment(dict(zip(parts, found.groups(), strict=True)), zone)

    return read


def _moment(parts: Mapping[str, str | None], zone: ZoneOffsets | None) -> int | None:
    """us of a time, by the letters of its parts; None where the calendar, or the zone, does not have it."""
    numbers = {letter: int(text) for letter, text in parts.items() if letter in "YmdHMS" and text}
    try:
        day = datetime(numbers["Y"], numbers["m"], numbers["d"], tzinfo=UTC)
    except ValueError:
        return None
    seconds = to_us(day) // SECOND_US
    seconds += numbers.get("H", 0) * 3600 + numbers.get("M", 0) * 60 + numbers.get("S", 0)
    offset = _offset(parts.get("z"), seconds, zone)
    if offset is None:
        return None
    return (seconds - offset) * SECOND_US + int((parts.get("f") or "0")[:6].ljust(6, "0"))


def _offset(text: str | None, local: int, zone: ZoneOffsets | None) -> int | None:
    """Seconds east of UTC."""
    if text is None:
        return 0 if zone is None else zone.offset_at(local)
    digits = text.strip().replace(":", "")
    if digits in ("Z", "z", "UTC"):
        return 0
    east = int(digits[1:3]) * 3600 + int(digits[3:5] or 0) * 60
    return -east if digits[0] == "-" else east
