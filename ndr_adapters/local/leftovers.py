"""What runs that died left in an output's folder, and what is there for no reason that is known.

Only what a run surely left is removed. All else is named and passed over: nobody knows whose it is.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from ndr_adapters.local.durable import delete_files, sync_folders
from ndr_adapters.lock import LOCK, is_held
from ndr_core.errors import NdrError
from ndr_core.publishing.manifest import (
    STAGED_RUN,
    Manifest,
    ManifestError,
    plain_of,
)

PENDING: Final = "_pending"
STAGING: Final = "_staging"
_REMOVE_TRIES: Final = 20
_PAUSE_SECONDS: Final = 0.05
_FIRST_BYTES: Final = b'{\n "sequence": '
_LAST_BYTES: Final = b"\n}"
"""With these a pending manifest begins, and ends if it is whole."""


def clear_staging(output: Path, notice: Callable[[str], None]) -> None:
    """Remove the staging folders of runs that do not live any more."""
    for path in sorted((output / STAGING).glob("*")):
        try:
            if path.is_symlink() or not path.is_dir() or not STAGED_RUN.fullmatch(path.name):
                notice(f"{path}: is no staging folder of a run; it is passed over")
            elif not any(path.iterdir()):
                path.rmdir()
            elif not (path / LOCK).is_file():
                notice(
                    f"{path}: has no {LOCK} file, so whose it is can't be known; it is passed over"
                )
            elif not is_held(path / LOCK):
                remove_staging(path)
        except OSError as error:
            notice(f"{path}: can't be removed: {error.strerror}; it is passed over")


def remove_staging(folder: Path) -> None:
    """Remove a staging folder, its lock last: what is half removed is known as a run's still.

    A query that was given up may write for a moment longer: that takes another try.
    """
    for tries_left in reversed(range(_REMOVE_TRIES)):
        try:
            empty_staging(folder)
            (folder / LOCK).unlink(missing_ok=True)
            folder.rmdir()
        except OSError:
            if not tries_left:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def empty_staging(folder: Path) -> None:
    """Remove what an engine staged."""
    for child in folder.iterdir():
        if child.name != LOCK:
            _remove(child)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def clear_pending(
    output: Path, published: Iterable[Manifest], notice: Callable[[str], None]
) -> None:
    """Undo what runs did that died while they published: delete the files that they moved.

    Under the output's lock, so that whoever wrote a pending manifest is dead.
    """
    counting = {file.path for manifest in published for file in manifest.files}
    for path in sorted((output / PENDING).glob("*")):
        try:
            _undo(output, path, counting, notice)
        except (OSError, NdrError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            notice(f"{path}: {why}; it is passed over, and nothing is deleted on its word")


def _undo(output: Path, pending: Path, counting: set[str], notice: Callable[[str], None]) -> None:
    if pending.is_symlink() or not pending.is_file():
        raise ManifestError("is no file")
    content = pending.read_bytes()
    if _is_cut_short(content):
        notice(f"{pending}: its run died while it wrote this, and had moved no file yet; removed")
    else:
        data = plain_of(content)
        manifest = Manifest.from_plain(data)
        manifest.must_be_exactly(data)
        names = [file.path for file in manifest.files]
        if not counting.isdisjoint(names):
            raise ManifestError("names files of a published run")
        delete_files(output, names)
    pending.unlink()
    sync_folders([pending.parent])


def _is_cut_short(content: bytes) -> bool:
    """Whether this is the beginning of a manifest, whose run died before it moved a file."""
    return content.startswith(_FIRST_BYTES[: len(content)]) and not content.endswith(_LAST_BYTES)
