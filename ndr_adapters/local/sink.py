"""Publishing to a folder: all of a run or nothing.

Staged files are moved into their partitions under names that no other run uses, then one rename of the
manifest makes them count (`ndr_core.publishing.manifest`), then what they replace is deleted. Until its rename a
manifest is pending; if its run dies, a later publisher removes the files that it names.

Runs of one mini-batch wait for each other, those of different ones don't. Each step is on disk before the next one
begins: after a loss of power, too, old rows or new rows are whole.
"""

from __future__ import annotations

import hashlib
import os
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from attrs import field, frozen

from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.home import with_home
from ndr_adapters.local.compacted import find_compacted_days, note_compacted
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
    clear_dead_runs,
    empty_staging,
    note_owner,
    remove_own_staging,
    remove_staging,
    sweep,
)
from ndr_adapters.local.manifests import (
    list_owner,
    manifest_path,
    read_entries,
    read_manifests,
)
from ndr_adapters.local.place import FolderPlace
from ndr_adapters.local.pruned import read_pruned
from ndr_adapters.local.unreadable import copy_unreadable
from ndr_adapters.lock import LOCK, alone_if_free, hold_new, locked, shared
from ndr_core.errors import AfterPublicationError, NdrError, UsageError
from ndr_core.publishing.compaction import Compaction, check_unchanged, refuse_compacted
from ndr_core.publishing.entry import MANIFESTS, entry_of, owner_hash
from ndr_core.publishing.layout import FAILED, Target, failed_path
from ndr_core.publishing.manifest import REPORT, Manifest, OutputFile, RunFacts, day_owner
from ndr_core.publishing.ownership import last_live, live_manifests
from ndr_core.publishing.pruning import without_pruned
from ndr_core.publishing.published import entries_to_read
from ndr_core.publishing.sink import Publication
from ndr_core.publishing.standing import Standing, entries_of_note, standing_of
from ndr_core.quality.quarantine import QUARANTINE
from ndr_core.tables.table import Table
from ndr_core.times import now_us

