"""Which slices the features still need: those of the days that the next history, and the next windows, are made of."""

from __future__ import annotations

from collections.abc import Iterable

from ndr_core.errors import UsageError
from ndr_core.history.masks import DAYS
from ndr_core.history.tables import PAIR_HISTORY
from ndr_core.publishing.manifest import Manifest
from ndr_core.times import DAY_US, day_of, day_start, iso_text
from ndr_core.windows.tables import FG_A


def needed_from(runs: Iterable[Manifest]) -> int | None:
    """Give the start, us, of the first day that features of later days and windows may be made of.

    `runs`: those of an output of features that count. None where there are no features. A history can be made anew of
    30 days; windows that end at a moment need the day in which the longest of them starts, and the day before that.
    """
    starts: dict[str, list[int]] = {PAIR_HISTORY.name: [], FG_A: []}
    for run in runs:
        for table, found in starts.items():
            if table in run.columns and run.facts.bounds is not None:
                found.append(run.facts.bounds.start)
    needed = []
    if starts[PAIR_HISTORY.name]:
        needed.append(day_start(day_of(max(starts[PAIR_HISTORY.name])) + 1 - DAYS))
    if starts[FG_A]:
        needed.append(day_start(day_of(max(starts[FG_A]) - DAY_US) - 1))
    return min(needed, default=None)


def refuse_needed(runs: Iterable[Manifest], before: int, features: str) -> None:
    """Raise UsageError where slices would be pruned that features still need.

    `runs`: as for `needed_from`; `before`: us, the moment by which slices end that are pruned; `features`: the
    address of the output of the features.
    """
    first = needed_from(runs)
    if first is not None and before > first:
        raise UsageError(
            f"before: {iso_text(before)} is too late; the features in {features} may still be made of slices from "
            f"{iso_text(first)} on. Give that time or an earlier one, or --force"
        )
