"""One run of the delta job of a JobSpec file."""

from __future__ import annotations

import logging
import re
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

from ndr_adapters.local import JobSpecFile
from ndr_core.build import DeltaBuilderRunner, RunSummary
from ndr_core.job_spec import RuntimeParams
from ndr_core.ports import RunLog
from ndr_core.s3_address import is_s3
from ndr_core.times import parse_bound
from ndr_entrypoints.places import Places
from ndr_entrypoints.run_log import LineLog, NoticesOnly, QuietLog, live_log


def run_job(
    *,
    spec: Path,
    source: str,
    target: str,
    engine: str,
    slice_start: str | None,
    slice_end: str | None,
    mini_batch_id: str | None,
    run_id: str | None,
    quiet: bool,
    only_notices: bool,
    undisturbed: Callable[[], AbstractContextManager[Any]],
) -> RunSummary:
    """Run the job of a JobSpec file. Raises what `DeltaBuilderRunner.run` and reading the spec raise."""
    job = JobSpecFile(spec).load()
    params = RuntimeParams(
        mini_batch_id=mini_batch_id or _id_from(source),
        run_id=run_id or uuid.uuid4().hex,
        slice_start=parse_bound(slice_start, "slice-start") if slice_start else None,
        slice_end=parse_bound(slice_end, "slice-end") if slice_end else None,
    )
    places = Places.of(source, target)
    with _run_log(quiet, only_notices) as log:
        return DeltaBuilderRunner(
            spec=job,
            params=params,
            source=places.source,
            engine=lambda: places.engine(engine),
            sink=places.sink,
            log=log,
            code_version=version("ndr-delta-builder"),
            undisturbed=undisturbed,
        ).run()


def _id_from(source: str) -> str:
    """A mini-batch id from the name of its folder, file or prefix."""
    last = source.rstrip("/").rpartition("/")[2] if is_s3(source) else Path(source).resolve().name
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", last.partition(".")[0])
    return name.strip("._-") or "mini-batch"


@contextmanager
def _run_log(quiet: bool, only_notices: bool) -> Iterator[RunLog]:
    if quiet:
        yield QuietLog()
    elif only_notices:
        yield NoticesOnly()
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
