"""The use case: read a mini-batch, judge its quality, build its deltas, publish them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from itertools import chain
from typing import Any

from attrs import evolve, field, frozen

from ndr_core.delta import DeltaPlan, compile_plan
from ndr_core.errors import (
    EngineReadError,
    InputChangedError,
    NdrError,
    UnreadableFileError,
    UsageError,
    after_publication,
)
from ndr_core.file_format import Head
from ndr_core.job_spec import JobSpec, OnUnreadableFile, RuntimeParams
from ndr_core.line_blocks import lines_of
from ndr_core.manifest import TABLES, Manifest, RunFacts
from ndr_core.peek import look
from ndr_core.ports import (
    DeltaSink,
    Engine,
    EngineResult,
    FlowSource,
    InputBatch,
    InputFile,
    Place,
    RunLog,
    Staging,
    read_named,
)
from ndr_core.quality import QualityReport, make_report


@frozen
class RunSummary:
    """What a run did."""

    report: QualityReport
    manifest: Manifest
    seconds: float


@frozen
class DeltaBuilderRunner:
    """Runs one delta job through its ports."""

    spec: JobSpec
    params: RuntimeParams
    source: FlowSource
    engine: Callable[[], Engine] = field(
        metadata={
            "doc": "makes the engine, once the input has been looked at: starting one takes seconds"
        }
    )
    sink: DeltaSink
    log: RunLog
    code_version: str = field(default="unknown")
    undisturbed: Callable[[], AbstractContextManager[Any]] = field(
        default=nullcontext,
        metadata={"doc": "holds back requests to stop (StopRequested) while the run is published"},
    )

    def run(self) -> RunSummary:
        """Build and publish, or publish nothing at all.

        Raises SpecError or UsageError before any work, UnreadableFileError, ThresholdError or
        OverflowingColumnError after; what was published before is untouched then. From publication on,
        a failure is an AfterPublicationError; StopRequested passes, told whether the run is published.
        """
        started = time.monotonic()
        plan = compile_plan(self.spec, self.params)
        self._refuse_overlap([self.source.place])
        broken: dict[InputFile, str] = {}
        with self._stage("look") as facts:
            files = self.source.files(self.log.notice)
            self._refuse_overlap(self.source.places(files))
            facts |= {"files": len(files), "bytes": sum(file.size_bytes for file in files)}
            heads = self.source.heads(files)
            for file, head in heads.items():
                if head.problem is not None:
                    self._set_aside(broken, file, head.problem)
            batch = self._look(files, heads, broken)
        staging = self.sink.open_staging(self.params, self.log.notice)
        manifest: Manifest | None = None
        try:
            with self._stage("start"):
                engine = self.engine()
            with self._stage("build", engine=engine.name) as facts:
                result = self._build(engine, plan, batch, broken, staging)
                report = self._report(plan, result, broken)
                facts |= {"read": report.read, "kept": report.kept}
                facts |= {"rows": sum(result.rows.values())}
            report.check(self.spec.quality)
            with self._stage("publish") as facts:
                run = RunFacts.of(plan, report, engine.name, self.code_version)
                with self.undisturbed():
                    manifest = staging.publish(plan, run, result.rows, list(broken))
                facts |= {
                    "slices": len(manifest.slices()),
                    "files": len(manifest.files),
                    "rows": sum(file.rows for file in manifest.files if file.table in TABLES),
                    "bytes": sum(file.bytes for file in manifest.files),
                }
        except BaseException as error:
            # What fails while closing must not hide what failed before; the next run tidies up.
            with suppress(NdrError, OSError):
                staging.close()
            if manifest is None:
                raise
            with after_publication("it could not be logged"):
                raise error
        with after_publication("its staging place could not be removed, which the next run does"):
            staging.close()
        return RunSummary(report, manifest, time.monotonic() - started)

    def _refuse_overlap(self, sources: Iterable[Place]) -> None:
        """Raise UsageError where a run would read what runs publish."""
        target = self.sink.place
        for source in sources:
            if source.holds(target) or target.holds(source):
                raise UsageError(
                    f"output {target} and input {source}: one lies in the other, so that a run would "
                    "read what runs publish; give an output apart from the input"
                )

    def _look(
        self,
        files: tuple[InputFile, ...],
        heads: Mapping[InputFile, Head],
        broken: dict[InputFile, str],
    ) -> InputBatch:
        while True:
            readable = tuple(file for file in files if file not in broken)
            try:
                blocks = (read_named(self.source.blocks, file) for file in readable)
                lines = lines_of(chain.from_iterable(blocks))
                orders = look(lines, self.spec.required_columns())
            except UnreadableFileError as error:
                self._set_aside_named(readable, error, broken)
                continue
            return InputBatch(readable, self.source.blocks, orders, heads)

    def _build(
        self,
        engine: Engine,
        plan: DeltaPlan,
        batch: InputBatch,
        broken: dict[InputFile, str],
        staging: Staging,
    ) -> EngineResult:
        """The engine's result; when it can't read, find the broken files and, if allowed, go on without."""
        unfit = engine.unfit_files(batch)
        for file, problem in unfit.items():
            self._set_aside(broken, file, problem)
        batch = evolve(batch, files=tuple(file for file in batch.files if file not in unfit))
        while True:
            try:
                result = engine.build(plan, batch, staging.root)
            except (EngineReadError, UnreadableFileError) as failure:
                self._refuse_changes(batch)
                readable = self._without_broken(batch, failure, broken)
            else:
                self._refuse_changes(batch)
                return result
            staging.restart()
            batch = evolve(batch, files=readable)

    def _without_broken(
        self,
        batch: InputBatch,
        failure: EngineReadError | UnreadableFileError,
        broken: dict[InputFile, str],
    ) -> tuple[InputFile, ...]:
        """The files that are left when those to blame for a failure are set aside; raises it where none is."""
        for file in batch.files:
            try:
                for _ in self.source.blocks(file):
                    pass
            except UnreadableFileError as error:
                self._set_aside(broken, file, str(error))
        if not any(file in broken for file in batch.files) and failure.uri is not None:
            self._set_aside_named(batch.files, failure, broken)
        readable = tuple(file for file in batch.files if file not in broken)
        if len(readable) == len(batch.files):
            raise failure
        return readable

    def _refuse_changes(self, batch: InputBatch) -> None:
        changed = self.source.changed(batch.files)
        if changed:
            raise InputChangedError(changed[0].name)

    def _set_aside_named(
        self,
        files: Iterable[InputFile],
        error: UnreadableFileError | EngineReadError,
        broken: dict[InputFile, str],
    ) -> None:
        """Set aside the file that an error names."""
        for file in files:
            if file.uri == error.uri:
                self._set_aside(broken, file, str(error))

    def _set_aside(self, broken: dict[InputFile, str], file: InputFile, problem: str) -> None:
        if self.spec.quality.on_unreadable_file is OnUnreadableFile.FAIL:
            raise UnreadableFileError(
                f"{file.name}: {problem}; nothing was published. Send the file again, or set "
                "quality.on_unreadable_file: quarantine to go on without it"
            )
        broken[file] = problem

    def _report(
        self, plan: DeltaPlan, result: EngineResult, broken: dict[InputFile, str]
    ) -> QualityReport:
        return make_report(
            plan.reject_rules,
            result.kept,
            result.rejected,
            result.repaired,
            result.blank_lines,
            {file.name: problem for file, problem in broken.items()},
        )

    @contextmanager
    def _stage(self, name: str, **facts: Any) -> Iterator[dict[str, Any]]:
        started = time.monotonic()
        self.log.stage(name, **facts)
        outcome: dict[str, Any] = {}
        yield outcome
        self.log.done(name, time.monotonic() - started, **outcome)
