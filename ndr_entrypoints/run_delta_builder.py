"""The job as a pipeline runs it: JobSpec from DynamoDB, records from S3, Spark, deltas to S3.

Everything it says is JSON lines on standard output. Exit codes: 0 done, 1 the run failed, 2 wrong usage or
configuration.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import Any, Final

import click

from ndr_adapters.cloudwatch.json_log import JsonLog
from ndr_core.errors import NdrError, StopRequested, after_publication
from ndr_entrypoints.options import EXIT_CODES
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


@click.command(
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
    epilog=EXIT_CODES,
)
@_option("--project-name", "Project whose JobSpec to run.")
@_option("--job-name", "Job of the project.")
@_option("--mini-batch-id", "Name of the mini-batch; part of output paths.")
@_option("--mini-batch-s3-prefix", "s3://.. below which its files lie.")
@_option("--feature-spec-version", "Version of the JobSpec.")
@_option("--run-id", "Name of this run, for logs and manifests.")
@_option("--job-spec-ddb-table-name", "DynamoDB table of JobSpecs.")
@_option(
    "--slice-start-ts",
    "ISO-8601, UTC: start of the time that the mini-batch is for; absent or empty: no bounds.",
    required=False,
)
@_option("--slice-end-ts", "ISO-8601, UTC: end of that time; absent or empty.", required=False)
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
        # Here, so that the log says it too when a package is missing.
        from ndr_entrypoints.cluster_job import run_job

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


if __name__ == "__main__":
    main()
