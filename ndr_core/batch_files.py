"""Which files of a mini-batch hold records, and how their bytes become lines."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import IO, cast

from ndr_core.errors import UnreadableFileError, UsageError

SUFFIXES = (".gz", ".json", ".jsonl", ".ndjson", ".log")
HEADER_BYTES = 2
_GZIP_MAGIC = b"\x1f\x8b"


def is_data(relative: str, address: str) -> bool:
    """Whether a file is data, by its path below the batch: names that begin with `_` or `.` are not.

    Raises UsageError, naming the file by its `address`, for a name that is no name of JSON Lines.
    """
    if any(name.startswith(("_", ".")) for name in relative.split("/")):
        return False
    if not relative.endswith(SUFFIXES):
        raise UsageError(
            f"input {address}: not a name of JSON Lines ({', '.join(SUFFIXES)}); "
            "remove the file or begin its name with '_'"
        )
    return True


def header_problem(name: str, header: bytes) -> str | None:
    """What is wrong with the first bytes of a file, or None: gzip is told by the name `*.gz`."""
    is_gzip = header[:HEADER_BYTES] == _GZIP_MAGIC
    if name.endswith(".gz"):
        return None if is_gzip else "named .gz, but not gzip data"
    return "gzip data, but not named .gz" if is_gzip else None


def lines_of(name: str, stream: IO[bytes]) -> Iterator[bytes]:
    """Lines of an open file, decompressed, without their line feeds.

    Raises UnreadableFileError where gzip data are corrupt or end too early; what `stream` raises passes.
    """
    unpacked = cast(IO[bytes], gzip.GzipFile(fileobj=stream)) if name.endswith(".gz") else stream
    try:
        for line in unpacked:
            yield line.removesuffix(b"\n")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UnreadableFileError(f"can't be read to its end: {error}") from error
