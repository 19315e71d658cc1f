"""Disks that are full: whoever writes there says where that was, as the operating system does not."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ndr_core.errors import NdrError

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REASONS: Final = tuple(map(os.strerror, _FULL))
_NO_REASON: Final = "Invalid thrift: transport error"
"""Of Polars, where the last part of a Parquet file can't be written: it does not pass on why."""
_TRIED_BYTES: Final = 1 << 20
"""More than that part of a file is long."""


class FullDiskError(NdrError):
    """A path can't be written, as there is no room left."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: can't be written: {reason}; make room there, then run it again")


def full_disk_reason(error: BaseException) -> str | None:
    """What the operating system said where an error means a full disk, else None.

    Engines pass on its words rather than its number.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno) if error.errno in _FULL else None
    return next((reason for reason in _REASONS if reason in str(error)), None)


@contextmanager
def full_disk_named(path: Path | str) -> Iterator[None]:
    """Run the block; an error of it that means a full disk becomes a FullDiskError.

    It names the path that the error names, or else `path`. Where an engine hides why it could not write, a
    short-lived file beside it tells.
    """
    try:
        yield
    except NdrError:
        raise
    except Exception as error:
        reason = full_disk_reason(error)
        if reason is None and _NO_REASON in str(error):
            reason = _reason_to_refuse(path)
        if reason is None:
            raise
        named = (error.filename2 or error.filename) if isinstance(error, OSError) else None
        raise FullDiskError(named or path, reason) from error


def _reason_to_refuse(path: Path | str) -> str | None:
    """What the operating system says of more bytes at a path where it has no room for them, else None."""
    folder = Path(path) if os.path.isdir(path) else Path(path).parent
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as tried:
            left = memoryview(bytes(_TRIED_BYTES))
            while left:
                left = left[tried.write(left) :]
    except OSError as error:
        return full_disk_reason(error)
    return None
