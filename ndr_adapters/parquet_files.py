"""Parquet files -> frames of rows, and the objects that the rows stand for."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any, Final

import polars as pl
from polars.exceptions import PanicException, PolarsError

from ndr_core.errors import UnreadableFileError
from ndr_core.flows.file_format import PARQUET, not_read_as
from ndr_core.flows.looks_like import LOOK_BYTES, look_at
from ndr_core.flows.parquet_rows import (
    ArrayOf,
    MapOf,
    ObjectOf,
    RowType,
    Scalar,
    TimeIn,
    Unit,
    row_object,
    type_problem,
)

ROWS: Final = 1 << 17
"""Held at once, at most."""
_MAGIC: Final = b"PAR1"
_UNITS: Final = {"ms": Unit.MS, "us": Unit.US, "ns": Unit.NS}


def read_rows(pieces: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Give the objects of the rows of a Parquet file by its bytes. Raises as `row_frames`."""
    for frame in row_frames(pieces):
        yield from row_objects(frame)


def row_frames(pieces: Iterable[bytes]) -> Iterator[pl.DataFrame]:
    """Give the rows of a Parquet file by its bytes, some after the other.

    Raises UnreadableFileError where it is none, is broken, or has a column of a type that stands for no value of
    JSON.
    """
    data = b"".join(pieces)
    if not data:
        return
    if not data.startswith(_MAGIC):
        look = look_at(data[:LOOK_BYTES])
        raise UnreadableFileError(not_read_as("data" if look is None else look.what, PARQUET))
    try:
        scan = pl.scan_parquet(io.BytesIO(data), glob=False, hive_partitioning=False)
        types_of(scan.collect_schema())
        rows = scan.select(pl.len()).collect(engine="in-memory").item()
        for start in range(0, rows, ROWS):
            yield scan.slice(start, ROWS).collect(engine="in-memory")
    except (PolarsError, PanicException) as error:
        raise UnreadableFileError(f"can't be read as Parquet: {error}") from error


def row_objects(frame: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Give the objects of rows."""
    types = types_of(frame.schema)
    # Polars takes some names of columns for patterns of names.
    held = frame.select(_held(pl.nth(n), dtype) for n, dtype in enumerate(frame.dtypes))
    for row in held.iter_rows():
        yield row_object(dict(zip(frame.columns, row, strict=True)), types)


def types_of(schema: pl.Schema) -> ObjectOf:
    """Give the types of columns. Raises UnreadableFileError, naming it, for one that stands for no value of JSON."""
    found = {}
    for name, dtype in schema.items():
        kind = _type_of(dtype)
        if kind is None:
            raise UnreadableFileError(type_problem(name, str(dtype)))
        found[name] = kind
    return ObjectOf(found)


def _type_of(dtype: pl.DataType) -> RowType | None:
    match dtype:
        case pl.Datetime():
            return TimeIn(_UNITS[dtype.time_unit], is_local=dtype.time_zone is None)
        case pl.Decimal():
            return Scalar.DECIMAL
        case pl.Binary():
            return Scalar.BINARY
        case pl.Struct():
            members = {one.name: _type_of(_instance(one.dtype)) for one in dtype.fields}
            known = {name: kind for name, kind in members.items() if kind is not None}
            return ObjectOf(known) if len(known) == len(members) else None
        case pl.List() | pl.Array():
            item = _type_of(_instance(dtype.inner))
            return None if item is None else ArrayOf(item)
        case pl.Map():
            value = _type_of(_instance(dtype.value))
            is_text = _instance(dtype.key) == pl.String()
            return MapOf(value) if is_text and value is not None else None
        case pl.String() | pl.Categorical() | pl.Enum() | pl.Boolean() | pl.Null():
            return Scalar.PLAIN
    if dtype.is_float():
        return Scalar.FLOAT
    return Scalar.PLAIN if dtype.is_integer() else None


def _instance(dtype: Any) -> pl.DataType:
    """A type that Polars may give as a class."""
    found: pl.DataType = dtype() if isinstance(dtype, type) else dtype
    return found


def _held(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A column as the core takes it: times as numbers of their unit. Polars ends the process on other casts of some."""
    as_numbers = _without_times(dtype)
    return column if as_numbers == dtype else column.cast(as_numbers)


def _without_times(dtype: pl.DataType) -> pl.DataType:
    """A type with integers in place of its times."""
    match dtype:
        case pl.Datetime():
            return pl.Int64()
        case pl.Struct():
            members = {one.name: _without_times(_instance(one.dtype)) for one in dtype.fields}
            return pl.Struct(members)
        case pl.List():
            return pl.List(_without_times(_instance(dtype.inner)))
        case pl.Map():
            return pl.Map(dtype.key, _without_times(_instance(dtype.value)))
        case pl.Array():
            return pl.Array(_without_times(_instance(dtype.inner)), dtype.size)
    return dtype
