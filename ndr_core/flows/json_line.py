"""What a line of JSON means, written down once: text -> flow record, or why not.

`json_text` says what a line may look like, `object_reader` what the object on it means. Engines may read clean lines
in ways of their own, as long as the answer is the one given here.
"""

from __future__ import annotations

from ndr_core.flows.json_text import MAX_LINE_BYTES, cut_raw, is_too_long, line_text, parse_object
from ndr_core.flows.mapping import InputMapping
from ndr_core.flows.object_reader import Skipped
from ndr_core.flows.raw_record import Blank, Malformed, RawRecord
from ndr_core.flows.record_reader import BadRecord, ReadFlow, RecordReader


def read_json(line: bytes | str) -> Blank | Malformed | RawRecord:
    """Give the record on one line, given as bytes or as text that was valid UTF-8."""
    if is_too_long(line):
        return Malformed(cut_raw(line_text(line[: MAX_LINE_BYTES + 1])))
    raw = line_text(line)
    if not raw:
        return Blank()
    value = parse_object(line)
    return Malformed(cut_raw(raw)) if value is None else RawRecord(value, raw)


class LineReader:
    """Reads lines as flow records under one input mapping."""

    def __init__(self, mapping: InputMapping, key_columns: tuple[str, ...] = ()) -> None:
        """`key_columns`: source columns to read as text into `FlowRecord.keys`."""
        self._records = RecordReader(mapping, key_columns)

    def read(self, line: bytes | str) -> Blank | Malformed | Skipped | BadRecord | ReadFlow:
        """Meaning of one line, given as bytes or as text that was valid UTF-8."""
        return self._records.read(read_json(line))
