"""Columns of timestamps -> us since 1970, by integers alone: Polars' own casts end the process on some."""

from __future__ import annotations

from typing import Final

import polars as pl

from ndr_core.times import TIME_LIMIT_US

_US_PER_MS: Final = 1000
_NS_PER_US: Final = 1000


def instant_us(column: pl.Expr, dtype: pl.Datetime) -> pl.Expr:
    """us of timestamps, digits after them cut; null where that is far out of range."""
    number = column.cast(pl.Int64)
    match dtype.time_unit:
        case "ns":
            return number // _NS_PER_US
        case "ms":
            limit = TIME_LIMIT_US // _US_PER_MS + 1
            return pl.when(number.is_between(-limit, limit)).then(number) * _US_PER_MS
    return number
