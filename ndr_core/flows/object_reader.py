"""What the object of a record means, written down once: a flow record, or why there is none.

`values` says how a value is read as text or as an integer. An address is a string; one that is no address is
read as None, so that a quality rule can tell. `time_reader` says how a time is read.

A duration in `event_end` counts from the start, one in `event_start` back from the end; where both are durations
neither is known. What comes of that must be a time that can be. Where the start is read from a duration or else from
the end's place, a value that is the same as the end's is no duration, whatever its format: it is the one time that is
known, of the start; the end is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from ndr_core.flows.ip_address import canonical_ip
from ndr_core.flows.leaf import Leaf, value_at
from ndr_core.flows.mapping import FieldSource, InputMapping
from ndr_core.flows.record import FieldKind, FlowField, FlowRecord
from ndr_core.flows.time_reader import Taken, time_reader
from ndr_core.flows.time_zone import ZoneOffsets, zone_offsets
from ndr_core.flows.values import BadValueError, integer_of, is_no_value, text_of
from ndr_core.flows.vocabulary import canonical_text
from ndr_core.times import TIME_LIMIT_US

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
        self._start_may_be_end = mapping.start_may_be_end
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
                if name == "event_end" and (fault := self._resolve_durations(found)) is not None:
                    return BadValue(fault)
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

    def _resolve_durations(self, found: dict[str, Any]) -> str | None:
        """Put times in place of durations. Gives the field whose time is none that can be then, if there is one."""
        start, end = found["event_start"], found["event_end"]
        if isinstance(end, Taken):
            known = not (start is None or isinstance(start, Taken))
            end = found["event_end"] = start + end.us if known else None
            if not _can_be(end):
                return "event_end"
        if self._start_may_be_end and start is not None:
            us = start.us if isinstance(start, Taken) else start
            if us == end:
                found |= {"event_start": us, "event_end": None}
                return None
        if isinstance(start, Taken):
            start = found["event_start"] = None if end is None else end - start.us
            if not _can_be(start):
                return "event_start"
        return None


def _can_be(time_us: int | None) -> bool:
    """Whether a time is one that a record can have, or none."""
    return time_us is None or 0 <= time_us < TIME_LIMIT_US


def field_reader(flow_field: FlowField, source: FieldSource, zone: ZoneOffsets | None) -> Read:
    """Give what reads the value of a field; of a map of several columns, their texts."""
    match flow_field.kind:
        case FieldKind.INTEGER:
            return integer_of
        case FieldKind.IP:
            return _address
        case FieldKind.TIMESTAMP:
            return time_reader(source.format, zone)
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
