"""The delta job: read a mini-batch, judge its quality, build its deltas, publish them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from itertools import chain
from typing import Any, Final, TypeVar

from attrs import evolve, field, frozen

from ndr_core.deltas.engine import ChosenEngine, Engine, EngineResult
from ndr_core.deltas.meaning import meaning_of
from ndr_core.deltas.plan import DeltaPlan, compile_plan
from ndr_core.deltas.spec import JobSpec
from ndr_core.errors import EngineReadError, NdrError, ThresholdError, UnreadableFileError
from ndr_core.flows.broken_files import BrokenFiles, refuse_changes
from ndr_core.flows.file_choice import chosen_files
from ndr_core.flows.file_format import Head, format_problem, other_texts
from ndr_core.flows.first_look import first_look, look_at_objects
from ndr_core.flows.formats import FileFormat
from ndr_core.flows.line_blocks import lines_of
from ndr_core.flows.looks_like import LOOK_BYTES, looks_like
from ndr_core.flows.name_span import span_of_names
from ndr_core.flows.records import ReadRows, no_rows, objects_of
from ndr_core.flows.source import FlowSource, InputBatch, InputFile, naming, read_named
from ndr_core.jobs.ports import RunLog
from ndr_core.jobs.run import RuntimeParams, Stage
from ndr_core.jobs.runner import JobRunner
from ndr_core.place import refuse_overlap
from ndr_core.progress import Meter, progress_reported
from ndr_core.publishing.manifest import Manifest, RunFacts
from ndr_core.publishing.sink import Publication, Sink, StagedFiles, Staging
from ndr_core.publishing.standing import Overrides, check_standing, stale_replay
from ndr_core.quality.report import QualityReport, make_report
from ndr_core.quality.settings import OnUnreadableFile
from ndr_core.tables.slices import SliceBounds
from ndr_core.times import DAY_US, MINUTE_US, now_us

ReadT = TypeVar("ReadT")

_MOST_LOOKED_AT: Final = 20
"""Files of a batch of which nothing can be used."""


@frozen
class RunSummary:
    """What a run did."""

    manifest: Manifest
    seconds: float

    @property
    def report(self) -> QualityReport:
        """What the quality rules did to the records."""
        return _report_of(self.manifest.facts)


@frozen
class Judged:
    """What a run would have made of its records."""

    report: QualityReport
    problem: str | None
    """Why it would have published nothing, if so."""
    seconds: float


@frozen
class _Ready:
    """What is known before the work begins."""

    files: tuple[InputFile, ...]
    batch: InputBatch
    broken: BrokenFiles
    plan: DeltaPlan
    prints: Mapping[InputFile, str]
    facts: RunFacts


@frozen
class DeltaBuilderRunner:
    """Runs one delta job through its ports."""

    spec: JobSpec
    params: RuntimeParams
    source: FlowSource
    start_engine: Callable[[InputBatch], ChosenEngine]
    """Makes the engine for the input, once that has been looked at: starting one takes seconds."""
    sink: Sink
    log: RunLog
    code_version: str = "unknown"
    undisturbed: Callable[[], AbstractContextManager[Any]] = field(default=nullcontext)
    """Holds back requests to stop (StopRequested) while the run is published."""
    read_rows: ReadRows = no_rows
    """Reads Parquet, for a first look."""
    overrides: Overrides = field(factory=Overrides)
    span_pattern: re.Pattern[str] | None = None
    """Finds the bounds in the names of the files (`name_span`); None where the parameters give them, or none."""
    find_bounds: Callable[[DeltaPlan, InputBatch], SliceBounds | None] | None = None
    """Finds the bounds in the records, where neither parameters nor names tell them; None: there are none."""

    def run(self) -> RunSummary:
        """Build and publish, or publish nothing at all.

        Raises SpecError or UsageError before any work, UnreadableFileError, ThresholdError or
        OverflowingColumnError after; what was published before is untouched then. From publication on,
        a failure is an AfterPublicationError; StopRequested passes, and says whether the run is published.
        """
        started = time.monotonic()
        jobs = JobRunner(self.sink, self.log, self.undisturbed)
        ready = self._ready(jobs)
        manifest = jobs.run(ready.facts.run_id, ready.plan.tables, partial(self._work, jobs, ready))
        return RunSummary(manifest, time.monotonic() - started)

    def judge(self, staged: StagedFiles) -> Judged:
        """Build all that a run would, in a place that goes away, and publish nothing. Raises as `run` before work.

        Other failures are raised, too, but for a threshold that would stop the run: it is told beside the report.
        """
        started = time.monotonic()
        jobs = JobRunner(self.sink, self.log, self.undisturbed)
        ready = self._ready(jobs)
        publication = self._built(jobs, ready, staged)
        problem = None
        try:
            self._check(ready, publication)
        except ThresholdError as error:
            problem = str(error)
        return Judged(_report_of(publication.facts), problem, time.monotonic() - started)

    def _ready(self, jobs: JobRunner) -> _Ready:
        """Look at the input and at the output."""
        compile_plan(
            self.spec, self.params
        )  # what is wrong with them is told before any file is read
        refuse_overlap([self.source.place], self.sink.place)
        broken = BrokenFiles(self.spec.quality.on_unreadable_file is OnUnreadableFile.FAIL)
        with jobs.stage(Stage.LOOK) as facts:
            found = self.source.files(self.log.notice)
            files = chosen_files(found, self.spec.input.files, self.log.notice)
            refuse_overlap(self.source.places(files), self.sink.place)
            facts |= {"files": len(files), "bytes": sum(file.size_bytes for file in files)}
            if len(files) < len(found):
                facts["left_out"] = len(found) - len(files)
            batch = self._look(files, broken)
        params = self._spanned(files, batch, broken)
        prints = self._fingerprints(batch)
        plan = compile_plan(self.spec, params)
        return _Ready(files, batch, broken, plan, prints, self._checked(params, prints))

    def _work(self, jobs: JobRunner, ready: _Ready, staging: Staging) -> Publication:
        """Stage what is to be published. Raises ThresholdError where it is not."""
        publication = self._built(jobs, ready, staging)
        try:
            self._check(ready, publication)
        except ThresholdError as error:
            raise ThresholdError(f"{error}; {_set_aside(publication, staging)}") from error
        return publication

    def _built(self, jobs: JobRunner, ready: _Ready, staged: StagedFiles) -> Publication:
        plan, broken, prints = ready.plan, ready.broken, ready.prints
        with jobs.stage(Stage.START) as facts:
            chosen = self.start_engine(ready.batch)
            engine = chosen.engine
            facts |= {"engine": engine.name, "because": chosen.reason}
        with jobs.stage(Stage.BUILD, engine=engine.name) as facts:
            result = self._build(engine, plan, ready.batch, broken, staged)
            report = _report(plan, result, broken)
            facts |= {"read": report.read, "kept": report.kept}
            facts |= {"rows": sum(result.rows.values())}
        return Publication(
            facts=evolve(
                ready.facts,
                report=report,
                engine=engine.name,
                inputs=_inputs(prints, broken.readable(prints)),
            ),
            tables=plan.tables,
            rows=result.rows,
            rejected=result.rejected_files,
            unreadable=tuple(broken.problems),
        )

    def _check(self, ready: _Ready, publication: Publication) -> None:
        """Raise ThresholdError where the quality of the records forbids to publish."""
        report = _report_of(publication.facts)
        report.check(
            self.spec.quality, lambda: self._looks_like(ready.broken.readable(ready.files))
        )

    def _look(self, files: tuple[InputFile, ...], broken: BrokenFiles) -> InputBatch:
        """The readable files, and what a first look at them shows."""
        heads = self.source.heads(files)
        for file, head in heads.items():
            problem = head.problem or format_problem(head, self.spec.input.format)
            if problem is not None:
                broken.set_aside(file, problem)
        for notice in other_texts(
            {file.name: head for file, head in heads.items()}, self.spec.input.format
        ):
            self.log.notice(notice)
        while True:
            readable = broken.readable(files)
            try:
                return self._looked_at(readable, heads)
            except UnreadableFileError as error:
                broken.set_aside_named(readable, error)

    def _looked_at(
        self, files: tuple[InputFile, ...], heads: Mapping[InputFile, Head]
    ) -> InputBatch:
        chosen, wanted = self.spec.input, self.spec.wanted_columns()
        is_parquet = chosen.format is FileFormat.PARQUET
        reader = self.source.pieces if is_parquet else self.source.blocks
        if chosen.format is FileFormat.JSON:
            blocks = (read_named(reader, file) for file in files)
            look = first_look(lines_of(chain.from_iterable(blocks)), chosen, wanted)
        else:
            look = look_at_objects(self._objects(files, reader), chosen, wanted)
        for notice in look.notices:
            self.log.notice(notice)
        return InputBatch(files, reader, look.key_orders, heads)

    def _objects(
        self, files: tuple[InputFile, ...], reader: Callable[[InputFile], Iterator[bytes]]
    ) -> Iterator[Mapping[str, Any]]:
        for file in files:
            with naming(file):
                yield from objects_of(reader(file), self.spec.input, self.read_rows)

    def _looks_like(self, files: tuple[InputFile, ...]) -> str | None:
        """What the first of some files is that looks like something else than the JobSpec says."""
        chosen = self.spec.input
        layout = chosen.layout if chosen.format is FileFormat.DELIMITED else None
        for file in files[:_MOST_LOOKED_AT]:
            with suppress(NdrError):
                head = next(filter(None, self.source.pieces(file)), b"")
                hint = looks_like(head[:LOOK_BYTES], chosen.format, layout)
                if hint is not None:
                    return hint
        return None

    def _build(
        self,
        engine: Engine,
        plan: DeltaPlan,
        batch: InputBatch,
        broken: BrokenFiles,
        staging: StagedFiles,
    ) -> EngineResult:
        """The engine's result; when it can't read, find the broken files and, if allowed, go on without."""
        for file, problem in engine.unfit_files(batch).items():
            broken.set_aside(file, problem)
        return self._read(
            batch,
            broken,
            lambda readable: self._metered_build(engine, plan, readable, staging),
            staging.restart,
        )

    def _read(
        self,
        batch: InputBatch,
        broken: BrokenFiles,
        read: Callable[[InputBatch], ReadT],
        restart: Callable[[], object] = lambda: None,
    ) -> ReadT:
        """What `read` makes of the readable files; when it can't, after `restart`, of those that are left."""
        while True:
            batch = evolve(batch, files=broken.readable(batch.files))
            try:
                result = read(batch)
            except (EngineReadError, UnreadableFileError) as failure:
                refuse_changes(self.source, batch.files)
                broken.find(batch.read_blocks, batch.files, failure)
            else:
                refuse_changes(self.source, batch.files)
                return result
            restart()

    def _metered_build(
        self, engine: Engine, plan: DeltaPlan, batch: InputBatch, staging: StagedFiles
    ) -> EngineResult:
        """The engine's result; while it builds, the log hears how far it is."""
        meter = Meter(batch.size_bytes, engine.reading_share)
        with progress_reported(meter, self.log.progress):
            return engine.build(plan, evolve(batch, meter=meter), staging.root)

    def _spanned(
        self, files: tuple[InputFile, ...], batch: InputBatch, broken: BrokenFiles
    ) -> RuntimeParams:
        """The parameters; where the files tell the span, with bounds around all slices that it touches."""
        if self.find_bounds is not None:
            plan = compile_plan(self.spec, self.params)
            find = partial(self.find_bounds, plan)
            bounds = self._read(batch, broken, find)
            if bounds is None:
                return self.params
            return evolve(self.params, slice_start=bounds.start, slice_end=bounds.end)
        if self.span_pattern is None:
            return self.params
        start, end = span_of_names(self.span_pattern, [file.uri for file in files])
        grid = self.spec.delta.slice_minutes * MINUTE_US
        return evolve(
            self.params, slice_start=start // grid * grid, slice_end=-(-end // grid) * grid
        )

    def _fingerprints(self, batch: InputBatch) -> Mapping[InputFile, str]:
        """The fingerprints of the files that may hold records: empty files are all equal."""
        return self.source.fingerprints(list(filter(batch.may_hold_records, batch.files)))

    def _checked(self, params: RuntimeParams, prints: Mapping[InputFile, str]) -> RunFacts:
        """What is known of the run before it works. Raises as `check_standing`, by what the output holds."""
        facts = RunFacts(
            project_name=self.spec.project_name,
            job_name=self.spec.job_name,
            feature_spec_version=self.spec.feature_spec_version,
            spec_sha256=self.spec.content_hash(),
            mini_batch_id=params.mini_batch_id,
            run_id=params.run_id,
            engine="",
            code_version=self.code_version,
            derived_id=params.derived_id,
            bounds=params.bounds,
            inputs=_inputs(prints, prints),
            meaning=meaning_of(self.spec),
        )
        look_back = self.spec.quality.allowed_lateness + DAY_US
        standing = self.sink.standing(facts, now_us() - look_back)
        names = {found: file.name for file, found in prints.items()}
        check_standing(standing, facts, names, self.overrides)
        stale = stale_replay(standing, facts)
        if stale is not None:
            self.log.notice(stale)
        return facts


def _set_aside(publication: Publication, staging: Staging) -> str:
    """Keep report and quarantine of a run that is not published. Says where they are, or why they are not kept."""
    try:
        return (
            f"its report and the records that it rejected are in {staging.set_aside(publication)}"
        )
    except (NdrError, OSError) as error:
        return f"its report and the records that it rejected could not be kept: {error}"


def _report_of(facts: RunFacts) -> QualityReport:
    assert facts.report is not None, "each run of a delta job has a report"
    return facts.report


def _inputs(prints: Mapping[InputFile, str], files: Iterable[InputFile]) -> tuple[str, ...]:
    """The fingerprints of files, as manifests hold them."""
    return tuple(sorted({prints[file] for file in files}))


def _report(plan: DeltaPlan, result: EngineResult, broken: BrokenFiles) -> QualityReport:
    return make_report(
        plan.reject_rules,
        result.kept,
        result.rejected,
        result.marked,
        result.blank_lines,
        {file.name: problem for file, problem in broken.problems.items()},
        result.skipped,
        result.examples,
        result.unknown,
        result.flows,
    )
