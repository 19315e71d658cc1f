"""One run of the delta job over folders."""

from __future__ import annotations

import logging
import re
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from ndr_adapters.local import FolderSink, FolderSource, JobSpecFile
from ndr_core.build import DeltaBuilderRunner, RunSummary
from ndr_core.job_spec import RuntimeParams
from ndr_core.ports import Engine, RunLog
from ndr_core.times import parse_bound
from ndr_entrypoints.run_log import LineLog, QuietLog, live_log


def run_job(
    *,
    spec: Path,
    source: Path,
    target: Path,
    engine: str,
    slice_start: str | None,
    slice_end: str | None,
    mini_batch_id: str | None,
    run_id: str | None,
    quiet: bool,
) -> RunSummary:
    """Run the job of a JobSpec file. Raises what `DeltaBuilderRunner.run` and reading the spec raise."""
    job = JobSpecFile(spec).load()
    params = RuntimeParams(
        mini_batch_id=mini_batch_id or _id_from(source),
        run_id=run_id or uuid.uuid4().hex,
        slice_start=parse_bound(slice_start, "slice-start") if slice_start else None,
        slice_end=parse_bound(slice_end, "slice-end") if slice_end else None,
    )
    flows = FolderSource(source)
    flows.files()  # a missing input is told before an engine starts
    with _run_log(quiet) as log:
        return DeltaBuilderRunner(
            spec=job,
            params=params,
            source=flows,
            engine=make_engine(engine),
            sink=FolderSink(target),
            log=log,
            code_version=version("ndr-delta-builder"),
        ).run()


def make_engine(name: str) -> Engine:
    """The engine of that name, with the Spark session of this machine where it needs one."""
    if name == "polars":
        from ndr_adapters.polars import PolarsEngine

        return PolarsEngine()
    if name == "reference":
        from ndr_adapters.reference import ReferenceEngine

        return ReferenceEngine()
    from ndr_adapters.spark import SparkEngine, local_session

    return SparkEngine(local_session())


def _id_from(source: Path) -> str:
    """A mini-batch id from the name of its folder or file."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", source.resolve().name.partition(".")[0])
    return name.strip("._-") or "mini-batch"


@contextmanager
def _run_log(quiet: bool) -> Iterator[RunLog]:
    if quiet:
        yield QuietLog()
    elif sys.stderr.isatty():
        with live_log(Console(stderr=True)) as log:
            yield log
    else:
        yield LineLog(_line_logger())


def _line_logger() -> logging.Logger:
    """The run's own lines on standard error, and nobody else's."""
    logger = logging.getLogger("ndr")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    return logger
