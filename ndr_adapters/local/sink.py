"""Publishing to a folder: all of a run or nothing.

Staged files are moved into their partitions under names that no other run uses, then one rename of the
manifest makes them count (`ndr_core.publishing.manifest`), then what they replace is deleted. A lock lets one publisher
at a time into an output. Until its rename a manifest is pending; if its run dies, the next publisher removes
the files that it names.

Each step is on disk before the next one begins: after a loss of power, too, old rows or new rows are whole.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import field, frozen

from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.home import with_home
from ndr_adapters.local.durable import (
    check_inside,
    delete_files,
    make_folder,
    move,
    sync_folders,
    write_file,
)
from ndr_adapters.local.leftovers import (
    PENDING,
    STAGING,
    clear_pending,
    clear_staging,
    empty_staging,
    remove_staging,
)
from ndr_adapters.local.manifests import MANIFESTS, manifest_name, read_manifests
from ndr_adapters.local.place import FolderPlace
from ndr_adapters.local.unreadable import copy_unreadable
from ndr_adapters.lock import LOCK, hold_new, locked
from ndr_core.errors import AfterPublicationError, NdrError, UsageError
from ndr_core.publishing.layout import Target
from ndr_core.publishing.manifest import REPORT, Manifest, OutputFile
from ndr_core.publishing.ownership import superseded
from ndr_core.publishing.sink import Publication
from ndr_core.quality.quarantine import QUARANTINE
from ndr_core.tables.table import Table

_FOLDERS: Final = (QUARANTINE, REPORT, MANIFESTS, PENDING, STAGING)

_Move = tuple[Path, OutputFile]
"""A staged file, and what it is once published."""


@frozen
class FolderSink:
    """Publishes runs below the folder `path`."""

    path: Path = field(converter=with_home)

    @property
    def place(self) -> FolderPlace:
        return FolderPlace(self.path)

    def open_staging(
        self, run_id: str, tables: Iterable[Table], notice: Callable[[str], None]
    ) -> FolderStaging:
        token = uuid.uuid4().hex[:12]
        folder = self.path / STAGING / f"{run_id}-{token}"
        try:
            with full_disk_named(folder):
                lock = self._made(folder, [table.name for table in tables], notice)
        except OSError as error:
            raise UsageError(f"output {self.path}: can't be written: {error.strerror}") from error
        return FolderStaging(self.path, folder, token, lock, notice)

    def _made(self, folder: Path, tables: Iterable[str], notice: Callable[[str], None]) -> int:
        """Make a run's staging folder. Gives the descriptor of its lock."""
        for parent in make_folder(self.path):
            with suppress(PermissionError):  # above the output, which is none of ours
                sync_folders([parent])
        _check_file_system(self.path, tables)
        with locked(self.path, notice):
            folder.mkdir(parents=True)
            return hold_new(folder / LOCK)


@frozen
class FolderStaging:
    """A run's private folder inside the output, so that publishing is renaming."""

    output: Path
    folder: Path
    token: str
    """Part of the names of the run's files, and of no others."""
    lock: int
    """Descriptor of a lock, held while the run lives."""
    notice: Callable[[str], None]

    @property
    def root(self) -> str:
        return str(self.folder.absolute())

    def restart(self) -> None:
        empty_staging(self.folder)

    def publish(self, publication: Publication) -> Manifest:
        facts, folders = publication.facts, publication.folders
        moves = self._moves(publication)
        files = tuple(file for _, file in moves)
        with full_disk_named(self.output), locked(self.output, self.notice):
            known = read_manifests(self.output, self.notice)
            check_inside(self.output, (self.output / file.path for file in files))
            clear_staging(self.output, self.notice)
            clear_pending(self.output, known, self.notice)
            sequence = max((manifest.sequence for manifest in known), default=0) + 1
            manifest = Manifest(sequence, self.token, facts, folders, files)
            # A name that nothing else in there can have, whatever it is.
            pending = self.output / PENDING / f"{sequence:012}-{self.token}.json"
            sync_folders({*make_folder(pending.parent), *make_folder(self.output / MANIFESTS)})
            write_file(pending, manifest.to_json())
            sync_folders([pending.parent])
            self._place(pending, moves)
            move(pending, self.output / MANIFESTS / manifest_name(sequence), self.output)
            self._finish([*known, manifest])
        return manifest

    def close(self) -> None:
        # Under the lock: another publisher must not meet a folder that is half gone.
        try:
            with locked(self.output, self.notice):
                remove_staging(self.folder)
        finally:
            os.close(self.lock)

    def _place(self, pending: Path, moves: Sequence[_Move]) -> None:
        """Move files to where they count once the pending manifest does; what fails leaves none there."""
        try:
            folders = {(self.output / file.path).parent for _, file in moves}
            changed = {parent for folder in sorted(folders) for parent in make_folder(folder)}
            for source, file in moves:
                move(source, self.output / file.path, self.output)
            sync_folders(folders | changed)
        except (OSError, NdrError):
            # As far as it goes; the next run does the rest.
            with suppress(OSError, NdrError):
                delete_files(self.output, [file.path for _, file in moves])
                pending.unlink()
            raise

    def _finish(self, published: Sequence[Manifest]) -> None:
        """Make the publication last, then delete what it replaced."""
        try:
            sync_folders([self.output / MANIFESTS])
            sync_folders([self.output / PENDING])
        except OSError as error:
            raise AfterPublicationError(
                "the run is published, but a loss of power might undo that: the file system can't "
                f"sync {self.output / MANIFESTS} ({error.strerror}); run it again when that is mended"
            ) from error
        try:
            _sweep(self.output, published)
        except (OSError, NdrError) as error:
            raise AfterPublicationError(
                f"the run is published, but what it replaces could not be removed ({error}); run it "
                "again, or readers that do not know the manifests see both"
            ) from error

    def _moves(self, publication: Publication) -> list[_Move]:
        names = copy_unreadable(publication.unreadable, self.folder, self.notice)
        for name, text in publication.texts.items():
            with full_disk_named(self.folder / name):
                (self.folder / name).write_text(text)
        targets = publication.targets(names)
        return [_move(self.folder / target.staged, target, self.token) for target in targets]


def _check_file_system(output: Path, tables: Iterable[str]) -> None:
    """Raise UsageError where files of the output could not be renamed to where they belong."""
    device = output.stat().st_dev
    folders = [path for path in (output / name for name in (*tables, *_FOLDERS)) if path.exists()]
    try:
        check_inside(output, (folder / "any" for folder in folders))
    except NdrError as error:
        raise UsageError(f"output {output}: {error}") from error
    for folder in folders:
        if folder.stat().st_dev != device:
            raise UsageError(
                f"output {output}: {folder} is on another file system than {output}: a run is "
                f"published by renaming; put the whole output on one file system"
            )


def _move(staged: Path, target: Target, token: str) -> _Move:
    """Take the measure of a staged file, and sync it."""
    with full_disk_named(staged), staged.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        os.fsync(stream.fileno())
    return staged, target.placed(token, staged.stat().st_size, sha256)


def _sweep(output: Path, published: Iterable[Manifest]) -> None:
    """Delete what published runs have replaced."""
    stale, spent = superseded(published)
    delete_files(output, [file.path for file in stale])
    for manifest in spent:
        (output / MANIFESTS / manifest_name(manifest.sequence)).unlink(missing_ok=True)
