"""From which published tables the history of a window is made: nothing of the window itself is in it."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from attrs import frozen

from ndr_core.times import day_of, day_start

KNOWN_DAYS: Final = 7
"""A host with fewer days of history has no novelty yet."""


@frozen
class HistorySource:
    """Where the history of the windows that start at one moment comes from. Days are days since 1970-01-01 UTC.

    The mask of a key is that of its row of the day `base`, shifted by `day` - `base`, and one bit for each of
    `slices` in which the key has sessions, at the distance of its day from `day`.
    """

    day: int
    """The day in which the window starts: bit i of a mask is i days before it."""
    base: int | None
    """The day of the history rows to read; None where no history comes before `slices`."""
    slices: tuple[tuple[int, int], ...]
    """Spans of slices [since, until), us, each within one day, which counts as one active day."""
    is_known: bool = True
    """False where a part of it is missing: then all that is made of the history is null."""

    def __attrs_post_init__(self) -> None:
        """Raise ValueError for a source that can't be: rows of the day itself, slices of several days."""
        if self.base is not None and self.base >= self.day:
            raise ValueError(f"the history of day {self.day} is made of rows of earlier days")
        for since, until in self.slices:
            if not since < until or day_of(since) != day_of(until - 1) or day_of(since) > self.day:
                raise ValueError(f"[{since}, {until}) is no part of one day up to day {self.day}")


def history_source(
    window_start: int, available: Container[int], first_slice: int | None
) -> HistorySource:
    """Choose the source of the history of a window.

    `window_start`: us; `available`: the days of which there are published history rows; `first_slice`: start of the
    first slice that was ever published, us, None where there is none: before it the history is empty. The history is
    unknown where it would need the rows of the day before, and neither these are there nor what stands for them: the
    rows of two days before, with the slices of the day before.
    """
    day = day_of(window_start)
    midnight = day_start(day)
    today = ((midnight, window_start),) if window_start > midnight else ()
    if first_slice is None or first_slice >= midnight:
        return HistorySource(day, None, today)
    if day - 1 in available:
        return HistorySource(day, day - 1, today)
    day_before = (day_start(day - 1), midnight)
    if day - 2 in available:
        return HistorySource(day, day - 2, (day_before, *today))
    if day_of(first_slice) == day - 1:
        return HistorySource(day, None, (day_before, *today))
    return HistorySource(day, None, (), is_known=False)
