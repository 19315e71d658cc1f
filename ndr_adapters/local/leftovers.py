"""What runs that died left in an output's folder, and what is there for no reason that is known.

Only what a run surely left is removed. All else is named and passed over: nobody knows whose it is.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from ndr_adapters.local.durable import delete_files, sync_folders, write_file
from ndr_adapters.local.manifests import (
    list_entries,
    list_owner,
    manifest_path,
    read_entries,
    read_manifests,
)
from ndr_adapters.lock import LOCK, is_held
from ndr_core.errors import NdrError
from ndr_core.names import is_path_segment
from ndr_core.publishing.entry import entry_of
from ndr_core.publishing.manifest import (
    STAGED_RUN,
    Manifest,
    ManifestError,
    plain_of,
)
from ndr_core.publishing.ownership import last_live, superseded
from ndr_core.publishing.published import entries_to_read

PENDING: Final = "_pending"
STAGING: Final = "_staging"
_OWNER: Final = "_owner"
_REMOVE_TRIES: Final = 20
_PAUSE_SECONDS: Final = 0.05
_LOOKS_AGAIN: Final = 10
_FIRST_BYTES: Final = b'{\n "format": 2,\n "published_at": '
_LAST_BYTES: Final = b"\n}"
"""With these a pending manifest begins, and ends if it is whole."""


def clear_dead_runs(output: Path, notice: Callable[[str], None]) -> None:
    """Remove what runs left in an output that do not live any more. The caller has the output alone.

    Their staging folders go; what a run replaced goes, where it was published and died before it saw to that;
    what it had moved goes, where it was not. `notice` hears of all that is passed over.
    """
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
                _finish_for(output, path)
                remove_staging(path)
        except (OSError, NdrError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            notice(f"{path}: can't be removed: {why}; it is passed over")
    published = {entry.token for entry in list_entries(output, notice)}
    _clear_pending(output, published, notice)


def note_owner(folder: Path, version: str, hashed: str) -> None:
    """Note in a run's staging folder what it is about to replace; it lasts when this returns.

    `hashed`: as `owner_hash`, of the owner whose contributions these are.
    """
    write_file(folder / _OWNER, f"{version}/{hashed}")
    sync_folders([folder, folder.parent, folder.parent.parent])


def sweep(output: Path, version: str, hashed: str) -> None:
    """Delete what published runs of an owner have replaced, a compacted day also what it was made from."""
    known = read_entries(output, lambda: list_owner(output, version, hashed))
    last = last_live(known)
    if last is not None and last.day:
        start, end = (datetime.fromisoformat(f"{last.day}T{time}Z") for time in ("00:00", "23:59"))
        known = read_manifests(output, lambda entries: entries_to_read(entries, start, end))
    stale, spent = superseded(known)
    delete_files(output, [file.path for file in stale])
    for manifest in sorted(spent, key=lambda manifest: manifest.order):
        manifest_path(output, entry_of(manifest)).unlink(missing_ok=True)


def _finish_for(output: Path, folder: Path) -> None:
    """Delete what a dead run has replaced, if it came so far."""
    note = folder / _OWNER
    if note.is_file() and not note.is_symlink():
        version, _, hashed = note.read_bytes().decode("ascii", "replace").partition("/")
        if is_path_segment(version) and is_path_segment(hashed):
            sweep(output, version, hashed)


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


def remove_own_staging(folder: Path) -> None:
    """Remove the staging folder of a run of this process.

    Where files are left in it, a query was given up, which may write once more and make the folder anew.
    """
    is_staged = any(set(names) - {LOCK, _OWNER} for *_, names in os.walk(folder))
    remove_staging(folder)
    for _ in range(_LOOKS_AGAIN if is_staged else 0):
        time.sleep(_PAUSE_SECONDS)
        if folder.exists():
            remove_staging(folder)


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


def _clear_pending(output: Path, published: set[str], notice: Callable[[str], None]) -> None:
    """Undo what runs did that died while they published: delete the files that they moved.

    Nobody else publishes now, so that whoever wrote a pending manifest is dead, or has failed.
    """
    for path in sorted((output / PENDING).glob("*")):
        try:
            _undo(output, path, published, notice)
        except (OSError, NdrError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            notice(f"{path}: {why}; it is passed over, and nothing is deleted on its word")


def _undo(output: Path, pending: Path, published: set[str], notice: Callable[[str], None]) -> None:
    if pending.is_symlink() or not pending.is_file():
        raise ManifestError("is no file")
    content = pending.read_bytes()
    if _is_cut_short(content):
        notice(f"{pending}: its run died while it wrote this, and had moved no file yet; removed")
    else:
        data = plain_of(content)
        manifest = Manifest.from_plain(data)
        manifest.must_be_exactly(data)
        if manifest.token in published:
            raise ManifestError("names files of a published run")
        delete_files(output, [file.path for file in manifest.own_files])
    pending.unlink()
    sync_folders([pending.parent])


def _is_cut_short(content: bytes) -> bool:
    """Whether this is the beginning of a manifest, whose run died before it moved a file."""
    return content.startswith(_FIRST_BYTES[: len(content)]) and not content.endswith(_LAST_BYTES)
