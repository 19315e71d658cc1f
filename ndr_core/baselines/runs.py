"""The runs of a job of baselines, by their names, and the runs that they read as they know them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from attrs import frozen

from ndr_core.features.days import date_of, day_of_date, read_of
from ndr_core.features.lineage import read_as, runs_named
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.published import FollowedOutput
from ndr_core.publishing.read_facts import CoveredWindows, ReadContribution, ReadFacts
from ndr_core.tables.slices import slice_place
from ndr_core.windows.job import anchor_name
from ndr_core.windows.labels import WindowLabel

_SUMMARY: Final = "summary-"
_BASELINES: Final = "baseline-"


def summary_name(date: int) -> str:
    """Name the run that sums up the windows of a local date: `summary-2025-03-01`."""
    return f"{_SUMMARY}{date_of(date)}"


def baselines_name(date: int) -> str:
    """Name the run that makes the baselines of a local date: `baseline-2025-03-01`."""
    return f"{_BASELINES}{date_of(date)}"


def is_summary(name: str) -> bool:
    """Whether a run of a job of baselines is a summary, by its name."""
    return name.startswith(_SUMMARY)


def date_of_run(name: str) -> int:
    """Give the local date of a run of a job of baselines, by its name."""
    return day_of_date(name.removeprefix(_SUMMARY).removeprefix(_BASELINES))


def date_place(date: int) -> str:
    """Give the day in which the rows of a run lie, `dt=..`."""
    return f"dt={date_of(date)}"


@frozen
class WindowsRun:
    """What is to be known of a run of windows."""

    contribution: ReadContribution
    """The run as one that was read."""
    built: frozenset[str]
    """Names of the windows that it has built."""
    unpublished: frozenset[str]
    """Slices of them, `dt=../hh=../mm=..`, that were not published."""

    def covers(self, label: WindowLabel, end: int) -> bool:
        """Whether it has built the window of a label that ends at a moment, us, of slices that were all published."""
        first, last = slice_place(label.start(end)), slice_place(end)
        return label.name in self.built and not any(
            first <= place < last for place in self.unpublished
        )


def windows_run(run: Manifest, end: int) -> WindowsRun:
    """Tell what is to be known of the run of the windows that end at a moment, us."""
    read = read_of(run)
    return WindowsRun(
        read_as(run, slice_place(end)), frozenset(read.built), frozenset(read.unpublished)
    )


@frozen
class SummaryRun:
    """What is to be known of a summary."""

    contribution: ReadContribution
    covered: tuple[CoveredWindows, ...]


def summary_run(run: Manifest) -> SummaryRun:
    """Tell what is to be known of a summary."""
    return SummaryRun(read_run(run), read_of(run).covered)


@frozen
class BaselinesRun:
    """What is to be known of a run of baselines."""

    contribution: ReadContribution
    """The run as one that was read."""
    dates: frozenset[int]
    """Local dates whose summaries are in it."""

    @property
    def is_empty(self) -> bool:
        """Whether no summary is in it."""
        return not self.dates


def baselines_run(run: Manifest) -> BaselinesRun:
    """Tell what is to be known of a run of baselines."""
    return BaselinesRun(read_run(run), summary_dates_of(read_of(run)))


def summary_dates_of(read: ReadFacts) -> frozenset[int]:
    """Give the local dates whose summaries a run of baselines is made of."""
    return frozenset(date_of_run(one.mini_batch_id) for one in read.contributions)


def read_run(run: Manifest) -> ReadContribution:
    """Say of a run of a job of baselines that it was read."""
    return read_as(run, date_place(date_of_run(run.facts.mini_batch_id)))


def window_runs(
    features: FollowedOutput, version: str, job_name: str, ends: Iterable[int]
) -> dict[int, Manifest]:
    """Give the published runs of a job of windows that count, by the end of their windows, us."""
    return _runs_by(features, version, job_name, {anchor_name(end): end for end in ends})


def summary_runs(
    features: FollowedOutput, version: str, job_name: str, dates: Iterable[int]
) -> dict[int, Manifest]:
    """Give the published summaries that count, by their local dates."""
    return _runs_by(features, version, job_name, {summary_name(date): date for date in dates})


def baseline_runs(
    features: FollowedOutput, version: str, job_name: str, dates: Iterable[int]
) -> dict[int, Manifest]:
    """Give the published runs of baselines that count, by the local dates that they are for."""
    return _runs_by(features, version, job_name, {baselines_name(date): date for date in dates})


def _runs_by(
    features: FollowedOutput, version: str, job_name: str, names: Mapping[str, int]
) -> dict[int, Manifest]:
    """The published runs that count, by what their names stand for."""
    found = runs_named(features, version, job_name, names)
    return {names[name]: run for name, run in found.items()}
