"""The use case: read a mini-batch, judge its quality, build its deltas, publish them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

from attrs import evolve, field, frozen

from ndr_core.delta import DeltaPlan, compile_plan
from ndr_core.errors import (
    AfterPublicationError,
    EngineReadError,
    NdrError,
    StopRequested,
    UnreadableFileError,
)
from ndr_core.job_spec import JobSpec, OnUnreadableFile, RuntimeParams
from ndr_core.manifest import TABLES, Manifest, RunFacts
from ndr_core.peek import look
from ndr_core.ports import (
    DeltaSink,
    Engine,
    EngineResult,
    FlowSource,
    InputBatch,
    InputFile,
    RunLog,
    Staging,
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
        broken: dict[InputFile, str] = {}
        with self._stage("look") as facts:
            files = self.source.files()
            facts |= {"files": len(files), "bytes": sum(file.size_bytes for file in files)}
            for file, problem in self.source.header_problems(files).items():
                self._set_aside(broken, file, problem)
            batch = self._look(files, broken)
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
            if isinstance(error, StopRequested):
                error.published = manifest is not None
            # What fails while closing must not hide what failed before; the next run tidies up.
            with suppress(NdrError, OSError):
                staging.close()
            raise
        try:
            staging.close()
        except (NdrError, OSError) as error:
            raise AfterPublicationError(
                f"the run is published, but its staging place could not be removed ({error}); "
                "the next run removes it"
            ) from error
        except StopRequested as stop:
            stop.published = True
            raise
        return RunSummary(report, manifest, time.monotonic() - started)

    def _look(self, files: tuple[InputFile, ...], broken: dict[InputFile, str]) -> InputBatch:
        while True:
            readable = tuple(file for file in files if file not in broken)
            try:
                orders = look(self._lines(readable), self.spec.required_columns())
            except _BrokenFileError as error:
                self._set_aside(broken, error.file, error.problem)
                continue
            return InputBatch(readable, self.source.lines, orders)

    def _build(
        self,
        engine: Engine,
        plan: DeltaPlan,
        batch: InputBatch,
        broken: dict[InputFile, str],
        staging: Staging,
    ) -> EngineResult:
        """The engine's result; when it can't read, find the broken files and, if allowed, go on without."""
        try:
            return engine.build(plan, batch, staging.root)
        except (EngineReadError, UnreadableFileError) as failure:
            for file in batch.files:
                try:
                    for _ in self.source.lines(file):
                        pass
                except UnreadableFileError as error:
                    self._set_aside(broken, file, str(error))
            readable = tuple(file for file in batch.files if file not in broken)
            if len(readable) == len(batch.files):
                raise failure
        staging.restart()
        return engine.build(plan, evolve(batch, files=readable), staging.root)

    def _lines(self, files: tuple[InputFile, ...]) -> Iterator[bytes]:
        for file in files:
            try:
                yield from self.source.lines(file)
            except UnreadableFileError as error:
                raise _BrokenFileError(file, str(error)) from error

    def _set_aside(self, broken: dict[InputFile, str], file: InputFile, problem: str) -> None:
        if self.spec.quality.on_unreadable_file is OnUnreadableFile.FAIL:
            raise UnreadableFileError(
                f"{file.uri}: {problem}; nothing was published. Send the file again, or set "
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
            {file.uri: problem for file, problem in broken.items()},
        )

    @contextmanager
    def _stage(self, name: str, **facts: Any) -> Iterator[dict[str, Any]]:
        started = time.monotonic()
        self.log.stage(name, **facts)
        outcome: dict[str, Any] = {}
        yield outcome
        self.log.done(name, time.monotonic() - started, **outcome)


class _BrokenFileError(Exception):
    def __init__(self, file: InputFile, problem: str) -> None:
        super().__init__(problem)
        self.file = file
        self.problem = problem
