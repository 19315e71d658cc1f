"""The history job: one UTC day, built from its pair slices and the history of the day before, and published."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from attrs import evolve, field, frozen

from ndr_core.deltas.tables import PAIR
from ndr_core.errors import SpecError, UsageError
from ndr_core.features.coverage import PublishedDeltas, look_at_deltas
from ndr_core.features.days import date_of, history_runs
from ndr_core.features.ground import ground_of, refuse_other_project, refuse_same_output
from ndr_core.features.running import (
    Chosen,
    FeatureRunSummary,
    NotPublishedError,
    facts_of_run,
    look_and_build,
)
from ndr_core.history.engine import HistoryEngine, HistoryInputs
from ndr_core.history.masks import DAYS
from ndr_core.history.needs import DayNeeds, day_needs, earlier_days
from ndr_core.history.plan import HistoryPlan, compile_history_plan
from ndr_core.history.spec import PairHistorySpec
from ndr_core.history.tables import HISTORY_TABLES, PAIR_HISTORY, PAIR_TILE
from ndr_core.jobs.ports import RunLog
from ndr_core.publishing.manifest import RunFacts
from ndr_core.publishing.pinned import PinnedTables
from ndr_core.publishing.published import FollowedOutput
from ndr_core.publishing.sink import Sink
from ndr_core.publishing.standing import Overrides, check_standing
from ndr_core.tables.slices import SliceBounds
from ndr_core.tables.table import Table
from ndr_core.times import DAY_US, LAST_DAY, TIME_LIMIT_US, day_start, now_us

MEANING_VERSION: Final = 1
"""A release that changes what a column of the history means raises it."""


def meaning_of(spec: PairHistorySpec) -> dict[str, Any]:
    """Give the keys of a JobSpec in which all feature jobs of an output must agree, with their values."""
    version = spec.inputs.deltas_version(spec.feature_spec_version)
    ground = ground_of(spec.networks, spec.hosts, version)
    return {"history.meaning_version": MEANING_VERSION, **ground}


@frozen
class FoundDay:
    """What there is for the history of a day, as of one moment."""

    plan: HistoryPlan
    deltas: PublishedDeltas
    needs: DayNeeds
    features: FollowedOutput
    facts: RunFacts

    @property
    def tables(self) -> tuple[Table, ...]:
        return HISTORY_TABLES

    @property
    def state(self) -> object:
        """Another one where anything that it reads was replaced."""
        return self.facts.read, self.day_pairs.pinned, self.needs.former, self.needs.tiles

    @property
    def day_pairs(self) -> PinnedTables:
        """The deltas with the slices that are read."""
        first = min((*self.needs.slice_days, self.plan.day))
        return self.deltas.pinned(day_start(first), day_start(self.plan.day + 1))

    @property
    def read_bytes(self) -> int:
        """Bytes of the pairs, pair tiles and former history that the day is made from."""
        end = day_start(self.plan.day + 1)
        found = self.day_pairs.bytes_of((PAIR.name,), 0, end)
        if self.needs.former is not None:
            former = PinnedTables(self.features, (self.needs.former,))
            found += former.bytes_of((PAIR_HISTORY.name,), 0, end)
        return found + PinnedTables(self.features, self.needs.tiles).bytes_of(
            (PAIR_TILE.name,), 0, end
        )

    @property
    def inputs(self) -> HistoryInputs:
        """What an engine is given."""
        needs = self.needs
        former = None if needs.former is None else PinnedTables(self.features, (needs.former,))
        tiles = PinnedTables(self.features, needs.tiles) if needs.tiles else None
        return HistoryInputs(self.day_pairs, former, tiles, needs.slice_days)


@frozen
class HistoryRunner:
    """Runs the history job of one day through its ports."""

    spec: PairHistorySpec
    day: int
    """UTC day, in days since 1970-01-01."""
    run_id: str
    deltas: FollowedOutput
    features: FollowedOutput
    """The output that `sink` publishes to, for readers."""
    sink: Sink
    start_engine: Callable[[FoundDay], Chosen[HistoryEngine]]
    """Makes the engine, once it is known what there is to read: starting one takes seconds."""
    log: RunLog
    code_version: str = "unknown"
    undisturbed: Callable[[], AbstractContextManager[Any]] = field(default=nullcontext)
    """Holds back requests to stop (StopRequested) while the run is published."""
    allows_missing: bool = False
    """Whether the day is built without earlier days of which the slices were pruned before there was a history."""

    def run(self) -> FeatureRunSummary:
        """Build and publish the day, or publish nothing at all.

        Raises SpecError or UsageError before any work, NotPublishedError where what it needs was pruned,
        OverflowingColumnError after; what was published before is untouched then. From publication on, a failure is
        an AfterPublicationError; StopRequested passes, and says whether the run is published.
        """
        return look_and_build(self, _described)

    def look(self, published_at: int) -> FoundDay:
        """Look at what there is for the day. `published_at`: the time of the run, us. Raises as `run` before work."""
        spec, day = self.spec, self.day
        if not 0 <= day < TIME_LIMIT_US // DAY_US:
            raise SpecError(
                f"day: lies outside the times that records can have, 1970-01-01 to {LAST_DAY}"
            )
        refuse_same_output(self.deltas.root, self.features.root)
        version = spec.inputs.deltas_version(spec.feature_spec_version)
        deltas = look_at_deltas(self.deltas, version, day_start(day - DAYS), day_start(day + 1))
        refuse_other_project(deltas.manifests, spec.project_name)
        if deltas.is_pruned(day_start(day)):
            raise UsageError(
                f"{date_of(day)}: slices of this day were pruned from {self.deltas.root}; its history can't be built "
                "any more"
            )
        runs = history_runs(
            self.features, spec.feature_spec_version, spec.job_name, earlier_days(day)
        )
        needs = day_needs(day, deltas, runs)
        if needs.unknown and not self.allows_missing:
            raise NotPublishedError(
                f"{date_of(needs.unknown[0])}: slices of this day were pruned from {self.deltas.root}, and there is "
                f"no history of it in {self.features.root}; build {date_of(day)} without it by --partial"
            )
        facts = self._facts(needs)
        check_standing(self.sink.standing(facts, now_us()), facts, {}, Overrides())
        plan = compile_history_plan(spec, day, published_at)
        return FoundDay(plan, deltas, needs, self.features, facts)

    def _facts(self, needs: DayNeeds) -> RunFacts:
        bounds = SliceBounds(day_start(self.day), day_start(self.day + 1))
        read = evolve(needs.read, allows_missing=self.allows_missing)
        facts = facts_of_run(self, date_of(self.day), bounds, read)
        return evolve(facts, meaning=meaning_of(self.spec))


def _described(found: FoundDay) -> dict[str, Any]:
    needs = found.needs
    how = "from the pairs of the 30 days" if needs.former is None else "from the day before"
    return {
        "day": date_of(found.plan.day),
        "built": how,
        "contributions": len(needs.read.contributions),
    }
