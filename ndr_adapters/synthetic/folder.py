"""Folders that synthetic logs are written to."""

from __future__ import annotations

from pathlib import Path

from ndr_adapters.full_disk import full_disk_named
from ndr_core.errors import UsageError


def new_folder(folder: Path) -> None:
    """Make a folder. Raises UsageError where it holds files already, or can't be made."""
    try:
        with full_disk_named(folder):
            folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(f"{folder}: is not empty; generate into a new folder")
    except OSError as error:
        raise UsageError(f"{folder}: can't be written: {error.strerror}") from error
