"""Slices: spans of time that tables hold rows of, and the folders that hold them.

A table of slices lies in folders `dt=../hh=../mm=..`, a table of days in folders `dt=..`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import takewhile
from typing import Final

from attrs import frozen

from ndr_core.errors import SpecError
from ndr_core.expressions.expr import Expr, col
from ndr_core.tables.columns import ColumnType, OutputColumn, key_column
from ndr_core.times import LAST_DAY, MINUTE_US, TIME_LIMIT_US, iso_text, to_datetime, to_us

SLICE_MINUTES_KEY: Final = "delta.slice_minutes"
"""The key of a run's meaning that tells the length of its slices."""

SLICE_MINUTES: Final = 15
"""The length of a slice where a spec says nothing else."""

SLICE_COLUMNS: Final[tuple[OutputColumn, ...]] = (
    key_column("feature_spec_version", ColumnType.STRING, "version of the features"),
    key_column("dt", ColumnType.STRING, "UTC date of slice_start_ts, YYYY-MM-DD"),
    key_column("hh", ColumnType.STRING, "UTC hour of slice_start_ts, 00..23"),
    key_column("mm", ColumnType.STRING, "UTC minute of slice_start_ts, 00..59"),
)
"""What the folders of a slice spell, outermost first: every table lies in folders of these levels."""

SLICE_LEVELS: Final = tuple(column.name for column in SLICE_COLUMNS)

DAY_COLUMNS: Final = SLICE_COLUMNS[:2]
"""What the folders of a day spell."""

DAY_LEVELS: Final = tuple(column.name for column in DAY_COLUMNS)

TIME_LEVELS: Final = {"dt": "%Y-%m-%d", "hh": "%H", "mm": "%M"}
"""Level -> the start of the slice as it spells it, in the language of `strftime`."""


@frozen
class SliceBounds:
    """The span of slices that a run is for: us since 1970-01-01 UTC, `start` inclusive, `end` exclusive."""

    start: int
    end: int

    def __attrs_post_init__(self) -> None:
        """Raise SpecError for bounds that make no span."""
        for name, bound in (("slice-start", self.start), ("slice-end", self.end)):
            if not 0 <= bound < TIME_LIMIT_US:
                raise SpecError(
                    f"{name}: lies outside the times that records can have, 1970-01-01 to {LAST_DAY}"
                )
        if self.end <= self.start:
            raise SpecError("slice bounds: slice-end must be later than slice-start")

    def refuse_off_grid(self, slice_minutes: int) -> None:
        """Raise SpecError for a bound at which no slice of so many minutes begins."""
        grid = slice_minutes * MINUTE_US
        for name, bound in (("slice-start", self.start), ("slice-end", self.end)):
            if bound % grid:
                before = bound // grid * grid
                raise SpecError(
                    f"{name}: {iso_text(bound)} is no border of slices, which last {slice_minutes} min "
                    f"(delta.slice_minutes); next to it are {iso_text(before)} and {iso_text(before + grid)}"
                )


def slice_start(slice_minutes: int) -> Expr:
    """Give the start of a flow's slice, us, over its `moment`."""
    grid = slice_minutes * MINUTE_US
    return col("moment") // grid * grid


def slice_end(slice_minutes: int) -> Expr:
    """Give the end of a slice, us, over `slice_start`."""
    return col("slice_start") + slice_minutes * MINUTE_US


def partition_of(slice_start_us: int) -> dict[str, str]:
    """Give the levels dt, hh, mm of a slice's folder."""
    moment = to_datetime(slice_start_us)
    return {level: moment.strftime(pattern) for level, pattern in TIME_LEVELS.items()}


def slice_path(feature_spec_version: str, slice_start_us: int) -> str:
    """Give the folder of a slice below its table: `feature_spec_version=../dt=../hh=../mm=..`."""
    levels = {"feature_spec_version": feature_spec_version, **partition_of(slice_start_us)}
    return "/".join(f"{key}={value}" for key, value in levels.items())


def slice_place(slice_start_us: int) -> str:
    """Give a slice as manifests spell it, `dt=../hh=../mm=..`: as texts these sort as time does."""
    return slice_path("", slice_start_us).partition("/")[2]


def day_path(feature_spec_version: str, day_start_us: int) -> str:
    """Give the folder of a UTC day below its table: `feature_spec_version=../dt=..`."""
    return "/".join(slice_path(feature_spec_version, day_start_us).split("/")[: len(DAY_LEVELS)])


def place_of(folders: Iterable[str]) -> str:
    """Give the slice or day with which folders below a version begin: `dt=../hh=../mm=..`, `dt=..`, or empty."""
    levels = takewhile(
        lambda pair: pair[0].partition("=")[0] == pair[1], zip(folders, TIME_LEVELS, strict=False)
    )
    return "/".join(folder for folder, _ in levels)


def place_start(place: str) -> str:
    """Give the first minute of a slice or day, `dt=../hh=../mm=..`: as text these sort as time does."""
    return place if "/" in place else f"{place}/hh=00/mm=00"


def place_us(place: str) -> int:
    """Give the start of a slice or day, `dt=../hh=../mm=..` or `dt=..`, in us. Raises ValueError for another text."""
    date, hour, minute = (level.partition("=")[2] for level in place_start(place).split("/"))
    return to_us(datetime.fromisoformat(f"{date}T{hour}:{minute}:00+00:00"))


def ends_before(place: str, moment: str) -> bool:
    """Whether a slice or a whole day is over when the slice at `moment`, `dt=../hh=../mm=..`, begins."""
    return place < moment and not moment.startswith(f"{place}/")
