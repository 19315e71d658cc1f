"""Places on this machine, and what lies within what."""

from __future__ import annotations

import os
from pathlib import Path

from attrs import frozen

from ndr_core.errors import printable


@frozen
class FolderPlace:
    """A folder or a file: the same one by whatever path, link or mount it is reached."""

    path: Path

    def holds(self, other: object) -> bool:
        """Whether `other` is this place or lies below it."""
        if not isinstance(other, FolderPlace):
            return False
        own, place = _identity(_resolved(self.path)), _resolved(other.path)
        return any(_identity(around) == own for around in (place, *place.parents))

    def __str__(self) -> str:
        return printable(str(self.path))


def _resolved(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _identity(path: Path) -> object:
    """Device and inode; the path itself of what does not exist yet."""
    try:
        status = os.stat(path)
    except OSError:
        return path
    return status.st_dev, status.st_ino
