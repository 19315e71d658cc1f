"""Starts and ends that are given by durations."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ndr_core.deltas.plan import DeltaPlan
from ndr_core.times import TIME_LIMIT_US


def resolved_durations(plan: DeltaPlan, values: Mapping[str, pl.Expr]) -> dict[str, pl.Expr]:
    """The time that stands in place of a duration, if there is one among the values."""
    start, end = values.get("event_start"), values.get("event_end")
    nothing = pl.lit(None, dtype=pl.Int64)
    if end_is_duration(plan) and end is not None:
        return {"event_end": nothing if start is None else start + end}
    if start_is_duration(plan) and start is not None:
        return {"event_start": nothing if end is None else end - start}
    return {}


def start_can_be(start: pl.Expr) -> pl.Expr:
    """Whether a start that was counted back from an end is one that can be, or null."""
    return ((start >= 0) & (start < TIME_LIMIT_US)).fill_null(True)


def start_is_duration(plan: DeltaPlan) -> bool:
    """Whether the source has a duration in place of the start."""
    return _is_duration(plan, "event_start")


def end_is_duration(plan: DeltaPlan) -> bool:
    """Whether the source has a duration in place of the end."""
    return _is_duration(plan, "event_end")


def _is_duration(plan: DeltaPlan, name: str) -> bool:
    source = plan.input.fields.get(name)
    return source is not None and source.is_duration
