"""`ndr run`: one run of the delta job of a JobSpec file."""

from __future__ import annotations

import hashlib
import re
import uuid
from pathlib import Path
from typing import Any, Final

import click
from attrs import evolve
from rich.console import Console

from ndr_adapters.local.spec_file import JobSpecFile
from ndr_adapters.parquet_files import read_rows
from ndr_adapters.scratch import ScratchFiles, scratch_folder
from ndr_core.deltas.job import DeltaBuilderRunner, Judged
from ndr_core.errors import NdrError, UsageError, after_publication
from ndr_core.flows.first_records import FirstRecords
from ndr_core.flows.formats import FileFormat
from ndr_core.flows.name_span import name_pattern
from ndr_core.flows.source import FlowSource
from ndr_core.jobs.choice import POLARS, SPARK_SQL
from ndr_core.jobs.ports import RunLog
from ndr_core.jobs.run import RuntimeParams
from ndr_core.publishing.location import is_s3
from ndr_core.publishing.manifest import summary
from ndr_core.publishing.standing import Overrides
from ndr_core.times import parse_bound
from ndr_core.version import __version__
from ndr_entrypoints import console
from ndr_entrypoints.options import AS_JSON, EXIT_CODES, PATH, QUIET
from ndr_entrypoints.run_log import run_log
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
@click.option(
    *("-o", "--output"),
    help="Folder to publish to, or s3://.. Required but for a dry run: if absent, what is published is not looked at.",
)
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
@click.option(
    "--dry-run",
    is_flag=True,
    help="Read and judge all records, show the report, and publish nothing. Exit code 1 where a run would fail.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="Of a dry run: read so many records only, the first ones by the names of the files. Default: all.",
)
@click.option("--run-id", help="Name of this run in manifests and logs. Default: made up.")
@AS_JSON
@QUIET
@click.pass_context
def run(
    ctx: click.Context,
    /,
    as_json: bool,
    quiet: bool,
    output: str | None,
    dry_run: bool,
    **options: Any,
) -> None:
    """Build the deltas of one mini-batch and publish them."""
    if dry_run:
        with run_log(quiet, as_json) as log:
            judged = _judged(ctx.obj, log, target=output, **options)
        _show_judged(ctx, judged, as_json, quiet)
        return
    if output is None:
        raise click.UsageError("Missing option '-o' / '--output'.", ctx)
    if options["limit"] is not None:
        raise UsageError("limit: is for a dry run; add --dry-run")
    with run_log(quiet, as_json) as log:
        done = _runner(ctx.obj, log, target=output, **options).run()
    with after_publication("what it did could not be shown"):
        if as_json:
            console.print_json({**summary(done.manifest), "seconds": round(done.seconds, 3)})
        elif not quiet:
            console.print_run(Console(), done, output)


def _judged(
    stopping: Stopping, log: RunLog, *, engine: str, limit: int | None, **options: Any
) -> Judged:
    """What a run would make of its records. With a limit, the output is not looked at: it is about whole batches."""
    if limit is not None:
        if engine == SPARK_SQL:
            raise UsageError(
                f"limit: {SPARK_SQL} reads whole files; give another --engine, or none"
            )
        engine = POLARS if engine == AUTO else engine
        options["target"] = None
    runner = _runner(stopping, log, engine=engine, limit=limit, **options)
    with scratch_folder() as folder:
        return runner.judge(ScratchFiles(folder))


def _show_judged(ctx: click.Context, judged: Judged, as_json: bool, quiet: bool) -> None:
    """The report; then the run's failure, if it would have failed, with its exit code."""
    failure = {} if judged.problem is None else {"error": judged.problem, "exit_code": 1}
    if as_json:
        console.print_json(
            {
                "dry_run": True,
                "report": judged.report.to_plain(),
                "seconds": round(judged.seconds, 3),
                **failure,
            }
        )
    elif not quiet:
        screen = Console()
        console.print_report(screen, judged.report)
        screen.print(f"a dry run of {judged.seconds:.1f} s: nothing was published")
    if judged.problem is not None:
        click.echo(f"ndr: a run would fail: {judged.problem}", err=True)
        ctx.exit(NdrError.exit_code)


def _runner(
    stopping: Stopping,
    log: RunLog,
    *,
    spec: Path,
    input_: str,
    target: str | None,
    engine: str,
    slice_start: str | None,
    slice_end: str | None,
    mini_batch_id: str | None,
    run_id: str | None,
    span_from_name: str | None,
    replace: bool,
    count_again: bool,
    limit: int | None,
) -> DeltaBuilderRunner:
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
    wiring = Wiring.between(input_, target, job.storage.kms_key)
    source: FlowSource = wiring.source
    if limit is not None:
        if job.input.format is FileFormat.PARQUET:
            raise UsageError("limit: Parquet files are read whole; leave it out")
        # Some records say nothing of how many there are in all.
        job = evolve(job, quality=evolve(job.quality, min_records=0))
        source = FirstRecords.of(source, limit, log.notice, job.input.header)
    return DeltaBuilderRunner(
        spec=job,
        params=params,
        source=source,
        start_engine=lambda batch: wiring.start(engine, job, batch),
        sink=wiring.sink,
        log=log,
        code_version=__version__,
        undisturbed=stopping.undisturbed,
        read_rows=read_rows,
        overrides=Overrides(replace, count_again),
        span_pattern=None if span_from_name is None else name_pattern(span_from_name),
    )


def _id_from(source: str) -> str:
    """A mini-batch id from the address of its folder, file or prefix: its last part, and a hash of the whole."""
    whole = source.rstrip("/") if is_s3(source) else str(Path(source).expanduser().resolve())
    last = re.sub(r"[^A-Za-z0-9._-]+", "-", whole.rpartition("/")[2]).strip("._-")
    hashed = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{last[:_NAME_LENGTH] or 'mini-batch'}-{hashed}"
