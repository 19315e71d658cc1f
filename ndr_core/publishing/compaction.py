"""Compaction: what many mini-batches contributed to a UTC day becomes one set of files with one manifest.

Rows stay as they are read, to the last bit. Contributions keep their digests, so that whoever has read them knows
that nothing has changed. A mini-batch of which any slice was compacted can't be run again: what it contributed can't
be told apart any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import frozen

from ndr_core.errors import NdrError
from ndr_core.publishing.layout import Target, table_targets
from ndr_core.publishing.manifest import (
    CompactedRun,
    Contribution,
    Manifest,
    OutputFile,
    RunFacts,
)
from ndr_core.publishing.ownership import Live, live
from ndr_core.publishing.published import SliceRange
from ndr_core.times import to_datetime

_DAY: Final = "%Y-%m-%d"


class DayChangedError(NdrError):
    """Runs were published into a day while it was compacted."""


class CompactedError(NdrError):
    """A run would replace what was compacted."""


@frozen
class Day:
    """A day of one feature_spec_version, and the manifests that count in it."""

    version: str
    date: str
    """`2025-03-01`, in UTC."""
    manifests: tuple[Manifest, ...]
    whole: tuple[Manifest, ...]
    """Those of mini-batches that count in no later day: the day holds them whole, and their own manifests go."""

    @property
    def slices(self) -> SliceRange:
        """The slices of the day."""
        start = datetime.strptime(self.date, _DAY).replace(tzinfo=UTC)
        return SliceRange(start, start + timedelta(days=1))

    @property
    def state(self) -> frozenset[tuple[str, int]]:
        """Another one when a run is published that counts in the day, or one is replaced."""
        return frozenset((manifest.owner, manifest.published_at) for manifest in self.manifests)

    @property
    def former(self) -> Manifest | None:
        """The manifest of the day, where it was compacted before."""
        return next((manifest for manifest in self.manifests if manifest.day), None)

    @property
    def contributions(self) -> tuple[Contribution, ...]:
        """What counts in the day, in the order of time."""
        found = {
            contribution
            for manifest in self.manifests
            for contribution in manifest.contributions
            if _date_of(contribution.slice) == self.date
        }
        return tuple(sorted(found, key=lambda one: (one.slice, one.job_name, one.mini_batch_id)))


@frozen
class Compaction:
    """What a compaction publishes."""

    day: Day
    facts: RunFacts
    """Of the run that compacts; job and mini-batch are empty."""
    rows: Mapping[str, int]
    """Staged file of a table, `<table>/<levels>/<name>` below the staging root -> its rows."""

    def targets(self) -> list[Target]:
        """Say where each staged file goes."""
        return list(table_targets(self.rows))

    def manifest(self, moment: int, token: str, files: Iterable[OutputFile]) -> Manifest:
        """Make the manifest of the day, published at a moment (us) under a token."""
        former = self.day.former
        whole = self.day.whole
        kept = () if former is None else tuple(file for file in former.files if file.slice is None)
        aside = (file for run in whole for file in run.files if file.slice is None)
        columns: dict[str, dict[str, str]] = {}
        for manifest in self.day.manifests:
            for table, known in manifest.columns.items():
                columns.setdefault(table, {}).update(known)
        return Manifest(
            published_at=max(moment, 0 if former is None else former.published_at + 1),
            token=token,
            facts=self.facts,
            columns=columns,
            contributions=self.day.contributions,
            files=(*files, *kept, *aside),
            day=self.day.date,
            runs=(
                *(() if former is None else former.runs),
                *(CompactedRun(run.published_at, run.facts) for run in whole),
            ),
        )


def days_to_compact(manifests: Iterable[Manifest], before: datetime) -> list[Day]:
    """Give the whole UTC days before a moment in which mini-batches count by themselves, in the order of time.

    They must be compacted in this order: a day holds mini-batches whole that count in earlier ones, too.
    """
    found = live(manifests)
    last = f"{before.astimezone(UTC):{_DAY}}"
    days: dict[tuple[str, str], list[Manifest]] = {}
    whole: dict[tuple[str, str], list[Manifest]] = {}
    for manifest in found.manifests:
        version = manifest.facts.feature_spec_version
        dates = sorted({manifest.day} if manifest.day else _dates(found, manifest))
        for date in dates:
            days.setdefault((date, version), []).append(manifest)
        if dates and not manifest.day and max(dates[-1], _end(manifest)) < last:
            whole.setdefault((dates[-1], version), []).append(manifest)
    return [
        Day(version, date, tuple(known), tuple(whole.get((date, version), ())))
        for (date, version), known in sorted(days.items())
        if date < last and not all(manifest.day for manifest in known)
    ]


def check_unchanged(day: Day, manifests: Iterable[Manifest]) -> None:
    """Raise DayChangedError where other manifests count in a day than when it was read.

    `manifests`: the published ones that may hold slices of the day, as of now.
    """
    end = day.slices.until
    assert end is not None, "a day ends"
    now = {(one.version, one.date): one.state for one in days_to_compact(manifests, end)}
    if now.get((day.version, day.date)) != day.state:
        raise DayChangedError(
            f"{day.date}: a run was published into the day while it was compacted"
        )


def refuse_compacted(days: Iterable[str], facts: RunFacts) -> None:
    """Raise CompactedError where days hold what a run would replace. `days`: from `compacted_days`."""
    found = sorted(days)
    if found:
        raise CompactedError(
            f"mini-batch {facts.mini_batch_id} of job {facts.job_name}: what it published of {', '.join(found)} "
            "was compacted, and can't be told apart and replaced any more; to add other records, give them "
            "another --mini-batch-id"
        )


def compacted_days(manifests: Iterable[Manifest], facts: RunFacts) -> list[str]:
    """Give the compacted days that hold contributions of a run's mini-batch."""
    batch = (facts.job_name, facts.mini_batch_id)
    return sorted(
        manifest.day
        for manifest in manifests
        if manifest.day
        and manifest.facts.feature_spec_version == facts.feature_spec_version
        and (
            any(one.key[:2] == batch for one in manifest.contributions)
            or any(run.facts.owner == facts.owner for run in manifest.runs)
        )
    )


def _dates(found: Live, manifest: Manifest) -> set[str]:
    """The days in which the manifest of a mini-batch counts by itself; without any rows the last day of its span."""
    version = manifest.facts.feature_spec_version
    own = {
        contribution
        for contribution in manifest.contributions
        if (version, *contribution.key) not in found.taken
    }
    dates = {_date_of(contribution.slice) for contribution in own}
    return dates or ({_end(manifest)} - {""} if not manifest.contributions else set())


def _end(manifest: Manifest) -> str:
    """The last day of the span that a mini-batch was given; empty where it was given none."""
    bounds = manifest.facts.bounds
    return "" if bounds is None else f"{to_datetime(bounds.end - 1):{_DAY}}"


def _date_of(slice_path: str) -> str:
    return slice_path.partition("/")[0].partition("=")[2]
