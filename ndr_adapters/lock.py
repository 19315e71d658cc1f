"""Locks on files: each ends with the process that holds it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ndr_core.errors import NdrError

LOCK: Final = "_lock"
NOTICE_SECONDS = 10.0
"""How long a run waits for an output's lock before it says so."""
_PAUSE_SECONDS: Final = 0.02


@contextmanager
def locked(path: Path, what: str, notice: Callable[[str], None]) -> Iterator[None]:
    """Hold a lock file alone, once no other process does. After NOTICE_SECONDS `notice` says what is waited for."""
    descriptor = _opened(path, os.O_RDWR | os.O_CREAT)
    try:
        _take(descriptor, fcntl.LOCK_EX, what, notice)
        _write_holder(descriptor, f"{os.getpid()}\n")
        yield
        _write_holder(descriptor, "")
    finally:
        os.close(descriptor)


@contextmanager
def alone_or(path: Path, refusal: Callable[[str], NdrError]) -> Iterator[None]:
    """Hold a lock file alone. Raises what `refusal` makes of the name of its holder where a process holds it."""
    descriptor = _opened(path, os.O_RDWR | os.O_CREAT)
    try:
        if not _taken(descriptor, fcntl.LOCK_EX):
            raise refusal(_holder(descriptor))
        _write_holder(descriptor, f"{os.getpid()}\n")
        yield
        _write_holder(descriptor, "")
    finally:
        os.close(descriptor)


@contextmanager
def shared(output: Path, notice: Callable[[str], None]) -> Iterator[None]:
    """Work in an output together with others, once nobody has it alone. `notice`: as for `locked`."""
    descriptor = _opened(output / LOCK, os.O_RDWR | os.O_CREAT)
    try:
        _take(descriptor, fcntl.LOCK_SH, f"the lock of {output}", notice)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def alone_if_free(output: Path) -> Iterator[bool]:
    """Have an output alone, where nobody works in it; gives whether that is so. Waits for nobody."""
    descriptor = _opened(output / LOCK, os.O_RDWR | os.O_CREAT)
    try:
        yield _taken(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def hold_new(path: Path) -> int:
    """Create a lock file and hold it, until the descriptor is closed or the process ends."""
    descriptor = _opened(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def hold_shared(path: Path) -> None:
    """Hold a lock file together with others, until the process ends. Raises OSError where there is none."""
    fcntl.flock(_opened(path, os.O_RDWR), fcntl.LOCK_SH)


def is_held(path: Path) -> bool:
    """Whether a process holds the lock file. Raises OSError where there is none."""
    descriptor = _opened(path, os.O_RDWR)
    try:
        return not _taken(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def _opened(path: Path, flags: int) -> int:
    # Whoever can write to the output could put a link there, and with it choose a file to be changed.
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)


def _taken(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _take(descriptor: int, kind: int, what: str, notice: Callable[[str], None]) -> None:
    started = time.monotonic()
    while not _taken(descriptor, kind):
        if time.monotonic() - started >= NOTICE_SECONDS:
            notice(f"waiting for {what}, held by {_holder(descriptor)}")
            fcntl.flock(descriptor, kind)
            return
        time.sleep(_PAUSE_SECONDS)


def _holder(descriptor: int) -> str:
    text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
    return f"process {text}" if text.isdecimal() else "another process"


def _write_holder(descriptor: int, text: str) -> None:
    with suppress(OSError):  # it only serves the notice of those who wait
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)
