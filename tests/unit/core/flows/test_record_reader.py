"""A record is read with its texts, cut where it is rejected and whole where it is not."""

from __future__ import annotations

from ndr_core.flows.json_text import MAX_RAW_BYTES
from ndr_core.flows.mapping import FieldSource, InputMapping
from ndr_core.flows.object_reader import Skipped
from ndr_core.flows.raw_record import Blank, Malformed, RawRecord
from ndr_core.flows.record_reader import BadRecord, ReadFlow, RecordReader
from ndr_core.flows.selection import Condition, Selection

LONG = "x" * (MAX_RAW_BYTES + 1)
READER = RecordReader(
    InputMapping(
        {"source_port": FieldSource("port")},
        only=Selection((Condition(("port",), present=True),)),
    )
)


def test_what_is_no_record_stays_what_it_is() -> None:
    assert READER.read(Blank()) == Blank()
    assert READER.read(Malformed("x")) == Malformed("x")
    assert READER.read(RawRecord({}, "{}")) == Skipped()


def test_the_texts_of_a_bad_record_are_cut() -> None:
    bad = READER.read(RawRecord({"port": []}, LONG, LONG))

    assert bad == BadRecord(LONG[:-1], "source_port", LONG[:-1])
    assert READER.read(RawRecord({"port": []}, "x")) == BadRecord("x", "source_port")


def test_the_texts_of_a_flow_are_whole() -> None:
    found = READER.read(RawRecord({"port": 443}, LONG, LONG))

    assert isinstance(found, ReadFlow)
    assert (found.flow.source_port, found.raw, found.object) == (443, LONG, LONG)
