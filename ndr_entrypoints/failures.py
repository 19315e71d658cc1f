"""Failures as command lines tell them: one message, an exit code, a stack trace only when asked for."""

from __future__ import annotations

from typing import Any

import click

from ndr_core.errors import NdrError


class FailingGroup(click.Group):
    """Turns failures that a user can act on into one message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (NdrError, OSError) as error:
            if ctx.params["debug"]:
                raise
            click.echo(f"ndr: {error}", err=True)
            ctx.exit(exit_code(error))


def exit_code(error: NdrError | OSError) -> int:
    """The exit code of a failure; 1 for what the operating system refuses."""
    return error.exit_code if isinstance(error, NdrError) else NdrError.exit_code
