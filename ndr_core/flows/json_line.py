"""What a line of JSON means, written down once: text -> flow record, or why not.

`json_text` says what a line may look like, `object_reader` what the object on it means. Engines may read clean lines
in ways of their own, as long as the answer is the one given here.
"""

from __future__ import annotations

from attrs import frozen

from ndr_core.flows.json_text import MAX_LINE_BYTES, cut_raw, is_too_long, line_text, parse_object
from ndr_core.flows.mapping import InputMapping
from ndr_core.flows.object_reader import BadValue, ObjectReader, Skipped
from ndr_core.flows.record import FlowRecord


@frozen
class Blank:
    """A line with nothing on it."""


@frozen
class Malformed:
    """A line that is no record of the format; `raw` is its text, cut."""

    raw: str


@frozen
class BadRecord:
    """A record with a value that can't be read: that of `field`, the first at fault; `raw` is its text, cut."""

    raw: str
    field: str


@frozen
class ReadFlow:
    """A line that holds a flow record; `raw` is its text, uncut."""

    flow: FlowRecord
    raw: str


class LineReader:
    """Reads lines as flow records under one input mapping."""

    def __init__(self, mapping: InputMapping, key_columns: tuple[str, ...] = ()) -> None:
        """`key_columns`: source columns to read as text into `FlowRecord.keys`."""
        self._objects = ObjectReader(mapping, key_columns)

    def read(self, line: bytes | str) -> Blank | Malformed | Skipped | BadRecord | ReadFlow:
        """Meaning of one line, given as bytes or as text that was valid UTF-8."""
        if is_too_long(line):
            return Malformed(cut_raw(line_text(line[: MAX_LINE_BYTES + 1])))
        raw = line_text(line)
        if not raw:
            return Blank()
        value = parse_object(line)
        if value is None:
            return Malformed(cut_raw(raw))
        match self._objects.read(value):
            case Skipped() as skipped:
                return skipped
            case BadValue(field):
                return BadRecord(cut_raw(raw), field)
            case flow:
                return ReadFlow(flow, raw)
