"""With which baselines the windows that end at one moment are to be compared, of what is published."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from attrs import frozen

from ndr_core.baselines.dates import date_start, local_date
from ndr_core.baselines.runs import WindowsRun, read_run
from ndr_core.correlations.plan import BaselineDate, BaselineDates
from ndr_core.correlations.spec import FgCSpec
from ndr_core.features.days import read_of
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.published import FollowedOutput
from ndr_core.publishing.read_facts import ReadContribution, ReadFacts
from ndr_core.times import DAY_US, to_datetime
from ndr_core.windows.labels import WindowLabel, due

BaselinesRead = Mapping[int, ReadContribution | None]
"""Local date of which baselines are published -> their run as one that was read; None: no summary was in them."""


@frozen
class CorrelationNeeds:
    """What the correlations of an anchor are made from."""

    labels: tuple[WindowLabel, ...]
    """The windows that are compared, the shortest first."""
    dates: BaselineDates
    """Window -> the baselines with which it is compared."""
    read_dates: tuple[int, ...]
    """The local dates whose baselines are read."""
    read: ReadFacts
    """All of it, as the run's manifest says it."""

    def unknown(self) -> list[WindowLabel]:
        """Give the windows whose baselines are missing."""
        return [label for label in self.labels if not self.dates[label].is_known]


def baseline_date(spec: FgCSpec, label: WindowLabel, anchor: int) -> int:
    """Give the local date whose baselines a window is compared with: that on which it begins.

    `anchor`: its end, us.
    """
    return local_date(spec.calendar, label.start(anchor))


def baseline_dates(spec: FgCSpec, labels: Iterable[WindowLabel], anchor: int) -> list[int]:
    """Give the local dates whose baselines the windows of some labels are compared with."""
    return sorted({baseline_date(spec, label, anchor) for label in labels})


def baselines_read(runs: Mapping[int, Manifest]) -> BaselinesRead:
    """Tell what is to be known of runs of baselines: those that no summary is in are empty, and are not read."""
    return {
        date: read_run(run) if read_of(run).contributions else None for date, run in runs.items()
    }


def correlation_needs(
    spec: FgCSpec,
    anchor: int,
    windows: WindowsRun,
    baselines: BaselinesRead,
    may_be_missing: Callable[[int], bool],
    *,
    allows_missing: bool,
) -> CorrelationNeeds:
    """Tell what the correlations of the windows that end at `anchor`, us, are made from.

    `windows`: their run; `baselines`: of the dates of `baseline_dates` that are published; `may_be_missing`: whether
    the baselines of a date that are not published would be empty.
    """
    asked = due(spec.windows.window_labels, anchor)
    labels = tuple(label for label in asked if label.name in windows.built)
    dates, read = {}, {}
    for label in labels:
        date = baseline_date(spec, label, anchor)
        is_known = date in baselines or may_be_missing(date)
        dates[label] = BaselineDate(date, date_start(spec.calendar, date), is_known)
        run = baselines.get(date)
        if run is not None:
            read[date] = run
    read_dates = tuple(sorted(read))
    facts = ReadFacts(
        contributions=(windows.contribution, *(read[date] for date in read_dates)),
        built=tuple(label.name for label in labels),
        left_out=tuple(label.name for label in asked if label not in labels),
        without_baseline=tuple(label.name for label in labels if not dates[label].is_known),
        allows_missing=allows_missing,
    )
    return CorrelationNeeds(labels, dates, read_dates, facts)


def first_needed(spec: FgCSpec, date: int) -> int:
    """Give the moment, us, by which a window must have ended that can be in the baselines of a local date."""
    gap = min(one.gap for one in spec.baselines.horizons)
    return date_start(spec.calendar, date - gap)


def has_windows_by(features: FollowedOutput, version: str, job_name: str, moment: int) -> bool:
    """Whether a job has published windows that end by a moment, us; of an output that was pruned it counts as true.

    Raises as `PublishedTables.manifests`.
    """
    if features.pruned_up_to().firsts.get(version) is not None:
        return True
    if moment < 0:
        return False
    until = to_datetime(moment + 1)
    # Of an output with a past, one day tells it.
    return any(
        run.facts.bounds is not None and run.facts.bounds.start <= moment
        for since in (max(moment - DAY_US, 0), 0)
        for run in features.manifests(to_datetime(since), until)
        if (run.facts.feature_spec_version, run.facts.job_name) == (version, job_name)
    )
