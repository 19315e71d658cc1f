"""Rows chosen by small numbers: to look a number up by its place is faster than to join."""

from __future__ import annotations

import polars as pl


def marks(numbers: pl.Series, size: int) -> pl.Series:
    """Give, for each number below `size`, whether it is one of some numbers."""
    return pl.repeat(False, size, dtype=pl.Boolean, eager=True).scatter(numbers, True)
