"""`ndr run`: one run of the delta job of a JobSpec file."""

from __future__ import annotations

import hashlib
import logging
import re
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from ndr_adapters.local.spec_file import JobSpecFile
from ndr_adapters.parquet_files import read_rows
from ndr_core.deltas.job import DeltaBuilderRunner, RunSummary
from ndr_core.errors import UsageError, after_publication
from ndr_core.flows.name_span import name_pattern
from ndr_core.jobs.ports import QuietLog, RunLog
from ndr_core.jobs.run import RuntimeParams
from ndr_core.publishing.location import is_s3
from ndr_core.publishing.manifest import summary
from ndr_core.publishing.standing import Overrides
from ndr_core.times import parse_bound
from ndr_core.version import __version__
from ndr_entrypoints import console
from ndr_entrypoints.options import AS_JSON, EXIT_CODES, PATH, QUIET
from ndr_entrypoints.run_log import LineLog, NoticesOnly, live_log
from ndr_entrypoints.stopping import Stopping
from ndr_entrypoints.wiring import AUTO, ENGINES, Wiring

_NAME_LENGTH: Final = 100


@click.command(epilog=EXIT_CODES)
@click.option("--spec", type=PATH, required=True, help="JobSpec file, YAML or JSON.")
@click.option(
    *("-i", "--input", "input_"),
    required=True,
    help="Folder or file of logs in the format of the JobSpec, packed or not; or s3://..",
)
@click.option("-o", "--output", required=True, help="Folder to publish to, or s3://..")
@click.option(
    "--engine",
    type=click.Choice([AUTO, *ENGINES]),
    default=AUTO,
    help="What builds the deltas; auto: one machine builds what it can hold.",
)
@click.option(
    "--slice-start",
    help="ISO-8601, UTC: start of the time that the mini-batch is for, at the border of a slice. Records from "
    "before it are late: kept and counted, up to quality.allowed_lateness. If absent, no record is late or early.",
)
@click.option(
    "--slice-end",
    help="ISO-8601, UTC: end of that time. Records from it on are early, up to quality.allowed_earliness. "
    "Absent where --slice-start is.",
)
@click.option(
    "--mini-batch-id",
    help="Name of the mini-batch: a later run of the same one replaces it. Default: made from the input's address.",
)
@click.option(
    "--span-from-name",
    help="In place of bounds: what the names of the files tell. zeek, vpcflow, or a regular expression with groups "
    "Y m d H M of the start, and Y2 m2 d2 H2 M2 of the end (default: one hour).",
)
@click.option(
    "--replace",
    is_flag=True,
    help="Replace what was published under the same name of an input, from other files.",
)
@click.option(
    "--count-again",
    is_flag=True,
    help="Count files that another mini-batch has counted already.",
)
@click.option("--run-id", help="Name of this run in manifests and logs. Default: made up.")
@AS_JSON
@QUIET
@click.pass_obj
def run(stopping: Stopping, /, as_json: bool, quiet: bool, output: str, **options: Any) -> None:
    """Build the deltas of one mini-batch and publish them."""
    done = _run_job(stopping, target=output, quiet=quiet, only_notices=as_json, **options)
    with after_publication("what it did could not be shown"):
        if as_json:
            console.print_json({**summary(done.manifest), "seconds": round(done.seconds, 3)})
        elif not quiet:
            console.print_run(Console(), done, output)


def _run_job(
    stopping: Stopping,
    *,
    spec: Path,
    input_: str,
    target: str,
    engine: str,
    slice_start: str | None,
    slice_end: str | None,
    mini_batch_id: str | None,
    run_id: str | None,
    span_from_name: str | None,
    replace: bool,
    count_again: bool,
    quiet: bool,
    only_notices: bool,
) -> RunSummary:
    job = JobSpecFile(spec).load()
    if span_from_name is not None and (slice_start or slice_end):
        raise UsageError(
            "span-from-name: gives the bounds; leave out --slice-start and --slice-end"
        )
    params = RuntimeParams(
        mini_batch_id=mini_batch_id or _id_from(input_),
        run_id=run_id or uuid.uuid4().hex,
        slice_start=parse_bound(slice_start, "slice-start") if slice_start else None,
        slice_end=parse_bound(slice_end, "slice-end") if slice_end else None,
        derived_id=mini_batch_id is None,
    )
    wiring = Wiring.between(input_, target)
    with _run_log(quiet, only_notices) as log:
        return DeltaBuilderRunner(
            spec=job,
            params=params,
            source=wiring.source,
            start_engine=lambda batch: wiring.start(engine, job, batch),
            sink=wiring.sink,
            log=log,
            code_version=__version__,
            undisturbed=stopping.undisturbed,
            read_rows=read_rows,
            overrides=Overrides(replace, count_again),
            span_pattern=None if span_from_name is None else name_pattern(span_from_name),
        ).run()


def _id_from(source: str) -> str:
    """A mini-batch id from the address of its folder, file or prefix: its last part, and a hash of the whole."""
    whole = source.rstrip("/") if is_s3(source) else str(Path(source).expanduser().resolve())
    last = re.sub(r"[^A-Za-z0-9._-]+", "-", whole.rpartition("/")[2]).strip("._-")
    hashed = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{last[:_NAME_LENGTH] or 'mini-batch'}-{hashed}"


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
