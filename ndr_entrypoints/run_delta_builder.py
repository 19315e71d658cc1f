"""The job as a pipeline runs it: JobSpec from DynamoDB, records from S3, Spark, deltas to S3.

Everything it says is JSON lines on standard output. Exit codes: 0 done, 1 the run failed, 2 wrong usage or
configuration.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import click

from ndr_adapters.cloudwatch.json_log import JsonLog
from ndr_core.build import DeltaBuilderRunner, RunSummary
from ndr_core.errors import NdrError, SpecError, StopRequested, after_publication
from ndr_core.job_spec import JobSpec, RuntimeParams
from ndr_core.ports import JobSpecStore
from ndr_core.s3_address import S3Address
from ndr_core.times import parse_bound
from ndr_entrypoints.stopping import Stopping, exit_stopped, signals_handled, stop_message

_UNEXPECTED: Final = 1


class _Text(click.ParamType[str | None]):
    """Text; an empty one, which a pipeline gives for want of a null, is none."""

    name = "text"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | None:
        if value:
            return str(value)
        if param is not None and param.required:
            self.fail("is empty", param, ctx)
        return None


def _option(
    name: str, about: str, *, required: bool = True
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(name, type=_Text(), required=required, help=about)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@_option("--project-name", "Project whose JobSpec to run.")
@_option("--job-name", "Job of the project.")
@_option("--mini-batch-id", "Name of the mini-batch; part of output paths.")
@_option("--mini-batch-s3-prefix", "s3://.. below which its files lie.")
@_option("--feature-spec-version", "Version of the JobSpec.")
@_option("--run-id", "Name of this run, for logs and manifests.")
@_option("--job-spec-ddb-table-name", "DynamoDB table of JobSpecs.")
@_option("--slice-start-ts", "ISO-8601, UTC; absent or empty: no bounds.", required=False)
@_option("--slice-end-ts", "ISO-8601, UTC; absent or empty: no bounds.", required=False)
@click.option("--debug", is_flag=True, help="Show the stack trace of a failure.")
def main(debug: bool, **options: Any) -> None:
    """Build the deltas of one mini-batch and publish them."""
    log = JsonLog(
        {name: options[name] for name in ("project_name", "job_name", "mini_batch_id", "run_id")}
    )
    with signals_handled() as stopping:
        try:
            _run(log, stopping, debug, options)
        except StopRequested as stop:
            log.line("ERROR", stop_message(stop), exit_code=128 + stop.number)
            log.failed()
            exit_stopped(stop, sys.exit)


def _run(log: JsonLog, stopping: Stopping, debug: bool, options: dict[str, Any]) -> None:
    """Run the job; a failure becomes a line, a metric and an exit code."""
    try:
        done = run_job(log, undisturbed=stopping.undisturbed, **options)
        with after_publication("what it counted could not be logged"):
            log.metrics(done)
    except NdrError as error:
        if debug:
            raise
        log.line("ERROR", str(error), exit_code=error.exit_code)
        log.failed()
        sys.exit(error.exit_code)
    except Exception as error:
        if debug:
            raise
        # A fault of the program, which nobody can find by its message alone.
        trace = traceback.format_exc()
        message = f"unexpected {type(error).__name__}: {error}"
        log.line("ERROR", message, exit_code=_UNEXPECTED, trace=trace)
        log.failed()
        sys.exit(_UNEXPECTED)


def run_job(
    log: JsonLog,
    *,
    undisturbed: Callable[[], AbstractContextManager[Any]],
    project_name: str,
    job_name: str,
    mini_batch_id: str,
    mini_batch_s3_prefix: str,
    feature_spec_version: str,
    run_id: str,
    job_spec_ddb_table_name: str,
    slice_start_ts: str | None,
    slice_end_ts: str | None,
) -> RunSummary:
    """Run one job. Raises what `DeltaBuilderRunner.run` and loading the JobSpec raise."""
    from ndr_adapters.aws.clients import dynamodb_client
    from ndr_adapters.dynamodb import JobSpecLoader
    from ndr_entrypoints.places import Places

    params = RuntimeParams(
        mini_batch_id=mini_batch_id,
        run_id=run_id,
        slice_start=parse_bound(slice_start_ts, "slice-start-ts") if slice_start_ts else None,
        slice_end=parse_bound(slice_end_ts, "slice-end-ts") if slice_end_ts else None,
    )
    specs: JobSpecStore = JobSpecLoader(dynamodb_client(), job_spec_ddb_table_name)
    spec = specs.load(project_name, job_name, feature_spec_version)
    source = _within_its_prefix(spec, mini_batch_s3_prefix)
    places = Places.of(str(source), str(spec.storage.output()))
    return DeltaBuilderRunner(
        spec=spec,
        params=params,
        source=places.source,
        engine=lambda: places.engine("spark"),
        sink=places.sink,
        log=log,
        code_version=_code_version(),
        undisturbed=undisturbed,
    ).run()


def _within_its_prefix(spec: JobSpec, address: str) -> S3Address:
    source = S3Address.parse(address, "mini-batch-s3-prefix")
    if not spec.storage.input().holds(source):
        raise SpecError(
            f"mini-batch-s3-prefix: {source} lies outside storage.input_prefix of the JobSpec, "
            f"{spec.storage.input()}; nothing was read"
        )
    return source


def _code_version() -> str:
    try:
        return version("ndr-delta-builder")
    except PackageNotFoundError:
        return "unknown"


if __name__ == "__main__":
    main()
