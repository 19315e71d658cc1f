"""Slices: spans of time that deltas are built for, and the folders that hold them."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from ndr_core.errors import SpecError
from ndr_core.expressions.expr import Expr, col, lit
from ndr_core.tables.columns import ColumnType, OutputColumn, key_column
from ndr_core.times import LAST_DAY, MINUTE_US, TIME_LIMIT_US, to_datetime

SLICE_US: Final = 15 * MINUTE_US

SLICE_COLUMNS: Final[tuple[OutputColumn, ...]] = (
    key_column("feature_spec_version", ColumnType.STRING, "version of the features"),
    key_column("dt", ColumnType.STRING, "UTC date of slice_start_ts, YYYY-MM-DD"),
    key_column("hh", ColumnType.STRING, "UTC hour of slice_start_ts, 00..23"),
    key_column("mm", ColumnType.STRING, "UTC minute of slice_start_ts, 00..59"),
)
"""What the folders of a slice spell, outermost first: every table lies in folders of these levels."""

SLICE_LEVELS: Final = tuple(column.name for column in SLICE_COLUMNS)

TIME_LEVELS: Final = {"dt": "%Y-%m-%d", "hh": "%H", "mm": "%M"}
"""Level -> the start of the slice as it spells it, in the language of `strftime`."""


@frozen
class SliceBounds:
    """The one slice that a run is for: us since 1970-01-01 UTC, `start` inclusive, `end` exclusive."""

    start: int
    end: int

    def __attrs_post_init__(self) -> None:
        """Raise SpecError for bounds that make no slice."""
        for name, bound in (("slice-start", self.start), ("slice-end", self.end)):
            if not 0 <= bound < TIME_LIMIT_US:
                raise SpecError(
                    f"{name}: lies outside the times that records can have, 1970-01-01 to {LAST_DAY}"
                )
        if self.end <= self.start:
            raise SpecError("slice bounds: slice-end must be later than slice-start")
        if self.start % MINUTE_US:
            raise SpecError("slice-start: must be a whole minute, as it becomes an output path")


def slice_start(bounds: SliceBounds | None) -> Expr:
    """Give the start of a flow's slice, us, over `event_start`."""
    return col("event_start") // SLICE_US * SLICE_US if bounds is None else lit(bounds.start)


def slice_end(bounds: SliceBounds | None) -> Expr:
    """Give the end of a slice, us, over `slice_start`."""
    return col("slice_start") + SLICE_US if bounds is None else lit(bounds.end)


def partition_of(slice_start_us: int) -> dict[str, str]:
    """Give the levels dt, hh, mm of a slice's folder."""
    moment = to_datetime(slice_start_us)
    return {level: moment.strftime(pattern) for level, pattern in TIME_LEVELS.items()}


def slice_path(feature_spec_version: str, slice_start_us: int) -> str:
    """Give the folder of a slice below its table: `feature_spec_version=../dt=../hh=../mm=..`."""
    levels = {"feature_spec_version": feature_spec_version, **partition_of(slice_start_us)}
    return "/".join(f"{key}={value}" for key, value in levels.items())
