"""The FG-A job: the windows that end at one anchor, built from published slices and history, and published."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from attrs import asdict, evolve, field, frozen

from ndr_core.deltas.meaning import measures_of
from ndr_core.deltas.tables import DELTA, PAIR
from ndr_core.errors import SpecError, UsageError, nearest, shown
from ndr_core.features.coverage import PublishedDeltas, first_slice_before, look_at_deltas
from ndr_core.features.days import date_of, history_runs, read_of, read_run
from ndr_core.features.ground import (
    ground_of,
    refuse_other_ports,
    refuse_other_project,
    refuse_same_output,
)
from ndr_core.features.running import (
    Chosen,
    FeatureRunSummary,
    NotPublishedError,
    facts_of_run,
    look_and_build,
)
from ndr_core.history.tables import PAIR_HISTORY, VIEWS
from ndr_core.jobs.ports import RunLog
from ndr_core.publishing.manifest import Manifest, RunFacts
from ndr_core.publishing.pinned import PinnedTables
from ndr_core.publishing.published import FollowedOutput
from ndr_core.publishing.sink import Sink
from ndr_core.publishing.standing import (
    Overrides,
    check_standing,
    refuse_other_meaning,
)
from ndr_core.tables.slices import SliceBounds
from ndr_core.tables.table import Table
from ndr_core.times import (
    DAY_US,
    LAST_DAY,
    MINUTE_US,
    TIME_LIMIT_US,
    day_of,
    day_start,
    iso_text,
    to_datetime,
)
from ndr_core.windows.engine import WindowEngine, WindowInputs
from ndr_core.windows.labels import WindowLabel, due
from ndr_core.windows.needs import Published, WindowNeeds, days_before, first_read, window_needs
from ndr_core.windows.plan import WindowPlan, compile_window_plan
from ndr_core.windows.spec import FgASpec

MEANING_VERSION: Final = 1
"""A release that changes what a column of the windows means raises it."""

TIMING: Final = ("starts", "bytes_sent_hist", "unanswered_cnt", "duration_s_sum")
"""Columns of the pair table that windows are made of, and that older deltas do not have."""


def meaning_of(spec: FgASpec) -> dict[str, Any]:
    """Give the keys of a JobSpec in which all feature jobs of an output must agree, with their values."""
    plain = spec.to_plain()
    return {
        "windows.meaning_version": MEANING_VERSION,
        "calendar": plain.get("calendar", {}),
        "port_sets": plain["port_sets"],
        **ground_of(spec.networks, spec.hosts, deltas_version(spec)),
    }


def deltas_version(spec: FgASpec) -> str:
    """Give the feature_spec_version of the deltas that are read."""
    return spec.inputs.deltas_version(spec.feature_spec_version)


def anchor_name(anchor: int) -> str:
    """Name the run of an anchor, us: `2025-03-01T101500Z`."""
    return f"{to_datetime(anchor):%Y-%m-%dT%H%M%SZ}"


@frozen
class FoundWindows:
    """What there is for the windows of an anchor, as of one moment."""

    plan: WindowPlan
    anchor: int
    deltas: PinnedTables
    features: PinnedTables
    needs: WindowNeeds
    facts: RunFacts
    versions: tuple[str, str]
    """feature_spec_version of the deltas and of the history."""

    @property
    def tables(self) -> tuple[Table, ...]:
        return self.plan.tables

    @property
    def state(self) -> object:
        """Another one where anything that it reads was replaced."""
        return self.facts.read, self.deltas.pinned, self.features.pinned

    @property
    def read_bytes(self) -> int:
        """Bytes of the files that windows are made of, and of those of their history."""
        since = min(label.start(self.anchor) for label in self.needs.labels)
        history = (table.name for table in (PAIR_HISTORY, *VIEWS))
        return self.deltas.bytes_of(
            (DELTA, PAIR.name), since, self.anchor
        ) + self.features.bytes_of(history, 0, self.anchor)

    @property
    def inputs(self) -> WindowInputs:
        """What an engine is given."""
        return WindowInputs(
            self.anchor,
            self.needs.labels,
            self.needs.coverage,
            self.needs.history,
            self.deltas,
            self.features,
            *self.versions,
        )


@frozen
class FgARunner:
    """Runs the FG-A job of one anchor through its ports."""

    spec: FgASpec
    anchor: int
    """The end of the windows, us since 1970-01-01 UTC."""
    run_id: str
    deltas: FollowedOutput
    features: FollowedOutput
    """The output that `sink` publishes to, for readers."""
    sink: Sink
    start_engine: Callable[[FoundWindows], Chosen[WindowEngine]]
    """Makes the engine, once it is known what there is to read: starting one takes seconds."""
    log: RunLog
    code_version: str = "unknown"
    undisturbed: Callable[[], AbstractContextManager[Any]] = field(default=nullcontext)
    """Holds back requests to stop (StopRequested) while the run is published."""
    names: tuple[str, ...] = ()
    """Labels of the windows to build; without any, all that end at the anchor."""
    allows_missing: bool = False
    """Whether windows are built of what there is where slices or history are missing."""

    def run(self) -> FeatureRunSummary:
        """Build and publish the windows, or publish nothing at all. A window with missing slices is left out.

        Raises SpecError or UsageError before any work, NotPublishedError where no window could be built or history is
        missing, OverflowingColumnError after; what was published before is untouched then. From publication on, a
        failure is an AfterPublicationError; StopRequested passes, and says whether the run is published.
        """
        return look_and_build(self, _described)

    def look(self, published_at: int) -> FoundWindows:
        """Look at what there is for the windows. `published_at`: of the run, us. Raises as `run` before work."""
        labels = self._asked()
        refuse_same_output(self.deltas.root, self.features.root)
        runs = self._history_runs(labels)
        published = self._published(labels, runs)
        deltas = published.deltas
        refuse_other_project(deltas.manifests, self.spec.project_name)
        needs = window_needs(self.anchor, labels, published, allows_missing=self.allows_missing)
        facts = self._facts(needs)
        standing = self.sink.standing(facts, published_at)
        check_standing(standing, facts, {}, Overrides())
        history = tuple(runs[day] for day in needs.bases)
        for run in history:
            refuse_other_meaning(run, facts)
        self._refuse_missing(needs, published)
        _refuse_loss(needs, standing.former)
        since = min(label.start(self.anchor) for label in needs.labels)
        pinned = deltas.pinned(min((since, *_slice_starts(needs))), self.anchor)
        return FoundWindows(
            self._plan(deltas, since, published_at),
            self.anchor,
            pinned,
            PinnedTables(self.features, history),
            needs,
            facts,
            (deltas.version, self.spec.feature_spec_version),
        )

    def _asked(self) -> tuple[WindowLabel, ...]:
        """The windows to build that end at the anchor. Raises SpecError where there are none."""
        labels = self.spec.windows.window_labels
        known = {label.name: label for label in labels}
        for name in self.names:
            if name not in known:
                raise SpecError(
                    f"label: {shown(name)} is no window of the spec, {nearest(name, known)}"
                )
        found = due(labels, self.anchor)
        asked = tuple(label for label in found if not self.names or label.name in self.names)
        if not 0 <= self.anchor < TIME_LIMIT_US - DAY_US:
            raise SpecError(
                f"end: lies outside the times that records can have, 1970-01-01 to {LAST_DAY}"
            )
        if not asked:
            every = min(
                label.every for label in labels if not self.names or label.name in self.names
            )
            raise SpecError(
                f"end: {iso_text(self.anchor)} is the end of no window that is asked for; one ends every {every} min "
                "from midnight UTC on (windows.labels)"
            )
        return asked

    def _history_runs(self, labels: Sequence[WindowLabel]) -> dict[int, Manifest]:
        """The runs of the history that windows may need, by day."""
        days = days_before(labels, self.anchor)
        job = self.spec.inputs.history_job
        return history_runs(self.features, self.spec.feature_spec_version, job, days)

    def _published(self, labels: Sequence[WindowLabel], runs: Mapping[int, Manifest]) -> Published:
        """What there is, as far as the windows need it."""
        version, tables = deltas_version(self.spec), self.deltas
        days = {day_of(label.start(self.anchor)) for label in labels}
        without = [day for day in days if day - 1 not in runs]
        first_slice: int | None = 0
        since = first_read(labels, self.anchor)
        if without:
            since = min(since, day_start(min(without) - 1))
            first_slice = first_slice_before(tables, version, since)
        deltas = look_at_deltas(tables, version, since, self.anchor)
        if first_slice is None:
            first_slice = min(deltas.published(), default=None)
        return Published(
            deltas,
            deltas.published(self.spec.windows.sources),
            {day: read_of(run).days for day, run in runs.items()},
            first_slice,
            {day: read_run(run) for day, run in runs.items()},
        )

    def _refuse_missing(self, needs: WindowNeeds, published: Published) -> None:
        """Raise NotPublishedError where no window can be built, or the history of one is missing."""
        shortest = min(self._asked())
        missing = published.unpublished(shortest.start(self.anchor), self.anchor)
        waits_for = ", ".join(self.spec.windows.sources) or "any delta job"
        nothing = not any(needs.coverage.values())
        if nothing:
            raise NotPublishedError(
                f"windows that end at {iso_text(self.anchor)}: slices are not published yet (by {waits_for}) in "
                f"{self.deltas.root}: {_named(missing, published.deltas.grid)}; run it again when they are"
                + ("" if self.allows_missing else ", or build what there is by --partial")
            )
        unknown = needs.unknown_history()
        if unknown and not self.allows_missing:
            day = needs.history[unknown[0]].day - 1
            raise NotPublishedError(
                f"window {unknown[0].name} that ends at {iso_text(self.anchor)}: there is no history of "
                f"{date_of(day)}, nor of the day before, in {self.features.root}; build it (ndr features run --job "
                f"history --day {date_of(day)}), or leave novelty out by --partial"
            )

    def _plan(self, deltas: PublishedDeltas, since: int, published_at: int) -> WindowPlan:
        """Compile the plan by the deltas of the windows. `since`: start of the longest, us."""
        spec = self.spec
        manifests = deltas.pinned(since, self.anchor).pinned
        _refuse_no_timing(manifests)
        refuse_other_ports(
            manifests, {name: sorted(ports) for name, ports in asdict(spec.port_sets).items()}
        )
        columns = {name for one in manifests for name in one.columns.get(DELTA, ())}
        meanings = [one.facts.meaning for one in manifests]
        roles = {role["name"]: role for known in meanings for role in known["roles"].values()}
        return compile_window_plan(
            measures=measures_of(columns, meanings),
            roles=roles.values(),
            slice_minutes=deltas.slice_minutes,
            labels=spec.windows.window_labels,
            networks=spec.networks,
            ports=spec.port_sets,
            calendar=spec.calendar,
            hosts=spec.hosts,
            feature_spec_version=spec.feature_spec_version,
            published_at=published_at,
        )

    def _facts(self, needs: WindowNeeds) -> RunFacts:
        bounds = SliceBounds(self.anchor, self.anchor + MINUTE_US)
        facts = facts_of_run(self, anchor_name(self.anchor), bounds, needs.read)
        return evolve(facts, meaning=meaning_of(self.spec))


def _slice_starts(needs: WindowNeeds) -> list[int]:
    """The starts of the slices that stand for history."""
    return [since for source in needs.history.values() for since, _ in source.slices]


def _refuse_no_timing(manifests: Sequence[Manifest]) -> None:
    """Raise UsageError for a mini-batch whose pairs lack columns that windows are made of."""
    for one in manifests:
        columns = one.columns.get(PAIR.name)
        lacking = [name for name in TIMING if columns is not None and name not in columns]
        if lacking:
            batch = one.day or one.facts.mini_batch_id
            raise UsageError(
                f"mini-batch {shown(batch)} of job {one.facts.job_name}: its pair table lacks the columns "
                f"{', '.join(lacking)}, of which windows are made; run it again with pair.timing: true"
            )


def _refuse_loss(needs: WindowNeeds, former: Manifest | None) -> None:
    """Raise UsageError where windows that are published would be gone: a run replaces its anchor whole."""
    if former is None:
        return
    lost = [name for name in read_of(former).built if name not in needs.read.built]
    if lost:
        raise UsageError(
            f"run {former.facts.mini_batch_id}: it has published {', '.join(lost)} before, which this run would not "
            "build, and remove: their slices are not published any more, or they are not asked for"
        )


def _named(starts: Sequence[int], grid: int) -> str:
    first = f"{iso_text(starts[0])} to {iso_text(starts[0] + grid)}"
    return first if len(starts) == 1 else f"{first} and {len(starts) - 1} more"


def _described(found: FoundWindows) -> dict[str, Any]:
    read = found.needs.read
    facts: dict[str, Any] = {
        "end": iso_text(found.anchor),
        "windows": " ".join(read.built),
        "contributions": len(read.contributions),
    }
    if read.left_out:
        facts["left_out"] = " ".join(read.left_out)
    if read.unpublished:
        facts["unpublished_slices"] = len(read.unpublished)
    return facts
