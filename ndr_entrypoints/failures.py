"""Failures as command lines tell them: one message, an exit code, a stack trace only when asked for."""

from __future__ import annotations

from typing import Any, Final

import click

from ndr_core.errors import NdrError, StopRequested, UsageError
from ndr_entrypoints.stopping import exit_stopped, signals_handled, stop_message

_EXTRAS: Final = {
    "pyspark": "spark",
    "py4j": "spark",
    "boto3": "aws",
    "botocore": "aws",
    "sagemaker": "sagemaker",
    "moto": "aws-local",
}
"""Package that a command may need -> the extra that brings it."""


class FailingGroup(click.Group):
    """Turns failures that a user can act on into one message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        with signals_handled() as stopping:
            ctx.obj = stopping
            try:
                return self._invoke(ctx)
            except StopRequested as stop:
                click.echo(f"ndr: {stop_message(stop)}", err=True)
                exit_stopped(stop, ctx.exit)

    def _invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            extra = _EXTRAS.get((error.name or "").partition(".")[0])
            if extra is None or ctx.params["debug"]:
                raise
            click.echo(
                f"ndr: this needs the package {error.name}, which is not installed: "
                f"pip install 'ndr-delta-builder[{extra}]'",
                err=True,
            )
            ctx.exit(UsageError.exit_code)
        except (NdrError, OSError) as error:
            if ctx.params["debug"]:
                raise
            click.echo(f"ndr: {error}", err=True)
            ctx.exit(exit_code(error))


def exit_code(error: NdrError | OSError) -> int:
    """The exit code of a failure; 1 for what the operating system refuses."""
    return error.exit_code if isinstance(error, NdrError) else NdrError.exit_code
