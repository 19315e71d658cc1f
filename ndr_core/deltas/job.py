"""The delta job: read a mini-batch, judge its quality, build its deltas, publish them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from itertools import chain
from typing import Any

from attrs import evolve, field, frozen

from ndr_core.deltas.engine import ChosenEngine, Engine, EngineResult
from ndr_core.deltas.plan import DeltaPlan, compile_plan
from ndr_core.deltas.spec import JobSpec
from ndr_core.errors import EngineReadError, NdrError, UnreadableFileError
from ndr_core.flows.broken_files import BrokenFiles, refuse_changes
from ndr_core.flows.file_format import Head
from ndr_core.flows.first_look import first_look
from ndr_core.flows.line_blocks import lines_of
from ndr_core.flows.looks_like import LOOK_BYTES, looks_like
from ndr_core.flows.source import FlowSource, InputBatch, InputFile, read_named
from ndr_core.jobs.ports import RunLog
from ndr_core.jobs.run import RuntimeParams, Stage
from ndr_core.jobs.runner import JobRunner
from ndr_core.place import refuse_overlap
from ndr_core.progress import Meter, progress_reported
from ndr_core.publishing.manifest import Manifest, RunFacts
from ndr_core.publishing.sink import Publication, Sink, Staging
from ndr_core.quality.report import QualityReport, make_report
from ndr_core.quality.settings import OnUnreadableFile


@frozen
class RunSummary:
    """What a run did."""

    manifest: Manifest
    seconds: float

    @property
    def report(self) -> QualityReport:
        """What the quality rules did to the records."""
        report = self.manifest.facts.report
        assert report is not None, "each run of a delta job has a report"
        return report


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

    def run(self) -> RunSummary:
        """Build and publish, or publish nothing at all.

        Raises SpecError or UsageError before any work, UnreadableFileError, ThresholdError or
        OverflowingColumnError after; what was published before is untouched then. From publication on,
        a failure is an AfterPublicationError; StopRequested passes, and says whether the run is published.
        """
        started = time.monotonic()
        plan = compile_plan(self.spec, self.params)
        refuse_overlap([self.source.place], self.sink.place)
        broken = BrokenFiles(self.spec.quality.on_unreadable_file is OnUnreadableFile.FAIL)
        jobs = JobRunner(self.sink, self.log, self.undisturbed)
        with jobs.stage(Stage.LOOK) as facts:
            files = self.source.files(self.log.notice)
            refuse_overlap(self.source.places(files), self.sink.place)
            facts |= {"files": len(files), "bytes": sum(file.size_bytes for file in files)}
            batch = self._look(files, broken)

        def work(staging: Staging) -> Publication:
            with jobs.stage(Stage.START) as facts:
                chosen = self.start_engine(batch)
                engine = chosen.engine
                facts |= {"engine": engine.name, "because": chosen.reason}
            with jobs.stage(Stage.BUILD, engine=engine.name) as facts:
                result = self._build(engine, plan, batch, broken, staging)
                report = _report(plan, result, broken)
                facts |= {"read": report.read, "kept": report.kept}
                facts |= {"rows": sum(result.rows.values())}
            report.check(self.spec.quality, lambda: self._looks_like(broken.readable(files)))
            return Publication(
                facts=self._facts(report, engine.name),
                tables=plan.tables,
                rows=result.rows,
                bounds=plan.bounds,
                rejected=result.rejected_files,
                unreadable=tuple(broken.problems),
            )

        manifest = jobs.run(self.params.run_id, plan.tables, work)
        return RunSummary(manifest, time.monotonic() - started)

    def _look(self, files: tuple[InputFile, ...], broken: BrokenFiles) -> InputBatch:
        """The readable files, and what a first look at them shows."""
        heads = self.source.heads(files)
        for file, head in heads.items():
            if head.problem is not None:
                broken.set_aside(file, head.problem)
        while True:
            readable = broken.readable(files)
            try:
                return self._looked_at(readable, heads)
            except UnreadableFileError as error:
                broken.set_aside_named(readable, error)

    def _looked_at(
        self, files: tuple[InputFile, ...], heads: Mapping[InputFile, Head]
    ) -> InputBatch:
        blocks = (read_named(self.source.blocks, file) for file in files)
        lines = lines_of(chain.from_iterable(blocks))
        orders = first_look(lines, self.spec.required_columns())
        return InputBatch(files, self.source.blocks, orders, heads)

    def _looks_like(self, files: tuple[InputFile, ...]) -> str | None:
        """What the first file with data looks like, where that is something known that is no JSON Lines."""
        for file in files:
            with suppress(NdrError):
                head = next(filter(None, self.source.blocks(file)), None)
                if head is not None:
                    return looks_like(head[:LOOK_BYTES])
        return None

    def _build(
        self,
        engine: Engine,
        plan: DeltaPlan,
        batch: InputBatch,
        broken: BrokenFiles,
        staging: Staging,
    ) -> EngineResult:
        """The engine's result; when it can't read, find the broken files and, if allowed, go on without."""
        for file, problem in engine.unfit_files(batch).items():
            broken.set_aside(file, problem)
        while True:
            batch = evolve(batch, files=broken.readable(batch.files))
            try:
                result = self._metered_build(engine, plan, batch, staging)
            except (EngineReadError, UnreadableFileError) as failure:
                refuse_changes(self.source, batch.files)
                broken.find(self.source, batch.files, failure)
            else:
                refuse_changes(self.source, batch.files)
                return result
            staging.restart()

    def _metered_build(
        self, engine: Engine, plan: DeltaPlan, batch: InputBatch, staging: Staging
    ) -> EngineResult:
        """The engine's result; while it builds, the log hears how far it is."""
        meter = Meter(batch.size_bytes, engine.reading_share)
        with progress_reported(meter, self.log.progress):
            return engine.build(plan, evolve(batch, meter=meter), staging.root)

    def _facts(self, report: QualityReport, engine: str) -> RunFacts:
        return RunFacts(
            project_name=self.spec.project_name,
            job_name=self.spec.job_name,
            feature_spec_version=self.spec.feature_spec_version,
            spec_sha256=self.spec.content_hash(),
            mini_batch_id=self.params.mini_batch_id,
            run_id=self.params.run_id,
            engine=engine,
            code_version=self.code_version,
            report=report,
        )


def _report(plan: DeltaPlan, result: EngineResult, broken: BrokenFiles) -> QualityReport:
    return make_report(
        plan.reject_rules,
        result.kept,
        result.rejected,
        result.marked,
        result.blank_lines,
        {file.name: problem for file, problem in broken.problems.items()},
    )
