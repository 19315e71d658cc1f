"""The job that compacts the days of an output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import datetime
from typing import Any, Final

from attrs import field, frozen

from ndr_core.errors import NdrError, UsageError
from ndr_core.publishing.compaction import (
    Compaction,
    Day,
    DayChangedError,
    check_unchanged,
    days_to_compact,
)
from ndr_core.publishing.manifest import Manifest, RunFacts
from ndr_core.publishing.published import PublishedTables
from ndr_core.publishing.sink import Sink, Staging

_TRIES: Final = 3


@frozen
class Compactor:
    """Compacts days one after the other: each is published by itself, and stays so when a later one fails."""

    published: PublishedTables
    sink: Sink
    write: Callable[[Day, str], Mapping[str, int]]
    """Writes the merged rows of a day below a staging root. Gives staged file -> its rows."""
    run_id: str
    engine: str
    code_version: str
    notice: Callable[[str], None]
    undisturbed: Callable[[], AbstractContextManager[Any]] = field(default=nullcontext)
    """Holds back requests to stop (StopRequested) while a day is published."""

    def days(self, before: datetime) -> list[Day]:
        """Give the whole UTC days before a moment that are to be compacted.

        Raises UsageError without any run, and for features.
        """
        manifests = self.published.manifests(None, None)
        if not manifests:
            raise UsageError(f"{self.published.root}: holds no published run")
        if any(manifest.facts.read is not None for manifest in manifests):
            raise UsageError(
                f"{self.published.root}: holds features, of which each run has its files already; only outputs of "
                "deltas are compacted"
            )
        return days_to_compact(manifests, before)

    def run(self, before: datetime) -> Iterator[Manifest]:
        """Compact these days; gives the manifest of each. Raises as `read_deltas` and `Staging.publish_day`."""
        days, changed = self.days(before), Counter[tuple[str, str]]()
        while days:
            day = days[0]
            try:
                manifest = self._compact(day)
            except DayChangedError:
                changed[day.version, day.date] += 1
                if changed[day.version, day.date] == _TRIES:
                    raise
                # The new run may count in an earlier day, too, which then comes first: see `days_to_compact`.
                days = self.days(before)
            else:
                days = days[1:]
                yield manifest

    def _compact(self, day: Day) -> Manifest:
        staging = self.sink.open_staging(self.run_id, (), self.notice)
        try:
            rows = self._written(day, staging)
            with self.undisturbed():
                return staging.publish_day(Compaction(day, self._facts(day), rows))
        finally:
            # What can't be removed now is removed as a dead run's later.
            with suppress(NdrError, OSError):
                staging.close()

    def _written(self, day: Day, staging: Staging) -> Mapping[str, int]:
        """Write a day. Raises DayChangedError where that fails since runs were published into it meanwhile."""
        try:
            return self.write(day, staging.root)
        except (NdrError, OSError):
            check_unchanged(day, self.published.manifests(day.slices.since, day.slices.until))
            raise

    def _facts(self, day: Day) -> RunFacts:
        facts = [manifest.facts for manifest in day.manifests]
        return RunFacts(
            project_name=facts[0].project_name,
            job_name="",
            feature_spec_version=day.version,
            spec_sha256="",
            mini_batch_id="",
            run_id=self.run_id,
            engine=self.engine,
            code_version=self.code_version,
            # An older run may lack keys; in those that several have they agree.
            meaning={name: value for one in facts for name, value in one.meaning.items()},
        )
