"""A folder on this machine in which logs land."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from attrs import field, frozen

from ndr_adapters.home import with_home
from ndr_adapters.local.place import FolderPlace
from ndr_adapters.local.source import FolderSource, fingerprint_of
from ndr_adapters.local.walk import walk
from ndr_core.errors import UsageError, printable
from ndr_core.flows.file_format import Head
from ndr_core.flows.source import InputFile
from ndr_core.watching.attempts import HEAD_BYTES, Source
from ndr_core.watching.landed import LandedFile, Listing, holds_records

_HEAD_DIGITS = 16


@frozen
class FolderLanding:
    """Files below a folder, links followed, each once."""

    path: Path = field(converter=with_home)
    patterns: tuple[str, ...] = ()
    """Names of files that are read (`input.files`); all where there are none."""
    notice: Callable[[str], None] = field(default=lambda _message: None)

    def listed(self) -> Listing:
        """Look at all files below it that hold records. Raises UsageError where it is no folder."""
        if not self.path.is_dir():
            raise UsageError(f"landing {self.path}: no such folder")
        root = len(str(self.path)) + 1
        files: list[LandedFile] = []
        problems: dict[str, str] = {}
        folders: dict[str, int] = {}
        for entry in walk(str(self.path), _is_left_out, self.notice):
            below = entry.path[root:]
            if entry.problem is not None:
                problems[below.partition("/")[0] or "."] = (
                    f"{printable(entry.path)}: {entry.problem}"
                )
            elif holds_records(below, self.patterns):
                found = self._landed(below, folders, problems)
                files += [found] if found is not None else []
        return Listing(tuple(files), problems)

    def source(self, file: LandedFile) -> Source:
        lying = self.input_file(file.path, file.size_bytes, file.inode, file.modified_at)
        return Source(*file.state, fingerprint_of(lying), self._head(lying))

    def has(self, source: Source) -> bool:
        """Whether a file lies there by the name of one."""
        return (self.path / source.path).exists()

    def begins_with(self, file: Source, former: Source) -> bool:
        lying = self.input_file(file.path, former.size_bytes, file.inode, file.modified_at)
        try:
            return fingerprint_of(lying) == former.fingerprint
        except UsageError:
            return False

    def input_file(self, path: str, size_bytes: int, inode: str, modified_at: int) -> InputFile:
        """Give a file as a source of flows lists it, in the state in which it was found."""
        return InputFile(f"{self.path}/{path}", size_bytes, f"{inode}:{modified_at}")

    def batch(self, sources: Iterable[Source]) -> ChosenFiles:
        """Give what reads some of the files, in the state in which they were found."""
        return ChosenFiles(FolderSource(self.path), tuple(map(self._input, sources)))

    def _input(self, source: Source) -> InputFile:
        return self.input_file(*source.state)

    def _head(self, file: InputFile) -> str:
        if file.size_bytes < HEAD_BYTES:
            return ""
        try:
            with open(file.uri, "rb") as stream:
                return hashlib.sha256(stream.read(HEAD_BYTES)).hexdigest()[:_HEAD_DIGITS]
        except OSError as error:
            raise UsageError(f"input {file.name}: can't be read: {error.strerror}") from error

    def _landed(
        self, below: str, folders: dict[str, int], problems: dict[str, str]
    ) -> LandedFile | None:
        path = f"{self.path}/{below}"
        try:
            status = os.stat(path)
        except FileNotFoundError:
            if not os.path.islink(path):
                return None  # it was renamed or removed since it was listed
            problems[below.partition("/")[0]] = f"{printable(path)}: is a link to nothing"
            return None
        except OSError as error:
            problems[below.partition("/")[0]] = f"{printable(path)}: {error.strerror}"
            return None
        if not stat.S_ISREG(status.st_mode):
            problems[below.partition("/")[0]] = f"{printable(path)}: is no file of data"
            return None
        return LandedFile(
            below,
            status.st_size,
            f"{status.st_dev}:{status.st_ino}",
            status.st_mtime_ns,
            status.st_ctime_ns,
            self._folder_changed(below.rpartition("/")[0], folders),
        )

    def _folder_changed(self, folder: str, known: dict[str, int]) -> int:
        """As `LandedFile.folder_changed_at`, of a folder below the landing folder."""
        if not folder:
            return 0
        if folder not in known:
            above = self._folder_changed(folder.rpartition("/")[0], known)
            try:
                status = os.stat(f"{self.path}/{folder}")
            except (
                OSError
            ):  # it was renamed since it was listed, and what was in it is gone from here
                return above
            own = status.st_ctime_ns if status.st_ctime_ns > status.st_mtime_ns else 0
            known[folder] = max(above, own)
        return known[folder]


def _is_left_out(name: str) -> bool:
    return name.startswith((".", "_"))


@frozen
class ChosenFiles:
    """Some files of a folder as a mini-batch, in the state in which they were found."""

    folder: FolderSource
    chosen: tuple[InputFile, ...]

    @property
    def place(self) -> FolderPlace:
        return self.folder.place

    def places(self, files: Sequence[InputFile]) -> list[FolderPlace]:
        return self.folder.places(files)

    def files(self, notice: Callable[[str], None]) -> tuple[InputFile, ...]:
        del notice  # what lies beside them is not looked at
        return tuple(sorted(self.chosen, key=lambda file: file.uri))

    def heads(self, files: Sequence[InputFile]) -> Mapping[InputFile, Head]:
        return self.folder.heads(files)

    def fingerprints(self, files: Sequence[InputFile]) -> Mapping[InputFile, str]:
        return self.folder.fingerprints(files)

    def blocks(
        self, file: InputFile, read: Callable[[int], object] = lambda _: None
    ) -> Iterator[bytes]:
        return self.folder.blocks(file, read)

    def pieces(
        self, file: InputFile, read: Callable[[int], object] = lambda _: None
    ) -> Iterator[bytes]:
        return self.folder.pieces(file, read)

    def changed(self, files: Sequence[InputFile]) -> list[InputFile]:
        return self.folder.changed(files)
