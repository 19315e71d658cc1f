"""The FG-C job: the windows that end at one anchor, compared with their baselines, and published."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from attrs import field, frozen

from ndr_core.baselines.runs import baseline_runs, window_runs, windows_run
from ndr_core.baselines.tables import BASELINE_TABLES
from ndr_core.correlations.engine import CorrelationEngine, CorrelationInputs
from ndr_core.correlations.needs import (
    CorrelationNeeds,
    baseline_dates,
    baselines_read,
    correlation_needs,
    first_needed,
    has_windows_by,
)
from ndr_core.correlations.plan import CorrelationPlan
from ndr_core.correlations.spec import FgCSpec
from ndr_core.errors import SpecError
from ndr_core.features.days import date_of, read_of
from ndr_core.features.ground import network_ground_of, shared_meaning
from ndr_core.features.running import (
    Chosen,
    FeatureRunSummary,
    NotPublishedError,
    facts_of_run,
    look_and_build,
)
from ndr_core.features.settings import given
from ndr_core.jobs.ports import RunLog
from ndr_core.publishing.manifest import Manifest, RunFacts
from ndr_core.publishing.pinned import PinnedTables
from ndr_core.publishing.published import FollowedOutput
from ndr_core.publishing.sink import Sink
from ndr_core.publishing.standing import Overrides, check_standing
from ndr_core.tables.slices import SliceBounds
from ndr_core.tables.table import Table
from ndr_core.times import (
    DAY_US,
    LAST_DAY,
    MINUTE_US,
    TIME_LIMIT_US,
    iso_text,
)
from ndr_core.windows.job import anchor_name
from ndr_core.windows.labels import WindowLabel, due
from ndr_core.windows.tables import FG_A

MEANING_VERSION: Final = 1
"""A release that changes what a column of correlations means raises it."""


def meaning_of(spec: FgCSpec) -> dict[str, Any]:
    """Give the keys of a JobSpec in which all feature jobs of an output must agree, with their values."""
    return {
        "correlations.meaning_version": MEANING_VERSION,
        "anomaly.key_metrics": list(spec.anomaly.judging),
        "exfil.min_bytes": spec.exfil.min_bytes,
        **spec.baselines.meaning(),
        "calendar": given(spec.calendar),
        **network_ground_of(spec.networks, spec.hosts),
    }


@frozen
class FoundCorrelations:
    """What there is for the correlations of an anchor, as of one moment."""

    plan: CorrelationPlan
    needs: CorrelationNeeds
    windows: PinnedTables
    baselines: PinnedTables
    facts: RunFacts

    @property
    def tables(self) -> tuple[Table, ...]:
        return (self.plan.table,)

    @property
    def state(self) -> object:
        """Another one where anything that it reads was replaced."""
        return self.facts.read, self.windows.pinned, self.baselines.pinned

    @property
    def read_bytes(self) -> int:
        """Bytes of the windows and baselines that are read."""
        tables = (table.name for table in BASELINE_TABLES)
        return self.windows.bytes_of((FG_A,), 0, TIME_LIMIT_US) + self.baselines.bytes_of(
            tables, 0, TIME_LIMIT_US
        )

    @property
    def inputs(self) -> CorrelationInputs:
        """What an engine is given."""
        return CorrelationInputs(self.windows, self.baselines, self.needs.dates)


@frozen
class FgCRunner:
    """Runs the FG-C job of one anchor through its ports."""

    spec: FgCSpec
    anchor: int
    """The end of the windows, us since 1970-01-01 UTC."""
    run_id: str
    features: FollowedOutput
    """The output that `sink` publishes to, for readers."""
    sink: Sink
    start_engine: Callable[[FoundCorrelations], Chosen[CorrelationEngine]]
    """Makes the engine, once it is known what there is to read: starting one takes seconds."""
    log: RunLog
    code_version: str = "unknown"
    undisturbed: Callable[[], AbstractContextManager[Any]] = field(default=nullcontext)
    """Holds back requests to stop (StopRequested) while the run is published."""
    allows_missing: bool = False
    """Whether windows are compared with what there is where baselines are missing: their columns are null then."""

    def run(self) -> FeatureRunSummary:
        """Build and publish the correlations of all windows that were built, or publish nothing at all.

        Raises SpecError or UsageError before any work, NotPublishedError where the windows were not built or their
        baselines are missing; what was published before is untouched then. From publication on, a failure is an
        AfterPublicationError; StopRequested passes, and says whether the run is published.
        """
        return look_and_build(self, _described)

    def look(self, published_at: int) -> FoundCorrelations:
        """Look at what there is for the windows. `published_at`: of the run, us. Raises as `run` before work."""
        spec = self.spec
        labels = self._asked()
        windows = self._windows(labels)
        known = windows_run(windows, self.anchor)
        runs = baseline_runs(
            self.features,
            spec.feature_spec_version,
            spec.inputs.fg_b_job,
            baseline_dates(spec, labels, self.anchor),
        )
        needs = correlation_needs(
            spec,
            self.anchor,
            known,
            baselines_read(runs),
            self._would_be_empty,
            allows_missing=self.allows_missing,
        )
        self._refuse_missing(needs)
        read = tuple(runs[date] for date in needs.read_dates)
        facts = self._facts(needs, (windows, *read))
        check_standing(self.sink.standing(facts, published_at), facts, {}, Overrides())
        return FoundCorrelations(
            self._plan(needs, published_at),
            needs,
            PinnedTables(self.features, (windows,)),
            PinnedTables(self.features, read),
            facts,
        )

    def _asked(self) -> tuple[WindowLabel, ...]:
        """The windows that end at the anchor. Raises SpecError where there are none."""
        if not DAY_US <= self.anchor < TIME_LIMIT_US - DAY_US:
            raise SpecError(
                f"end: lies outside the times that windows can end, 1970-01-02 to {LAST_DAY}"
            )
        labels = self.spec.windows.window_labels
        asked = due(labels, self.anchor)
        if not asked:
            raise SpecError(
                f"end: {iso_text(self.anchor)} is the end of no window; one ends every "
                f"{min(label.every for label in labels)} min from midnight UTC on (windows.labels)"
            )
        return asked

    def _windows(self, labels: tuple[WindowLabel, ...]) -> Manifest:
        """The run of the windows. Raises NotPublishedError where none of them was built."""
        spec, job = self.spec, self.spec.inputs.fg_a_job
        runs = window_runs(self.features, spec.feature_spec_version, job, [self.anchor])
        run = runs.get(self.anchor)
        if run is None or not any(label.name in read_of(run).built for label in labels):
            raise NotPublishedError(
                f"windows that end at {iso_text(self.anchor)}: they are not built yet (by job {job}) in "
                f"{self.features.root}; build them (ndr features run --job fg-a --end {iso_text(self.anchor)})"
            )
        return run

    def _would_be_empty(self, date: int) -> bool:
        spec = self.spec
        return not has_windows_by(
            self.features,
            spec.feature_spec_version,
            spec.inputs.fg_a_job,
            first_needed(spec, date),
        )

    def _refuse_missing(self, needs: CorrelationNeeds) -> None:
        unknown = needs.unknown()
        if unknown and not self.allows_missing:
            date = needs.dates[unknown[0]].date
            raise NotPublishedError(
                f"window {unknown[0].name} that ends at {iso_text(self.anchor)}: there are no baselines of "
                f"{date_of(date)}, on which it begins, in {self.features.root}; build them (ndr features run --job "
                f"fg-b --day {date_of(date - 1)}), or leave them out by --partial"
            )

    def _plan(self, needs: CorrelationNeeds, published_at: int) -> CorrelationPlan:
        spec = self.spec
        return CorrelationPlan(
            anchor=self.anchor,
            labels=needs.labels,
            metrics=spec.baselines.chosen,
            key_metrics=spec.anomaly.judging,
            horizons=tuple(one.name for one in spec.baselines.horizons),
            min_bytes=spec.exfil.min_bytes,
            networks=spec.networks,
            feature_spec_version=spec.feature_spec_version,
            published_at=published_at,
        )

    def _facts(self, needs: CorrelationNeeds, runs: tuple[Manifest, ...]) -> RunFacts:
        """The facts of the run. `runs`: those that it reads. Raises SpecError where they mean something else."""
        bounds = SliceBounds(self.anchor, self.anchor + MINUTE_US)
        facts = facts_of_run(self, anchor_name(self.anchor), bounds, needs.read)
        return shared_meaning(meaning_of(self.spec), runs, facts)


def _described(found: FoundCorrelations) -> dict[str, Any]:
    read = found.needs.read
    facts: dict[str, Any] = {
        "end": iso_text(found.plan.anchor),
        "windows": " ".join(read.built),
        "baselines": " ".join(map(date_of, found.needs.read_dates)) or "none yet",
    }
    if read.without_baseline:
        facts["without_baseline"] = " ".join(read.without_baseline)
    if read.left_out:
        facts["left_out"] = " ".join(read.left_out)
    return facts
