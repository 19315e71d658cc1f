"""Copies of input files that can't be read, for the quarantine."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from ndr_adapters.full_disk import full_disk_named
from ndr_core.errors import shown
from ndr_core.flows.source import InputFile
from ndr_core.publishing.layout import unreadable_name

_CHUNK_BYTES: Final = 1 << 20


class _NoCopyError(Exception):
    """A file can't be copied, for a reason that lies in the file."""


def copy_unreadable(
    files: Iterable[InputFile], folder: Path, notice: Callable[[str], None]
) -> list[str]:
    """Copy files into a folder, each as `unreadable_name`. Gives the names of those that were copied.

    What is no regular file, or can't be read, is not copied: `notice` names it, as the report does.
    """
    names: list[str] = []
    for file in files:
        name = Path(file.uri).name
        target = folder / unreadable_name(len(names), name)
        try:
            with full_disk_named(target), target.open("wb") as stream:
                for chunk in _chunks(file.uri):
                    stream.write(chunk)
        except _NoCopyError as error:
            target.unlink()
            notice(f"{shown(file.uri)}: not copied to the quarantine: {error}")
        else:
            names.append(name)
    return names


def _chunks(path: str) -> Iterator[bytes]:
    try:
        # A FIFO that nobody writes to would block otherwise.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise _NoCopyError("it is no regular file")
            while chunk := stream.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise _NoCopyError(f"it can't be read: {error.strerror}") from error
