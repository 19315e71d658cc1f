"""Files that outlive a loss of power, and deleting that stays inside the output.

A file is safe once its content is synced and the folder that names it, up to the output's root.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from ndr_adapters.full_disk import full_disk_named
from ndr_core.errors import NdrError

_UNSYNCABLE: Final = (errno.EINVAL, errno.ENOTSUP)
"""What file systems answer that can't sync a folder."""


def sync_folders(folders: Iterable[Path]) -> None:
    """Make the names in these folders outlive a loss of power, each folder once."""
    for folder in sorted(set(folders), reverse=True):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _UNSYNCABLE:
                raise
        finally:
            os.close(descriptor)


def make_folder(path: Path) -> set[Path]:
    """Create a folder and those above it that are missing. Gives the folders that now name one more."""
    missing = [folder for folder in (path, *path.parents) if not folder.is_dir()]
    path.mkdir(parents=True, exist_ok=True)
    return {folder.parent for folder in missing}


def write_file(path: Path, text: str) -> None:
    """Write a file and sync its content; its folder is not synced."""
    with full_disk_named(path), path.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def move(source: Path, target: Path, output: Path) -> None:
    """Rename a file inside an output. Raises NdrError where that crosses file systems."""
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        raise NdrError(
            f"{target.parent} is on another file system than {source.parent}: a run is published by "
            f"renaming; put the whole output {output} on one file system"
        ) from error


def check_inside(output: Path, paths: Iterable[Path]) -> None:
    """Raise NdrError for a path whose folder lies outside the output, by a link that leads there."""
    root = Path(os.path.realpath(output))
    for folder in sorted({path.parent for path in paths}):
        place = Path(os.path.realpath(folder))
        if not place.is_relative_to(root):
            raise NdrError(
                f"{folder}: a link leads out of the output, to {place}; remove the link and put the "
                f"whole output on one file system ({output} itself may be a link)"
            )


def delete_files(output: Path, names: Iterable[str]) -> None:
    """Delete files of an output and the folders that this leaves empty; it lasts when this returns.

    Raises NdrError, before anything is deleted, where a link leads out of the output.
    """
    paths = [output / name for name in names]
    check_inside(output, paths)
    changed = set()
    for path in paths:
        with suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
        changed.add(path.parent)
    for folder in list(changed):
        try:
            folder.rmdir()
        except FileNotFoundError:
            changed.discard(folder)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
        else:
            changed.discard(folder)
            changed.add(folder.parent)
    sync_folders(folder for folder in changed if folder.is_dir())


def remove_empty(output: Path, folders: Iterable[Path]) -> None:
    """Remove those of some folders of an output that are empty or gone, and those around them that this empties.

    The output's own folder and those right in it stay.
    """
    left = set(folders)
    while left:
        folder = max(left, key=lambda path: len(path.parts))
        left.discard(folder)
        if len(folder.relative_to(output).parts) < 2:
            continue
        try:
            folder.rmdir()
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                continue
            raise
        left.add(folder.parent)
