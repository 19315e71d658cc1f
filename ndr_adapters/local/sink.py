"""Publishing to a folder: all of a run or nothing.

Staged files are moved into their partitions under names that no other run uses, then one rename of the
manifest makes them count (`ndr_core.manifest`), then what they replace is deleted. A lock lets one publisher
at a time into an output. Until its rename a manifest is pending; if its run dies, the next publisher removes
the files that it names.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from attrs import field, frozen
from cattrs import BaseValidationError

from ndr_core.delta import QUARANTINE, DeltaPlan
from ndr_core.errors import NdrError, UsageError
from ndr_core.job_spec import RuntimeParams
from ndr_core.manifest import (
    REPORT_NAME,
    Manifest,
    OutputFile,
    RunFacts,
    Target,
    replaced_folders,
    superseded,
    targets,
    unreadable_name,
)
from ndr_core.ports import InputFile

_MANIFESTS: Final = "_manifests"
_PENDING: Final = "_pending"
_STAGING: Final = "_staging"
_LOCK: Final = "_lock"

_Move = tuple[Path, OutputFile]
"""A staged file, and what it is once published."""


@frozen
class FolderSink:
    """Publishes runs below the folder `path`."""

    path: Path

    def open_staging(self, params: RuntimeParams, notice: Callable[[str], None]) -> FolderStaging:
        del notice
        token = uuid.uuid4().hex[:12]
        folder = self.path / _STAGING / f"{params.run_id}-{token}"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with _locked(self.path):
                folder.mkdir(parents=True)
                lock = (folder / _LOCK).open("w")
                fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            raise UsageError(f"output {self.path}: can't be written: {error.strerror}") from error
        return FolderStaging(self.path, folder, token, lock)


@frozen
class FolderStaging:
    """A run's private folder inside the output, so that publishing is renaming."""

    output: Path
    folder: Path
    token: str = field(metadata={"doc": "part of the names of the run's files, and of no others"})
    lock: IO[str] = field(metadata={"doc": "held while the run lives"})

    @property
    def root(self) -> str:
        return str(self.folder)

    def restart(self) -> None:
        for child in self.folder.iterdir():
            if child.is_dir():
                shutil.rmtree(child)

    def publish(
        self,
        plan: DeltaPlan,
        facts: RunFacts,
        rows: Mapping[str, int],
        unreadable: Sequence[InputFile],
    ) -> Manifest:
        folders = replaced_folders(plan, rows)
        moves = self._moves(plan, facts, rows, unreadable)
        with _locked(self.output):
            _clear_away_dead_runs(self.output)
            sequence = max((m.sequence for m in read_manifests(self.output)), default=0) + 1
            files = tuple(file for _, file in moves)
            manifest = Manifest(sequence, self.token, facts, folders, files)
            pending = self.output / _PENDING / _manifest_name(sequence)
            _write_durably(pending, manifest.to_json())
            for source, file in moves:
                target = self.output / file.path
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(source, target)
            committed = self.output / _MANIFESTS / _manifest_name(sequence)
            committed.parent.mkdir(exist_ok=True)
            os.replace(pending, committed)
            _sweep(self.output)
        return manifest

    def close(self) -> None:
        # Under the lock: another publisher must not meet a folder that is half gone.
        with _locked(self.output):
            shutil.rmtree(self.folder)
        self.lock.close()

    def _moves(
        self,
        plan: DeltaPlan,
        facts: RunFacts,
        rows: Mapping[str, int],
        unreadable: Sequence[InputFile],
    ) -> list[_Move]:
        names = [Path(file.uri).name for file in unreadable]
        for number, file in enumerate(unreadable):
            shutil.copyfile(file.uri, self.folder / unreadable_name(number, names[number]))
        (self.folder / REPORT_NAME).write_text(json.dumps(facts.report.to_plain(), indent=1))
        found = targets(
            plan,
            rows,
            [f"{QUARANTINE}/{path.name}" for path in (self.folder / QUARANTINE).glob("*.gz")],
            facts.report.read - facts.report.kept,
            names,
        )
        return [_move(self.folder / target.staged, target, self.token) for target in found]


def read_manifests(output: Path) -> list[Manifest]:
    """Manifests of the published runs, oldest first; none for a folder that is no output."""
    return [_read_manifest(path) for path in sorted((output / _MANIFESTS).glob("*.json"))]


def _read_manifest(path: Path) -> Manifest:
    try:
        return Manifest.from_json(path.read_text())
    except (ValueError, BaseValidationError) as error:
        raise NdrError(
            f"{path}: is no manifest of a run; restore it, or remove it and run its mini-batch again"
        ) from error


def _move(staged: Path, target: Target, token: str) -> _Move:
    with staged.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return staged, target.placed(token, staged.stat().st_size, sha256)


def _manifest_name(sequence: int) -> str:
    return f"{sequence:012}.json"


def _write_durably(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def _locked(output: Path) -> Iterator[None]:
    """Wait until no other process publishes to this output; the lock ends with its process."""
    with (output / _LOCK).open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _clear_away_dead_runs(output: Path) -> None:
    for path in (output / _STAGING).glob("*"):
        if _is_abandoned(path):
            shutil.rmtree(path)
    for pending in (output / _PENDING).glob("*.json"):
        try:
            files = Manifest.from_json(pending.read_text()).files
        except ValueError:  # cut short: nothing was moved before it was whole
            files = ()
        _delete(output, files)
        pending.unlink()
    _sweep(output)


def _is_abandoned(staging: Path) -> bool:
    with (staging / _LOCK).open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _sweep(output: Path) -> None:
    """Delete what published runs have replaced."""
    stale, spent = superseded(read_manifests(output))
    _delete(output, stale)
    for manifest in spent:
        (output / _MANIFESTS / _manifest_name(manifest.sequence)).unlink(missing_ok=True)


def _delete(output: Path, files: Sequence[OutputFile]) -> None:
    for file in files:
        path = output / file.path
        path.unlink(missing_ok=True)
        if path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()
