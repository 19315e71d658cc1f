"""A mini-batch in a folder."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from attrs import frozen

from ndr_core.errors import UnreadableFileError, UsageError
from ndr_core.ports import InputFile

GZIP_MAGIC = b"\x1f\x8b"
SUFFIXES = (".gz", ".json", ".jsonl", ".ndjson", ".log")


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
        found = []
        for path in self.path.rglob("*"):
            names = path.relative_to(self.path).parts
            if path.is_file() and not any(name.startswith(("_", ".")) for name in names):
                if path.suffix not in SUFFIXES:
                    raise UsageError(
                        f"input {path}: not a name of JSON Lines ({', '.join(SUFFIXES)}); "
                        "remove the file or begin its name with '_'"
                    )
                found.append(path)
        return found

    def check_header(self, file: InputFile) -> str | None:
        try:
            with open(file.uri, "rb") as stream:
                magic = stream.read(2)
        except OSError as error:
            return str(error.strerror)
        if file.uri.endswith(".gz"):
            return None if magic == GZIP_MAGIC else "named .gz, but not gzip data"
        return "gzip data, but not named .gz" if magic == GZIP_MAGIC else None

    def lines(self, file: InputFile) -> Iterator[bytes]:
        try:
            with _open(file.uri) as stream:
                for line in stream:
                    yield line.removesuffix(b"\n")
        except (OSError, EOFError, zlib.error) as error:
            raise UnreadableFileError(f"can't be read to its end: {error}") from error


def _open(path: str) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if path.endswith(".gz") else open(path, "rb")
