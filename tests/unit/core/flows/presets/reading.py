"""Fixtures read as a JobSpec with the preset, in the form of the file, reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ndr_core.deltas.spec_reader import parse_job_spec
from ndr_core.flows.delimited import headed, read_delimited
from ndr_core.flows.formats import FileFormat
from ndr_core.flows.line_blocks import lines_of
from ndr_core.flows.mapping import InputMapping
from ndr_core.flows.object_reader import BadValue, ObjectReader, Skipped
from ndr_core.flows.presets.registry import PRESETS
from ndr_core.flows.raw_record import RawRecord
from ndr_core.flows.record import FLOW_FIELDS, FlowRecord
from ndr_core.times import iso_text

FIXTURES = Path(__file__).parents[4] / "fixtures"

Found = Skipped | BadValue | FlowRecord


def mapping_of(preset: str, form: str) -> InputMapping:
    """The mapping of a JobSpec for a form."""
    (settings,) = (one.settings for one in PRESETS[preset].forms if one.name == form)
    return parse_job_spec({"project_name": "p", "input": {"preset": preset, **settings}}).input


def read(file: str, form: str) -> list[Found]:
    """What each record of a fixture is; `file`: below the fixtures, in a folder with the name of the preset."""
    mapping = mapping_of(file.partition("/")[0], form)
    return read_objects(mapping, _objects((FIXTURES / file).read_bytes(), mapping))


def read_objects(mapping: InputMapping, objects: Iterator[Mapping[str, Any]]) -> list[Found]:
    """What each of these objects is."""
    reader = ObjectReader(mapping)
    return [reader.read(value) for value in objects]


def _objects(data: bytes, mapping: InputMapping) -> Iterator[Mapping[str, Any]]:
    if mapping.format is FileFormat.JSON:
        yield from map(json.loads, data.splitlines())
        return
    for header, block in headed([data], mapping.layout):
        for line in lines_of([block]):
            record = read_delimited(line, header)
            assert isinstance(record, RawRecord)
            yield record.value


def flows(file: str, form: str) -> list[FlowRecord]:
    """The flow records of a fixture; nothing of it is a bad value."""
    found = read(file, form)
    assert not any(isinstance(one, BadValue) for one in found)
    return [one for one in found if isinstance(one, FlowRecord)]


def values(field: str, records: Sequence[Found]) -> list[Any]:
    """The values of a field; times as text."""
    is_time = field in ("event_start", "event_end")
    found = [getattr(record, field) for record in records]
    return [iso_text(value) if is_time and value is not None else value for value in found]


def unmapped(preset: str) -> set[str]:
    """Fields that a preset leaves null."""
    return {field.name for field in FLOW_FIELDS} - set(PRESETS[preset].mapping.fields)
