"""Which dates of an output of features its next baselines still need."""

from __future__ import annotations

from collections.abc import Iterable

from ndr_core.baselines.horizon import DEFAULT_GAPS, MONTH_DAYS, WEEK_DAYS, Horizon
from ndr_core.baselines.tables import BASELINE, SUMMARY
from ndr_core.errors import UsageError
from ndr_core.publishing.manifest import Manifest
from ndr_core.times import day_of, day_start, iso_text


def summaries_needed_from(runs: Iterable[Manifest]) -> int | None:
    """Give the start, us, of the first date whose summary the next baselines may be made of.

    `runs`: those of an output of features that count. None where there are no summaries. The next baselines take the
    first date of the last ones away, or are made of all of theirs. Deltas and windows are not needed: summaries stand
    for them.
    """
    needed = []
    for run in runs:
        bounds = run.facts.bounds
        if bounds is None or not {BASELINE.name, SUMMARY.name} & run.columns.keys():
            continue
        date = day_of(bounds.start) + (SUMMARY.name in run.columns)
        needed.append(min(one.dates(date).start for one in _horizons(run)))
    return day_start(max(max(needed), 0)) if needed else None


def refuse_needed_summaries(runs: Iterable[Manifest], before: int, features: str) -> None:
    """Raise UsageError where an output of features would be pruned of what its baselines still need.

    `runs`: as for `summaries_needed_from`; `before`: us, the moment by which what is pruned ends; `features`: the
    address of the output.
    """
    first = summaries_needed_from(runs)
    if first is not None and before > first:
        raise UsageError(
            f"before: {iso_text(before)} is too late; baselines in {features} may still be made of the summaries from "
            f"{iso_text(first)} on. Give that time or an earlier one, or --force"
        )


def _horizons(run: Manifest) -> tuple[Horizon, ...]:
    """How far the baselines of a run's job go back."""
    return tuple(
        Horizon(days, int(run.facts.meaning.get(f"baselines.gap_days_{days}d", DEFAULT_GAPS[days])))
        for days in (WEEK_DAYS, MONTH_DAYS)
    )
