"""What several commands have in common: types of options, the end of their help, files that they write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from ndr_adapters.home import with_home
from ndr_core.errors import UsageError
from ndr_core.jobs.kms_key import kms_key_problem

EXIT_CODES: Final = (
    "Exit codes: 0 done, 1 the run or the command failed, 2 wrong usage or configuration; "
    "130, 143 or 129 stopped by Ctrl-C, SIGTERM or SIGHUP."
)
"""The end of each command's help."""


class _HomePath(click.Path):
    """A path, with `~` at its begin as the home folder: a shell leaves it in `--output=~/x`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(with_home(value), param, ctx)


PATH: Final = _HomePath(path_type=Path)

AS_JSON: Final = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, of a failure too; for programs."
)


class _KmsKey(click.ParamType[str]):
    """The name of a key of KMS."""

    name = "key"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        problem = kms_key_problem(value)
        if problem is not None:
            self.fail(problem, param, ctx)
        return str(value)


KMS_KEY: Final = click.option(
    "--kms-key",
    type=_KmsKey(),
    help="Key of KMS that encrypts what is written to S3, as `storage.kms_key` of the JobSpecs. If absent, the "
    "bucket's own rule does.",
)
QUIET: Final = click.option("--quiet", is_flag=True, help="Print errors only.")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Write to a path that the user named; what forbids it is a UsageError that names the path."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{path}: can't be written: {error.strerror}") from error
