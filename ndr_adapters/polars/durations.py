"""Starts and ends that are given by durations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from ndr_core.times import TIME_LIMIT_US

Took = pl.Expr | bool
"""Whether a value is the time that a session took, in place of its start or its end."""

_NOTHING: Final = pl.lit(None, dtype=pl.Int64)


def resolved_durations(
    values: Mapping[str, pl.Expr], took: Mapping[str, Took], start_may_be_end: bool
) -> dict[str, pl.Expr]:
    """The times that stand in place of durations; of fields that hold some.

    `start_may_be_end`: whether a start with the end's value is that time, and no end is known then.
    """
    start, end = values.get("event_start"), values.get("event_end")
    took_start, took_end = took.get("event_start", False), took.get("event_end", False)
    found: dict[str, pl.Expr] = {}
    if end is not None and took_end is not False:
        begins = pick(took_start, _NOTHING, _NOTHING if start is None else start)
        end = found["event_end"] = pick(took_end, begins + end, end)
    if start is not None and took_start is not False:
        ends = _NOTHING if end is None else end
        found["event_start"] = pick(took_start, ends - start, start)
    if start_may_be_end and start is not None and end is not None:
        is_end = (start == end).fill_null(False)
        begins = found.get("event_start", start)
        found["event_start"] = pl.when(is_end).then(end).otherwise(begins)
        found["event_end"] = pl.when(~is_end).then(end)
    return found


def pick(took: Took, of_duration: pl.Expr, of_time: pl.Expr) -> pl.Expr:
    """One of two values, by whether something is a duration."""
    if isinstance(took, bool):
        return of_duration if took else of_time
    return pl.when(took).then(of_duration).otherwise(of_time)


def can_be_resolved(resolved: Mapping[str, pl.Expr]) -> list[pl.Expr]:
    """Whether each time that stands in place of a duration is one that can be, or null."""
    return [((time >= 0) & (time < TIME_LIMIT_US)).fill_null(True) for time in resolved.values()]
