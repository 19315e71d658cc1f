"""The texts of the objects that rows of Parquet stand for, by Polars where it provably writes them as the core does."""

from __future__ import annotations

import json
from typing import Final

import polars as pl

from ndr_adapters.parquet_files import row_objects
from ndr_adapters.polars.instants import instant_us
from ndr_core.flows.raw_record import object_text
from ndr_core.times import TIME_LIMIT_US

_FEW: Final = 100
"""Rows that are not worth a query of their own."""
_ESCAPED: Final = r'["\\\x00-\x1f]'
"""What JSON writes otherwise inside a string."""
_SMALLEST, _LARGEST = 1e-3, 1e15
"""Doubles whose shortest text has no exponent, whoever writes it."""
_SECONDS: Final = "%Y-%m-%dT%H:%M:%S%.6f"


def row_texts(rows: pl.DataFrame) -> pl.Series:
    """Give the texts of the objects of rows."""
    pieces: list[pl.Expr] = []
    for number, (name, dtype) in enumerate(rows.schema.items()):
        column = pl.nth(number)
        part = _part(column, dtype)
        if part is None or rows.height < _FEW:
            return _by_the_core(rows)
        key = json.dumps(name, ensure_ascii=False)
        written = pl.when(column.is_null()).then(pl.lit("null")).otherwise(part)
        pieces += [pl.lit(f"{',' if number else '{'}{key}:"), written]
    if not pieces:
        return _by_the_core(rows)
    # A part is null where only the core can write it, and so is the whole then.
    texts = rows.select(pl.concat_str(*pieces, pl.lit("}"))).to_series()
    left = texts.is_null().arg_true()
    if left.is_empty():
        return texts
    return texts.scatter(left, _by_the_core(rows[left]))


def _by_the_core(rows: pl.DataFrame) -> pl.Series:
    return pl.Series(map(object_text, row_objects(rows)), dtype=pl.String)


def _part(column: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    """A value as JSON, null where only the core can tell; None for a type of which only the core can."""
    match dtype:
        case pl.String() | pl.Categorical() | pl.Enum():
            text = column.cast(pl.String)
            return pl.when(~text.str.contains(_ESCAPED)).then(_quoted(text))
        case pl.Boolean() | pl.Null():
            return column.cast(pl.String)
        case pl.Decimal():
            return _quoted(column.cast(pl.String))
        case pl.Binary():
            return _quoted(column.bin.encode("hex"))
        case pl.Datetime():
            number = instant_us(column, dtype)
            in_range = pl.when((number >= 0) & (number < TIME_LIMIT_US)).then(number)
            text = in_range.cast(pl.Datetime("us")).dt.strftime(_SECONDS)
            return pl.format('"{}{}"', text, pl.lit(_zone(dtype)))
    if dtype.is_integer():
        return column.cast(pl.String)
    if dtype.is_float():
        double = column.cast(pl.Float64)
        size = double.abs()
        plain = (size >= _SMALLEST) & (size < _LARGEST)
        return pl.when(plain).then(double.cast(pl.String))
    return None


def _quoted(text: pl.Expr) -> pl.Expr:
    return pl.format('"{}"', text)


def _zone(dtype: pl.Datetime) -> str:
    return "" if dtype.time_zone is None else "Z"