LOCKS: Final = "_locks"
"""Folder of locks, each of a share of all mini-batches."""
_FOLDERS: Final = (QUARANTINE, REPORT, FAILED, MANIFESTS, PENDING, STAGING, LOCKS)

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
        with shared(self.path, notice):
            folder.mkdir(parents=True)
            return hold_new(folder / LOCK)

    def standing(self, facts: RunFacts, since: int) -> Standing:
        version, owner = facts.feature_spec_version, owner_hash(facts.owner)
        found = read_manifests(
            self.path, lambda known: entries_of_note(known, version, owner, since)
        )
        compacted = find_compacted_days(self.path, facts)
        return standing_of(found, facts, since, compacted, read_pruned(self.path))


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
    _is_published: threading.Event = field(factory=threading.Event, init=False)
    """Whether the run was published: then its queries have all ended."""

    @property
    def root(self) -> str:
        return str(self.folder.absolute())

    def restart(self) -> None:
        empty_staging(self.folder)

    def publish(self, publication: Publication) -> Manifest:
        moves = self._moves(publication)
        with full_disk_named(self.output):
            with shared(self.output, self.notice):
                manifest = self._publish(publication, moves)
                self._is_published.set()
            with _tidying_up(), alone_if_free(self.output) as is_alone:
                if is_alone:
                    clear_dead_runs(self.output, self.notice)
        return manifest

    def _publish(self, publication: Publication, moves: Sequence[_Move]) -> Manifest:
        """Make the run count. Runs of one mini-batch do so one after the other, those of others at once."""
        version, hashed = (
            publication.facts.feature_spec_version,
            owner_hash(publication.facts.owner),
        )
        lock = self.output / LOCKS / hashed[:2]
        sync_folders(make_folder(lock.parent))
        with locked(lock, f"another run of the same mini-batch in {self.output}", self.notice):
            pruned = read_pruned(self.output)
            without_pruned(publication, pruned, self.notice)
            moves = [item for item in moves if not pruned.of_file(item[1].path)]
            refuse_compacted(find_compacted_days(self.output, publication.facts), publication.facts)
            known = read_entries(self.output, lambda: list_owner(self.output, version, hashed))
            files = [file for _, file in moves]
            former = last_live(known)
            if former is not None:
                note_owner(self.folder, version, hashed)
            manifest = publication.manifest(now_us(), self.token, files, former)
            self._make_count(manifest, moves)
        return manifest

    def publish_day(self, compaction: Compaction) -> Manifest:
        day = compaction.day
        moves = [
            _move(self.folder / target.staged, target, self.token)
            for target in compaction.targets()
        ]
        with full_disk_named(self.output):
            note_owner(self.folder, day.version, owner_hash(day_owner(day.version, day.date)))
            with locked(self.output / LOCK, f"the lock of {self.output}", self.notice):
                span = day.slices.since, day.slices.until
                known = read_manifests(self.output, lambda entries: entries_to_read(entries, *span))
                check_unchanged(day, read_pruned(self.output).left(live_manifests(known)))
                note_compacted(self.output, day)
                files = [file for _, file in moves]
                manifest = compaction.manifest(now_us(), self.token, files)
                self._make_count(manifest, moves)
                with _tidying_up():
                    clear_dead_runs(self.output, self.notice)
        return manifest

    def _make_count(self, manifest: Manifest, moves: Sequence[_Move]) -> None:
        """Place the files, make the manifest count, delete what no longer does."""
        entry = entry_of(manifest)
        target = manifest_path(self.output, entry)
        check_inside(self.output, (target, *(self.output / file.path for _, file in moves)))
        pending = self.output / PENDING / f"{self.token}.json"
        sync_folders({*make_folder(pending.parent), *make_folder(target.parent)})
        write_file(pending, manifest.to_json())
        sync_folders([pending.parent])
        self._place(pending, moves)
        move(pending, target, self.output)
        self._finish(target.parent, entry.version, entry.owner)

    def set_aside(self, publication: Publication) -> str:
        folder = self.output / failed_path(publication.facts)
        with full_disk_named(self.output):
            targets = publication.aside_targets(self._stage_small(publication))
            check_inside(self.output, (folder / target.name for target in targets))
            changed = make_folder(folder)
            for target in targets:
                move(self.folder / target.staged, folder / target.name, self.output)
            sync_folders({folder, *changed})
        return str(folder)

    def close(self) -> None:
        # Whoever has the output alone must not meet a folder that is half gone.
        try:
            with shared(self.output, self.notice):
                remove = remove_staging if self._is_published.is_set() else remove_own_staging
                remove(self.folder)
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

    def _finish(self, manifests: Path, version: str, hashed: str) -> None:
        """Make the publication last, then delete what it replaced."""
        try:
            sync_folders([manifests])
            sync_folders([self.output / PENDING])
        except OSError as error:
            raise AfterPublicationError(
                "the run is published, but a loss of power might undo that: the file system can't "
                f"sync {manifests} ({error.strerror}); run it again when that is mended"
            ) from error
        with _tidying_up():
            sweep(self.output, version, hashed)

    def _moves(self, publication: Publication) -> list[_Move]:
        targets = publication.targets(self._stage_small(publication))
        return [_move(self.folder / target.staged, target, self.token) for target in targets]

    def _stage_small(self, publication: Publication) -> list[str]:
        """Stage what no engine does: report and unreadable input files, whose names it gives."""
        names = copy_unreadable(publication.unreadable, self.folder, self.notice)
        for name, text in publication.texts.items():
            with full_disk_named(self.folder / name):
                (self.folder / name).write_text(text)
        return names


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


@contextmanager
def _tidying_up() -> Iterator[None]:
    """Say, where something fails, that the run is published."""
    try:
        yield
    except (OSError, NdrError) as error:
        raise AfterPublicationError(
            f"the run is published, but what it replaces could not be removed ({error}); run it "
            "again, or readers that do not know the manifests see both"
        ) from error
