"""Paths as users write them."""

from __future__ import annotations

import os
from pathlib import Path


def with_home(path: Path | str) -> Path:
    """The path with `~` at its begin as the home folder, which Polars takes it for, and shells only at times."""
    return Path(os.path.expanduser(path))
