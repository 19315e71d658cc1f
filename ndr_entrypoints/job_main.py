"""What the scripts of deployed jobs have in common: options, and what becomes of their failures.

All that they say is JSON lines on standard output. Exit codes: 0 done, 1 the run failed, 2 wrong usage or
configuration.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final

import click

from ndr_adapters.cloudwatch.json_log import FEATURES_NAMESPACE, JsonLog
from ndr_core.errors import NdrError, StopRequested, without_credentials
from ndr_entrypoints.allocator import keep_freed_memory
from ndr_entrypoints.options import EXIT_CODES
from ndr_entrypoints.stopping import exit_stopped, signals_handled, stop_message
from ndr_entrypoints.traces import show_traces_without_credentials

_UNEXPECTED: Final = 1

Undisturbed = Callable[[], AbstractContextManager[Any]]
"""Holds back signals that ask a run to stop, while it publishes."""


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


Command = Callable[..., None]
Option = Callable[[Command], Command]


def job_option(name: str, about: str, *, required: bool = True) -> Option:
    """Make an option of a job. An empty value is none, and wrong usage of an option that is required."""
    return click.option(name, type=_Text(), required=required, help=about)


PROJECT_NAME: Final = job_option("--project-name", "Project whose JobSpec to run.")
JOB_NAME: Final = job_option("--job-name", "Job of the project.")
SPEC_VERSION: Final = job_option("--feature-spec-version", "Version of the JobSpec.")
DELTA_JOB_NAME: Final = job_option("--delta-job-name", "Delta job that published the mini-batch.")
MINI_BATCH_ID: Final = job_option("--mini-batch-id", "Mini-batch that may have made windows due.")
RUN_ID: Final = job_option("--run-id", "Name of this run, for logs and manifests.")
SPEC_TABLE: Final = job_option("--job-spec-ddb-table-name", "DynamoDB table of JobSpecs.")

DAY: Final = job_option(
    "--day", "UTC day, such as 2025-03-01; absent or empty: see --scheduled-ts.", required=False
)
SCHEDULED: Final = job_option(
    "--scheduled-ts",
    "ISO-8601, UTC: the last day that ended before this time; absent or empty: see --day.",
    required=False,
)

LOCAL_DATE: Final = job_option(
    "--day",
    "Local date of the network, such as 2025-03-01; absent or empty: see --scheduled-ts.",
    required=False,
)
SCHEDULED_DATE: Final = job_option(
    "--scheduled-ts",
    "ISO-8601, UTC: the last local date that ended before this time; absent or empty: see --day.",
    required=False,
)


def job_command(*options: Option) -> Callable[[Command], click.Command]:
    """Make a command of a function that is given these options, in this order, and `debug`."""

    def made(function: Command) -> click.Command:
        command = click.option("--debug", is_flag=True, help="Show the stack trace of a failure.")(
            function
        )
        for option in reversed(options):
            command = option(command)
        return click.command(
            context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
            epilog=EXIT_CODES,
        )(command)

    return made


def feature_log(options: Mapping[str, Any], *more: str) -> JsonLog:
    """Give the log of a feature job. `more`: options that its lines name beside what all jobs have."""
    names = ("project_name", "job_name", *more, "run_id")
    return JsonLog({name: options[name] for name in names}, namespace=FEATURES_NAMESPACE)


def run_as_job(
    log: JsonLog, debug: bool, module: str, function: str, options: Mapping[str, Any]
) -> None:
    """Do a job: call a function of a module of this package with its log, `undisturbed` and its options.

    A failure becomes a line, a metric and an exit code. The module is imported here, so that the log says it too when a
    package is missing. `undisturbed` holds back signals that ask a run to stop, while it publishes. `debug`: let
    failures pass, with their stack traces.
    """
    show_traces_without_credentials()
    keep_freed_memory()
    with signals_handled() as stopping:

        def work() -> None:
            job = getattr(importlib.import_module(f"{__package__}.{module}"), function)
            job(log, undisturbed=stopping.undisturbed, **options)

        try:
            _tell_failures(log, debug, work)
        except StopRequested as stop:
            log.line("ERROR", stop_message(stop), exit_code=128 + stop.number)
            log.failed()
            exit_stopped(stop, sys.exit)


def _tell_failures(log: JsonLog, debug: bool, work: Callable[[], None]) -> None:
    try:
        work()
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
        trace = without_credentials(traceback.format_exc())
        message = without_credentials(f"unexpected {type(error).__name__}: {error}")
        log.line("ERROR", message, exit_code=_UNEXPECTED, trace=trace)
        log.failed()
        sys.exit(_UNEXPECTED)
