"""The records of a file, in whatever format: each as one object, with the texts that are kept of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from ndr_core.errors import UsageError
from ndr_core.flows.delimited import PATH, headed, read_delimited
from ndr_core.flows.formats import FileFormat
from ndr_core.flows.json_line import read_json
from ndr_core.flows.line_blocks import lines_of
from ndr_core.flows.mapping import InputMapping
from ndr_core.flows.raw_record import Blank, Malformed, RawRecord, object_text

ReadRows: TypeAlias = Callable[[Iterable[bytes]], Iterator[Mapping[str, Any]]]
"""Gives the objects of the rows of a Parquet file (`parquet_rows`) by the file's bytes.

Raises UnreadableFileError where they are none, or hold a column of a type that stands for no value of JSON."""


def records_of(
    blocks: Iterable[bytes], mapping: InputMapping, read_rows: ReadRows
) -> Iterator[Blank | Malformed | RawRecord]:
    """Give the records of one file. `blocks`: its bytes; of lines, whole ones."""
    match mapping.format:
        case FileFormat.JSON:
            for line in lines_of(blocks):
                yield read_json(line)
        case FileFormat.DELIMITED:
            for header, block in headed(blocks, mapping.layout):
                for line in lines_of([block]):
                    yield read_delimited(line, header)
        case _:  # rows of Parquet
            for row in read_rows(blocks):
                yield RawRecord(row, object_text(row))


def objects_of(
    blocks: Iterable[bytes], mapping: InputMapping, read_rows: ReadRows
) -> Iterator[Mapping[str, Any]]:
    """Give the objects of the records of one file of delimited lines or rows, but for what is surely not selected.

    For a first look: a file that Zeek wrote of other things than those to read may be a large one.
    """
    if mapping.format is FileFormat.PARQUET:
        yield from read_rows(blocks)
        return
    for header, block in headed(blocks, mapping.layout):
        if header.path is None or _may_select(header.path, mapping):
            found = (read_delimited(line, header) for line in lines_of([block]))
            yield from (record.value for record in found if isinstance(record, RawRecord))


def _may_select(path: str, mapping: InputMapping) -> bool:
    """Whether records of one of Zeek's logs are among those to read."""
    return all(
        condition.fits({PATH: path}, mapping.null_values)
        for condition in mapping.only.conditions
        if condition.leaf == (PATH,)
    )


def no_rows(_blocks: Iterable[bytes]) -> Iterator[Mapping[str, Any]]:
    """Stand in for what reads Parquet, where nothing does. Raises UsageError."""
    raise UsageError(
        "input.format: parquet is read by Polars, which is not installed here; `ndr pipeline package` adds it to a "
        "deployed job"
    )
    yield from ()  # as all that read rows
