"""Types of options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from ndr_adapters.home import with_home


class _HomePath(click.Path):
    """A path, with `~` at its begin as the home folder: a shell leaves it in `--output=~/x`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(with_home(value), param, ctx)


PATH: Final = _HomePath(path_type=Path)
