"""What a record means: a flow record, or why there is none, with the texts that are kept of it."""

from __future__ import annotations

from attrs import frozen

from ndr_core.flows.json_text import cut_raw
from ndr_core.flows.mapping import InputMapping
from ndr_core.flows.object_reader import BadValue, ObjectReader, Skipped
from ndr_core.flows.raw_record import Blank, Malformed, RawRecord
from ndr_core.flows.record import FlowRecord


@frozen
class BadRecord:
    """A record with a value that can't be read: that of `field`, the first at fault; `raw` is its text, cut."""

    raw: str
    field: str
    object: str | None = None
    """The text of its object, cut, where `raw` is another text."""


@frozen
class ReadFlow:
    """A record that holds a flow record; `raw` is its text, uncut."""

    flow: FlowRecord
    raw: str
    object: str | None = None
    """The text of its object, uncut, where `raw` is another text."""


class RecordReader:
    """Reads records as flow records under one input mapping."""

    def __init__(self, mapping: InputMapping, key_columns: tuple[str, ...] = ()) -> None:
        """`key_columns`: source columns to read as text into `FlowRecord.keys`."""
        self._objects = ObjectReader(mapping, key_columns)

    def read(
        self, record: Blank | Malformed | RawRecord
    ) -> Blank | Malformed | Skipped | BadRecord | ReadFlow:
        """Meaning of one record; what is none stays as it is."""
        if not isinstance(record, RawRecord):
            return record
        match self._objects.read(record.value):
            case Skipped() as skipped:
                return skipped
            case BadValue(field):
                text = None if record.object is None else cut_raw(record.object)
                return BadRecord(cut_raw(record.raw), field, text)
            case flow:
                return ReadFlow(flow, record.raw, record.object)
