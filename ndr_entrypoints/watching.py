"""What `ndr watch` is wired from: a landing folder, an output, the notes between them, and what builds."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

from attrs import field, frozen

from ndr_adapters.local.known import KnownManifests
from ndr_adapters.local.landing import FolderLanding
from ndr_adapters.local.notes import NotesFile
from ndr_adapters.local.pruned import read_pruned
from ndr_adapters.local.sink import FolderSink
from ndr_adapters.parquet_files import read_rows
from ndr_adapters.polars.engine import PolarsEngine
from ndr_adapters.polars.moments import greatest_moment
from ndr_core.deltas.engine import Engine, asked_for
from ndr_core.deltas.job import DeltaBuilderRunner
from ndr_core.deltas.meaning import meaning_of
from ndr_core.deltas.plan import DeltaPlan, compile_plan
from ndr_core.deltas.spec import JobSpec
from ndr_core.flows.source import InputBatch
from ndr_core.jobs.ports import QuietLog
from ndr_core.jobs.run import RuntimeParams
from ndr_core.publishing.manifest import Manifest, RunFacts
from ndr_core.publishing.sink import Staging
from ndr_core.publishing.standing import Overrides, Standing, check_standing
from ndr_core.tables.slices import SliceBounds
from ndr_core.tables.table import Table
from ndr_core.times import MINUTE_US, now_us
from ndr_core.version import __version__
from ndr_core.watching.attempts import Attempt
from ndr_core.watching.counted import Counted, CountedRun, counted_runs
from ndr_core.watching.decide import ToBuild
from ndr_core.watching.ports import WatchLog
from ndr_core.watching.span import span_after
from ndr_core.watching.stillness import Moment, Stillness
from ndr_core.watching.watcher import Watcher

Undisturbed = Callable[[], AbstractContextManager[Any]]


class Notices(QuietLog):
    """Passes on what a user should know of a run, and nothing else."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def notice(self, message: str) -> None:
        self._tell(message)


@frozen
class _FreshSink:
    """A sink that looks for what others published only since the watcher has looked itself."""

    sink: FolderSink
    looked_at: Callable[[], int]

    @property
    def place(self) -> Any:
        return self.sink.place

    def open_staging(
        self, run_id: str, tables: Iterable[Table], notice: Callable[[str], None]
    ) -> Staging:
        return self.sink.open_staging(run_id, tables, notice)

    def standing(self, facts: RunFacts, since: int) -> Standing:
        return self.sink.standing(facts, max(since, self.looked_at()))


@frozen(slots=False)
class LocalBuilder:
    """Builds mini-batches of a landing folder into an output's folder, in this process."""

    spec: JobSpec
    landing: FolderLanding
    output: Path
    notice: Callable[[str], None]
    undisturbed: Undisturbed
    span_pattern: re.Pattern[str] | None = None
    known: KnownManifests = field(init=False)
    engine: Engine = field(factory=PolarsEngine)
    _looked_at: list[int] = field(factory=lambda: [0], init=False)

    @known.default
    def _known_of_output(self) -> KnownManifests:
        return KnownManifests(self.output)

    def check(self) -> None:
        """Raise SpecError or UsageError for what would fail each mini-batch: a wrong JobSpec, the output of others."""
        compile_plan(self.spec, RuntimeParams(mini_batch_id="any", run_id="any"))
        facts = RunFacts(
            project_name=self.spec.project_name,
            job_name=self.spec.job_name,
            feature_spec_version=self.spec.feature_spec_version,
            spec_sha256=self.spec.content_hash(),
            mini_batch_id="any",
            run_id="any",
            engine="",
            code_version=__version__,
            meaning=meaning_of(self.spec),
        )
        standing = FolderSink(self.output).standing(facts, now_us())
        check_standing(standing, facts, {}, Overrides())

    def counted(self, attempts: Iterable[Attempt]) -> Counted:
        return Counted.of(self._runs(), attempts, self._first())

    def confirmed(self, attempts: Iterable[Attempt]) -> list[Attempt]:
        """Give the notes whose runs count, or were pruned while files lie on: no others say anything.

        Raises as `counted`.
        """
        live = {run.run_id for run in self._runs()}
        first = self._first()
        return [
            attempt
            for attempt in attempts
            if attempt.run_id in live
            or (attempt.is_pruned(first) and any(map(self.landing.has, attempt.sources)))
        ]

    def _runs(self) -> list[CountedRun]:
        self._looked_at[0] = now_us()
        manifests = self.known.live()
        return counted_runs(manifests, self.spec.feature_spec_version, self.spec.job_name)

    def _first(self) -> int:
        """The start of the first slice that prune has left, us."""
        return read_pruned(self.output).firsts.get(self.spec.feature_spec_version, 0)

    def build(self, batch: ToBuild, run_id: str, front: int | None) -> Manifest:
        replaced = batch.replaces
        if replaced is not None:
            front = None if replaced.bounds is None else replaced.bounds.start
        follows = self.span_pattern is None and front is not None
        sink = FolderSink(self.output)
        done = DeltaBuilderRunner(
            spec=self.spec,
            params=RuntimeParams(mini_batch_id=batch.mini_batch_id, run_id=run_id),
            source=self.landing.batch(batch.sources),
            start_engine=asked_for(lambda: self.engine),
            sink=sink if replaced is not None else _FreshSink(sink, lambda: self._looked_at[0]),
            log=Notices(self.notice),
            code_version=__version__,
            undisturbed=self.undisturbed,
            read_rows=read_rows,
            span_pattern=self.span_pattern,
            find_bounds=partial(self._bounds, batch, front) if follows else None,
        ).run()
        self.known.add(done.manifest)
        return done.manifest

    def _bounds(
        self, batch: ToBuild, front: int | None, plan: DeltaPlan, files: InputBatch
    ) -> SliceBounds | None:
        grid = self.spec.delta.slice_minutes * MINUTE_US
        return span_after(front, greatest_moment(plan, files), batch.written, grid)


def moment_now() -> Moment:
    """Give this machine's time: what is finished depends on it, and no value of a table does."""
    return Moment(now_us(), time.monotonic_ns() // 1_000)


def watcher_of(
    builder: LocalBuilder,
    notes: NotesFile,
    log: WatchLog,
    settle: int,
    retry: int,
    after_batch: Callable[[int | None, int | None], object] = lambda _before, _now: None,
) -> Watcher:
    """Wire a watcher. `settle`, `retry`: us for which a file must lie still, until what failed is tried again.

    `after_batch`: as of `Watcher`.
    """
    return Watcher(
        landing=builder.landing,
        notes=notes,
        builder=builder,
        log=log,
        clock=moment_now,
        new_run_id=lambda: uuid.uuid4().hex,
        stillness=Stillness(settle),
        retry=retry,
        after_batch=after_batch,
    )
