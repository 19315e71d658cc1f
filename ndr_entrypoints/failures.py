"""Failures as command lines tell them: one message, an exit code, a stack trace only when asked for."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, NoReturn

import click

from ndr_core.errors import NdrError, StopRequested, UsageError, without_credentials
from ndr_core.publishing.published import GoneSlicesWarning
from ndr_entrypoints.allocator import keep_freed_memory
from ndr_entrypoints.stopping import exit_stopped, signals_handled, stop_message
from ndr_entrypoints.traces import show_traces_without_credentials

_AS_JSON: Final = f"{__name__}.as_json"
_UNEXPECTED: Final = 1

_EXTRAS: Final = {
    "pyspark": "spark",
    "py4j": "spark",
    "boto3": "aws",
    "botocore": "aws",
    "sagemaker": "sagemaker",
    "moto": "aws-local",
    "jinja2": "report",
    "vl_convert": "report",
    "watchdog": "watch",
}
"""Package that a command may need -> the extra that brings it."""


class FailingGroup(click.Group):
    """Turns failures that a user can act on into one message and an exit code.

    The message goes to standard error. Where the command was given `--json`, standard output has one object
    that says the same.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # By the words themselves: a command whose other options are wrong never gets to know its flags.
        ctx.meta[_AS_JSON] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        show_traces_without_credentials()
        keep_freed_memory()
        with signals_handled() as stopping, _gone_slices_told():
            ctx.obj = stopping
            try:
                return self._invoke(ctx)
            except StopRequested as stop:
                _tell(ctx, stop_message(stop), 128 + stop.number)
                exit_stopped(stop, ctx.exit)

    def _invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            _print_json(ctx, error.format_message(), error.exit_code)
            raise  # click shows it, with the usage of the command
        except click.exceptions.Exit:
            raise
        except ModuleNotFoundError as error:
            extra = _EXTRAS.get((error.name or "").partition(".")[0])
            if extra is None or ctx.params["debug"]:
                _print_json(ctx, str(error), _UNEXPECTED)
                raise
            _fail(
                ctx,
                f"this needs the package {error.name}, which is not installed: "
                f"pip install 'ndr-delta-builder[{extra}]'",
                UsageError.exit_code,
            )
        except (NdrError, OSError) as error:
            if ctx.params["debug"]:
                _print_json(ctx, str(error), exit_code(error))
                raise
            _fail(ctx, str(error), exit_code(error))
        except Exception as error:
            _print_json(ctx, f"unexpected {type(error).__name__}: {error}", _UNEXPECTED)
            raise


@contextmanager
def _gone_slices_told() -> Iterator[None]:
    """Say on standard error, once, which slices readers leave out."""
    said: set[str] = set()
    with warnings.catch_warnings():
        show = warnings.showwarning

        def tell(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if not issubclass(category, GoneSlicesWarning):
                show(message, category, *place, **more)
            elif str(message) not in said:
                said.add(str(message))
                click.echo(f"note: {message}", err=True)

        warnings.simplefilter("always", GoneSlicesWarning)
        warnings.showwarning = tell
        yield


def exit_code(error: NdrError | OSError) -> int:
    """The exit code of a failure; 1 for what the operating system refuses."""
    return error.exit_code if isinstance(error, NdrError) else NdrError.exit_code


def _fail(ctx: click.Context, message: str, code: int) -> NoReturn:
    _tell(ctx, message, code)
    ctx.exit(code)


def _tell(ctx: click.Context, message: str, code: int) -> None:
    click.echo(f"ndr: {without_credentials(message)}", err=True)
    _print_json(ctx, message, code)


def _print_json(ctx: click.Context, message: str, code: int) -> None:
    """Say it on standard output where JSON was asked for, unless nobody reads that any more."""
    if ctx.meta[_AS_JSON]:
        with suppress(BrokenPipeError):
            click.echo(json.dumps({"error": without_credentials(message), "exit_code": code}))
