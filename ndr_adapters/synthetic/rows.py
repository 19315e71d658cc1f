"""Files of Parquet with the rows of synthetic mini-batches."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import polars as pl

from ndr_adapters.synthetic.form import Columns

_ROWS: Final = 1 << 15
"""Held as objects at once, at most: they take far more memory than columns."""
_TYPES: Final[Mapping[str, Any]] = {"string": pl.String, "int32": pl.Int32, "int64": pl.Int64}


def parquet_file(lines: Iterable[bytes], columns: Columns) -> bytes:
    """Give the bytes of a Parquet file with these columns; `lines`: a row each, as JSON. Same lines, same bytes."""
    found = io.BytesIO()
    pl.concat(_frames(iter(lines), columns)).write_parquet(found)
    return found.getvalue()


def _frames(lines: Iterator[bytes], columns: Columns) -> Iterator[pl.DataFrame]:
    kind = _struct(columns)
    yield pl.Series(dtype=kind).struct.unnest()
    while rows := [json.loads(line) for line in islice(lines, _ROWS)]:
        yield pl.Series(rows, dtype=kind).struct.unnest()


def _struct(columns: Columns) -> pl.Struct:
    return pl.Struct(
        {
            name: _TYPES[kind] if isinstance(kind, str) else _struct(kind)
            for name, kind in columns.items()
        }
    )
