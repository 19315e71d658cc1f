"""Disks that are full: whoever writes there says where that was, as the operating system does not."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ndr_core.errors import NdrError

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REASONS: Final = tuple(map(os.strerror, _FULL))


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

    It names the path that the error names, or else `path`.
    """
    try:
        yield
    except NdrError:
        raise
    except Exception as error:
        reason = full_disk_reason(error)
        if reason is None:
            raise
        named = (error.filename2 or error.filename) if isinstance(error, OSError) else None
        raise FullDiskError(named or path, reason) from error
