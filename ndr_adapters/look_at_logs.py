"""A look at the first records of logs, wherever they lie: which known source wrote them, or which columns they have."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any, Final

import polars as pl

from ndr_core.errors import UnreadableFileError, UsageError
from ndr_core.flows.log_sample import SAMPLE_BYTES, Sample, row_sample, samples_of
from ndr_core.flows.looks_like import LOOK_BYTES, without_records
from ndr_core.flows.presets.registry import PRESETS
from ndr_core.flows.recognition import Recognised, recognise_files
from ndr_core.flows.source import FlowSource, InputFile

_MOST_FILES: Final = 100
"""So many files are looked at, evenly of all."""
_ROWS: Final = 100
_PARQUET: Final = b"PAR1"


def look_at_logs(source: FlowSource, notice: Callable[[str], None]) -> Recognised:
    """Recognised at the first records of the files of a place.

    `notice`: as for `FlowSource.files`. Raises UsageError where there are no files, or none with records.
    """
    files = _some(source.files(notice))
    samples: dict[str, Sequence[Sample]] = {}
    problems = []
    for file in files:
        try:
            samples[file.name] = _samples(source, file)
        except UnreadableFileError as error:
            problems.append(f"{file.name}: {error}")
    if not samples:
        raise UsageError(problems[0])
    for problem in problems:
        notice(problem)
    look = recognise_files(samples, PRESETS)
    if look.sample is None:
        raise UsageError(_without_records(source, [file for file in files if file.name in samples]))
    return look


def _without_records(source: FlowSource, files: Sequence[InputFile]) -> str:
    """What the first file that is not empty is in place of records, or that all are empty."""
    heads = ((file, next(source.pieces(file), b"")[:LOOK_BYTES]) for file in files)
    file, head = next(((file, head) for file, head in heads if head), (files[0], b""))
    return f"{file.name}: {without_records(head)}"


def _some(files: Sequence[InputFile]) -> Sequence[InputFile]:
    """At most _MOST_FILES of the files, evenly spread."""
    step = -(-len(files) // _MOST_FILES) or 1
    return files[::step]


def _samples(source: FlowSource, file: InputFile) -> list[Sample]:
    pieces = source.pieces(file)
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= SAMPLE_BYTES:
            break
    if head.startswith(_PARQUET):
        return [row_sample(_rows(head + b"".join(pieces)))]
    return samples_of(head[:SAMPLE_BYTES])


def _rows(data: bytes) -> list[dict[str, Any]]:
    try:
        rows = pl.read_parquet(io.BytesIO(data), n_rows=_ROWS)
    except pl.exceptions.PolarsError as error:
        raise UnreadableFileError(f"Parquet, but {error}") from error
    if rows.is_empty():
        return [{name: _of_type(dtype) for name, dtype in rows.schema.items()}]
    return [
        {name: _plain(value) for name, value in row.items()} for row in rows.iter_rows(named=True)
    ]


def _of_type(dtype: object) -> Any:
    """What a column without values is in place of one: the names in an object are known."""
    if isinstance(dtype, pl.Struct):
        return {part.name: _of_type(part.dtype) for part in dtype.fields}
    return None


def _plain(value: Any) -> Any:
    """A value as JSON could have it: a time, a number of digits or bytes as text."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return (
        value if value is None or isinstance(value, bool | int | float | str | list) else str(value)
    )
