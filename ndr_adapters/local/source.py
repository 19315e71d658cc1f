"""A mini-batch in a folder."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from attrs import field, frozen

from ndr_adapters.compression import head_of, text_of, unpacked
from ndr_adapters.home import with_home
from ndr_adapters.local.place import FolderPlace
from ndr_adapters.local.walk import Entry, walk
from ndr_core.errors import UnreadableFileError, UsageError
from ndr_core.flows.file_format import GZIP_TAIL_BYTES, HEAD_BYTES, Head
from ndr_core.flows.files import is_hidden
from ndr_core.flows.line_blocks import line_blocks
from ndr_core.flows.source import FINGERPRINT_DIGITS, InputFile

_PRINT_BYTES: Final = 64 << 10
_KINDS: Final = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@frozen
class FolderSource:
    """Flow logs in a folder (and its subfolders, links followed) or in one file.

    Names that begin with `_` or `.` are no data, as is the custom of such folders.
    """

    path: Path = field(converter=with_home)
    _started_in: str = field(init=False, eq=False, repr=False)
    """Where a relative path begins: a process that gets a copy of this may be elsewhere."""

    @_started_in.default
    def _working_folder(self) -> str:
        return "" if self.path.is_absolute() else os.getcwd()

    @property
    def place(self) -> FolderPlace:
        return FolderPlace(self.path)

    def places(self, files: Sequence[InputFile]) -> list[FolderPlace]:
        one_each = {os.path.dirname(os.path.realpath(file.uri)): file for file in files}
        return [FolderPlace(Path(file.uri)) for file in one_each.values()]

    def files(self, notice: Callable[[str], None]) -> tuple[InputFile, ...]:
        if not os.path.lexists(self.path):
            raise UsageError(f"input {self.path}: no such file or folder")
        if not self.path.is_dir():
            return (_input_file(str(self.path)),)
        found = list(self._batch_files(walk(str(self.path), is_hidden, notice)))
        if not found:
            raise UsageError(
                f"input {self.path}: no files there; check the folder, and that the mini-batch has landed"
            )
        return tuple(sorted(found, key=lambda file: file.uri))

    def _batch_files(self, entries: Iterator[Entry]) -> Iterator[InputFile]:
        root = len(str(self.path)) + 1
        for entry in entries:
            if entry.problem is not None:
                yield InputFile(entry.path, 0, problem=entry.problem)
                continue
            file = _input_file(entry.path)
            if file.problem is not None or not is_hidden(entry.path[root:]):
                yield file

    def heads(self, files: Sequence[InputFile]) -> dict[InputFile, Head]:
        return {file: _head(file) for file in files}

    def fingerprints(self, files: Sequence[InputFile]) -> dict[InputFile, str]:
        return {file: fingerprint_of(file) for file in files if file.problem is None}

    def blocks(
        self, file: InputFile, read: Callable[[int], object] = lambda _: None
    ) -> Iterator[bytes]:
        return line_blocks(text_of(self.pieces(file, read)))

    def pieces(
        self, file: InputFile, read: Callable[[int], object] = lambda _: None
    ) -> Iterator[bytes]:
        if file.problem is not None:
            raise UnreadableFileError(file.problem)
        try:
            with open(os.path.join(self._started_in, file.uri), "rb") as stream:
                yield from unpacked(stream, read)
        except OSError as error:
            raise UnreadableFileError(f"can't be read to its end: {_reason(error)}") from error

    def changed(self, files: Sequence[InputFile]) -> list[InputFile]:
        return [file for file in files if _input_file(file.uri) != file]


def _input_file(path: str) -> InputFile:
    try:
        status = os.stat(path)
    except OSError as error:
        target = f"is a link to {os.readlink(path)!r}: " if os.path.islink(path) else ""
        return InputFile(path, 0, problem=f"{target}{_reason(error)}")
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        return InputFile(
            path, 0, problem=f"is {_KINDS.get(kind, 'something else')}, no file of data"
        )
    version = f"{status.st_dev}:{status.st_ino}:{status.st_mtime_ns}"
    return InputFile(path, status.st_size, version)


def _head(file: InputFile) -> Head:
    if file.problem is not None:
        return Head(problem=file.problem)
    try:
        with open(file.uri, "rb") as stream:
            head = stream.read(HEAD_BYTES)
            stream.seek(max(0, file.size_bytes - GZIP_TAIL_BYTES))
            return head_of(head, stream.read(GZIP_TAIL_BYTES), file.size_bytes)
    except OSError as error:
        return Head(problem=_reason(error))


def fingerprint_of(file: InputFile) -> str:
    """Hash a file's size, first and last bytes: of one that is longer than `size_bytes`, those of its first part.

    Raises UsageError where it can't be read.
    """
    digest = hashlib.sha256(f"{file.size_bytes} ".encode())
    try:
        with open(file.uri, "rb") as stream:
            length = min(_PRINT_BYTES, file.size_bytes)
            digest.update(stream.read(length))
            stream.seek(file.size_bytes - length)
            digest.update(stream.read(length))
    except OSError as error:
        raise UsageError(f"input {file.name}: can't be read: {_reason(error)}") from error
    return digest.hexdigest()[:FINGERPRINT_DIGITS]


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
