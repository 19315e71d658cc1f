"""Which records are read: the conditions of `input.only`, over columns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import polars as pl

from ndr_core.flows.outcome import READ, SKIPPED
from ndr_core.flows.selection import Condition


def outcome_where(conditions: Sequence[pl.Expr]) -> pl.Expr:
    """READ where all conditions hold, else SKIPPED."""
    if not conditions:
        return pl.lit(READ, dtype=pl.Int64)
    is_selected = reduce(lambda left, right: left & right, conditions)
    return pl.when(is_selected).then(READ).otherwise(SKIPPED).cast(pl.Int64)


def fits(condition: Condition, value: pl.Expr) -> pl.Expr:
    """Whether a value, null where it is none, is as a condition says."""
    if condition.present is not None:
        return value.is_not_null() if condition.present else value.is_null()
    return value.is_in(list(condition.values)).fill_null(False)
