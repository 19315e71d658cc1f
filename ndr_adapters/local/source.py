"""A mini-batch in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

from ndr_core.batch_files import HEADER_BYTES, header_problem, is_data, lines_of
from ndr_core.errors import UnreadableFileError, UsageError
from ndr_core.ports import InputFile


@frozen
class FolderSource:
    """Flow logs as JSON Lines in a folder (and its subfolders) or in one file; gzip by the name `*.gz`.

    Names that begin with `_` or `.` are no data, as is the custom of such folders.
    """

    path: Path

    def files(self) -> tuple[InputFile, ...]:
        if not self.path.exists():
            raise UsageError(f"input {self.path}: no such file or folder")
        found = [self.path] if self.path.is_file() else self._below()
        return tuple(InputFile(str(path), path.stat().st_size) for path in sorted(found))

    def _below(self) -> list[Path]:
        return [
            path
            for path in self.path.rglob("*")
            if path.is_file() and is_data(path.relative_to(self.path).as_posix(), str(path))
        ]

    def header_problems(self, files: Sequence[InputFile]) -> dict[InputFile, str]:
        problems = {file: _header_problem(file) for file in files}
        return {file: problem for file, problem in problems.items() if problem is not None}

    def lines(self, file: InputFile) -> Iterator[bytes]:
        try:
            with open(file.uri, "rb") as stream:
                yield from lines_of(file.uri, stream)
        except OSError as error:
            raise UnreadableFileError(f"can't be read to its end: {error}") from error


def _header_problem(file: InputFile) -> str | None:
    try:
        with open(file.uri, "rb") as stream:
            return header_problem(file.uri, stream.read(HEADER_BYTES))
    except OSError as error:
        return str(error.strerror)
