"""Deltas and features in memory: mini-batches are contributed, days and windows are built by engines that count."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from attrs import define, evolve, field

from ndr_core.deltas.meaning import meaning_of
from ndr_core.features.running import Chosen, FeatureRunSummary
from ndr_core.history.engine import HistoryInputs
from ndr_core.history.job import HistoryRunner
from ndr_core.history.plan import HistoryPlan
from ndr_core.history.spec import PairHistorySpec
from ndr_core.jobs.ports import QuietLog
from ndr_core.publishing.entry import owner_hash
from ndr_core.publishing.manifest import Contribution, Manifest, RunFacts
from ndr_core.publishing.ownership import live_manifests
from ndr_core.publishing.pruned import Pruned
from ndr_core.publishing.sink import Publication
from ndr_core.publishing.standing import Standing, standing_of
from ndr_core.tables.slices import SliceBounds, day_path, slice_path
from ndr_core.tables.table import Table
from ndr_core.times import MINUTE_US, day_of
from ndr_core.windows.engine import WindowInputs
from ndr_core.windows.history_spec import history_spec_of
from ndr_core.windows.job import FgARunner
from ndr_core.windows.plan import WindowPlan
from ndr_core.windows.spec import FgASpec
from ndr_core.windows.spec_reader import parse_fg_a_spec
from tests.makers import make_plan, make_spec, us
from tests.unit.core.fakes import MemoryPlace

QUARTER = 15 * MINUTE_US
Quarters = Sequence[int]
"""Slices, by their number from midnight of the first day on."""
DELTA_SPEC = make_spec()
DELTA_COLUMNS = {
    table.name: {column.name: column.type.value for column in table.columns}
    for table in make_plan(DELTA_SPEC).tables
}
START = us("2025-03-01T00:00:00Z")
FIRST_DAY = day_of(START)


def at(quarters: int) -> int:
    """The moment so many quarters of an hour after the first midnight, us."""
    return START + quarters * QUARTER


def days(number: int) -> int:
    """So many days in quarters of an hour."""
    return number * 96


def place(quarter: int) -> str:
    """The slice that begins so many quarters of an hour after the first midnight."""
    return slice_path("", at(quarter)).partition("/")[2]


@define
class MemoryTables:
    """An output in memory. `sizes` are asked for by nobody here: no file is read."""

    root: str
    runs: list[Manifest] = field(factory=list)
    pruned: Pruned = field(factory=Pruned)

    def manifests(self, since: datetime | None, until: datetime | None) -> Sequence[Manifest]:
        del since, until
        return self.pruned.left(live_manifests(self.runs))

    def of_owners(self, version: str, owners: Iterable[str]) -> Sequence[Manifest]:
        hashes = set(map(owner_hash, owners))
        return [
            run
            for run in self.manifests(None, None)
            if run.facts.feature_spec_version == version and owner_hash(run.owner) in hashes
        ]

    def pruned_up_to(self) -> Pruned:
        return self.pruned

    def sizes(self, paths: Iterable[str]) -> Mapping[str, int]:
        raise AssertionError(f"not asked for {paths}")


@define
class TablesSink:
    """Publishes to an output in memory."""

    tables: MemoryTables

    @property
    def place(self) -> MemoryPlace:
        return MemoryPlace(self.tables.root)

    def standing(self, facts: RunFacts, since: int) -> Standing:
        return standing_of(self.tables.runs, facts, since, pruned=self.tables.pruned)

    def open_staging(
        self, run_id: str, tables: Iterable[Table], notice: Callable[[str], None]
    ) -> TablesStaging:
        del run_id, tables, notice
        return TablesStaging(self.tables)


@define
class TablesStaging:
    tables: MemoryTables
    root: str = "memory:/staging"
    restarts: ClassVar[list[str]] = []

    def restart(self) -> None:
        self.restarts.append(self.root)

    def publish(self, publication: Publication) -> Manifest:
        number = len(self.tables.runs) + 1
        files = [target.placed(f"{number:012x}", 10, "00") for target in publication.targets([])]
        former = [one for one in self.tables.runs if one.owner == publication.facts.owner]
        made = publication.manifest(number, f"{number:012x}", files, former[-1] if former else None)
        self.tables.runs.append(made)
        return made

    def publish_day(self, compaction: object) -> Manifest:
        raise AssertionError(compaction)

    def set_aside(self, publication: Publication) -> str:
        raise AssertionError(publication)

    def close(self) -> None:
        """Nothing is left."""


@define
class CountingEngine:
    """Builds one row per run; `meanwhile` happens before it fails, `failures` times."""

    name: ClassVar[str] = "counting"
    seen: list[Any] = field(factory=list)
    failures: int = 0
    meanwhile: Callable[[], object] = lambda: None

    def _tried(self, inputs: object) -> None:
        self.seen.append(inputs)
        if self.failures:
            self.failures -= 1
            self.meanwhile()
            raise OSError("a file went away")


@define
class CountingHistory(CountingEngine):
    def build(
        self, plan: HistoryPlan, inputs: HistoryInputs, staging_root: str
    ) -> Mapping[str, int]:
        del staging_root
        self._tried(inputs)
        path = day_path(plan.feature_spec_version, plan.start)
        return {f"pair_history/{path}/role=outbound/part.parquet": 1}


@define
class CountingWindows(CountingEngine):
    def build(self, plan: WindowPlan, inputs: WindowInputs, staging_root: str) -> Mapping[str, int]:
        del staging_root
        self._tried(inputs)
        path = slice_path(plan.feature_spec_version, inputs.anchor)
        return {f"fg_a/{path}/role=outbound/part.parquet": 1}


@define
class World:
    """An output of deltas, and one of the features that are made of them."""

    spec: FgASpec = field(factory=lambda: parse_fg_a_spec({"project_name": "test", "kind": "fg_a"}))
    deltas: MemoryTables = field(factory=lambda: MemoryTables("memory:/deltas"))
    features: MemoryTables = field(factory=lambda: MemoryTables("memory:/features"))
    history_engine: CountingHistory = field(factory=CountingHistory)
    window_engine: CountingWindows = field(factory=CountingWindows)

    def contribute(
        self,
        batch: str,
        first: int,
        end: int | None = None,
        *,
        rows: Quarters | None = None,
        content: str = "",
        has_bounds: bool = True,
        **facts: Any,
    ) -> Manifest:
        """Publish a mini-batch whose span is the quarters from `first` up to `end` (default: the next one).

        It has rows in these, or in those of `rows`. Other `content` gives it another digest.
        """
        last = first + 1 if end is None else end
        number = len(self.deltas.runs) + 1
        run = RunFacts(
            "test", "delta_builder", "v1", "00", batch, f"run-{number}", "memory", "test"
        )
        bounds = SliceBounds(at(first), at(last)) if has_bounds else None
        run = evolve(run, bounds=bounds, meaning=meaning_of(DELTA_SPEC))
        run = evolve(run, **facts)
        made = Manifest(
            published_at=number,
            token=f"{number:012x}",
            facts=run,
            columns=DELTA_COLUMNS,
            contributions=tuple(
                Contribution(run.job_name, batch, place(one), f"{batch} {one} {content}")
                for one in (range(first, last) if rows is None else rows)
            ),
            files=(),
        )
        self.deltas.runs.append(made)
        return made

    def prune(self, quarter: int) -> None:
        """Prune the deltas before a quarter."""
        self.deltas.pruned = Pruned({"v1": at(quarter)})

    def compact(self, day: Manifest, *gone: Manifest) -> None:
        """Put a compacted day in the place of runs."""
        self.deltas.runs = [one for one in self.deltas.runs if one not in gone] + [day]

    def history_runner(self, day: int, **changes: Any) -> HistoryRunner:
        """The run of a day, by its number from the first day on."""
        spec: PairHistorySpec = changes.pop("spec", history_spec_of(self.spec))
        return HistoryRunner(
            spec=spec,
            day=FIRST_DAY + day,
            run_id=f"history-{day}",
            deltas=self.deltas,
            features=self.features,
            sink=TablesSink(self.features),
            start_engine=lambda _: Chosen(self.history_engine),
            log=QuietLog(),
            **changes,
        )

    def build_day(self, day: int, **changes: Any) -> FeatureRunSummary:
        return self.history_runner(day, **changes).run()

    def window_runner(self, quarter: int, **changes: Any) -> FgARunner:
        """The run of the windows that end so many quarters of an hour after the first midnight."""
        return FgARunner(
            spec=changes.pop("spec", self.spec),
            anchor=at(quarter),
            run_id=f"windows-{quarter}",
            deltas=self.deltas,
            features=self.features,
            sink=TablesSink(self.features),
            start_engine=lambda _: Chosen(self.window_engine),
            log=QuietLog(),
            **changes,
        )

    def build_windows(self, quarter: int, **changes: Any) -> FeatureRunSummary:
        return self.window_runner(quarter, **changes).run()
