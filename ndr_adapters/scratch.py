"""Folders on this machine for what a run needs between two steps: records, in clear.

A folder is held by a lock that ends with its process. Whoever makes the next one removes those that no living
process holds, as a process that was killed leaves its own behind. What many processes read is made once for all.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from attrs import frozen

from ndr_adapters.at_end import at_end
from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.lock import LOCK, hold_new, hold_shared, is_held, locked
from ndr_core.errors import UsageError

_REMOVE_TRIES: Final = 3


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder below TMPDIR that nobody else can read, removed at the end by the process that made it.

    A copy of this process, which `fork` has made, leaves it. Raises UsageError where it can't be made, or where the
    folder for all of this user's is not theirs alone.
    """
    base = _base()
    try:
        with full_disk_named(base), locked(base / LOCK, f"the lock of {base}", _quiet):
            _clean(base)
            folder = base / uuid.uuid4().hex[:12]
            folder.mkdir(mode=0o700)
            lock = hold_new(folder / LOCK)
    except OSError as error:
        raise UsageError(f"{base}: can't be written: {error.strerror}; set TMPDIR") from error
    owner = os.getpid()
    try:
        yield folder
    finally:
        # In a copy of this process, too, as soon as that forgets what is held here.
        if os.getpid() == owner:
            _remove(folder)
        os.close(lock)


def scratch_for_life() -> Path:
    """Make such a folder, which is removed when this process ends in order. Raises as `scratch_folder`."""
    held = ExitStack()
    folder = held.enter_context(scratch_folder())
    at_end(held.close)
    return folder


@frozen
class ScratchFiles:
    """Where a run stages files that nobody publishes, in a folder of `scratch_folder`."""

    folder: Path

    @property
    def root(self) -> str:
        return str(self.folder / "staged")

    def restart(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)


def shared_folder(name: str, fill: Callable[[Path], object]) -> Path:
    """The folder of this name below TMPDIR, which all processes of this user share; who comes first fills it.

    Others wait meanwhile. It stays as long as a process lives that asked for it, and is removed when the next folder
    is made after that. Raises UsageError as `scratch_folder` does, and whatever `fill` raises: then there is none.
    """
    base = _base()
    folder = base / name
    try:
        with full_disk_named(base), locked(base / LOCK, f"the lock of {base}", _quiet):
            if not folder.exists():
                _clean(base)
                _fill(folder, fill)
            hold_shared(folder / LOCK)
    except OSError as error:
        raise UsageError(f"{base}: can't be written: {error.strerror}; set TMPDIR") from error
    return folder


def _fill(folder: Path, fill: Callable[[Path], object]) -> None:
    """Make a folder that is whole from the first: it gets its name last."""
    partial = folder.with_name(f"{folder.name}.{uuid.uuid4().hex[:12]}")
    partial.mkdir(mode=0o700)
    try:
        fill(partial)
        (partial / LOCK).touch()
        partial.rename(folder)
    except BaseException:
        _remove(partial)
        raise


def _clean(base: Path) -> None:
    """Remove the folders that no living process holds."""
    for left in base.iterdir():
        if left.is_dir() and not _is_in_use(left):
            _remove(left)


def _quiet(_: str) -> None:
    """Takes what nobody needs to know: each waits for milliseconds here."""


def _base() -> Path:
    """The folder of this user's scratch folders."""
    base = Path(tempfile.gettempdir(), f"ndr-{os.getuid()}")
    try:
        with full_disk_named(base):
            base.mkdir(mode=0o700, exist_ok=True)
        status = base.lstat()
    except OSError as error:
        raise UsageError(f"{base}: can't be made: {error.strerror}; set TMPDIR") from error
    # In a folder that all users share, somebody else may have made it first.
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise UsageError(
            f"{base}: is no folder of this user alone; remove it, or set TMPDIR to another place"
        )
    return base


def _is_in_use(folder: Path) -> bool:
    try:
        return is_held(folder / LOCK)
    except FileNotFoundError:
        return False  # half removed


def _remove(folder: Path) -> None:
    """Remove a folder, its lock last. What a query that was given up still writes may need another try."""
    for _ in range(_REMOVE_TRIES):
        for child in folder.iterdir():
            if child.name != LOCK:
                shutil.rmtree(child, ignore_errors=True) if child.is_dir() else child.unlink()
    shutil.rmtree(folder, ignore_errors=True)
