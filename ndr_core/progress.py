"""How far a build is: bytes of the input as they lie there (packed), lines in them, and what time that leaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

from attrs import define, field, frozen

PROGRESS_SECONDS: Final = 30.0
"""Between two lines of a log that say how far a build is."""
_REPORT_SECONDS: Final = 1.0

File = TypeVar("File")


@frozen
class Progress:
    """A build at one moment. Times are seconds of a clock that only measures."""

    done_bytes: int
    total_bytes: int
    records: int
    seconds: float
    """Since the build began."""
    reading_seconds: float
    """Of these, those in which input was left to read."""
    seconds_left: float | None
    """About; None where it is not known: before anything is read, and of a build that takes longer than thought."""

    @property
    def share(self) -> float:
        """Of the input, between 0 and 1."""
        return self.done_bytes / self.total_bytes if self.total_bytes else 1.0

    @property
    def records_per_second(self) -> float:
        """Of the time in which input was read; 0 where that is too short to say."""
        return self.records / self.reading_seconds if self.reading_seconds > 0 else 0.0


@define
class Meter:
    """Counts what a build has read of its input. Any thread may count, any other one look.

    `reading_share`: part of a build's time that goes by until all is read, about.
    """

    total_bytes: int = 0
    reading_share: float = 1.0
    clock: Callable[[], float] = time.monotonic
    look: Callable[[], None] | None = field(
        default=None, metadata={"doc": "counts what is read elsewhere; called before each look"}
    )
    _bytes: int = field(default=0, init=False)
    _records: int = field(default=0, init=False)
    _began: float = field(init=False)
    _read_at: float | None = field(default=None, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def __attrs_post_init__(self) -> None:
        """Start the clock."""
        self._began = self.clock()
        self.add()

    def add(self, *, packed_bytes: int = 0, records: int = 0) -> None:
        """Count what was read just now."""
        with self._lock:
            self._set(self._bytes + packed_bytes, self._records + records)

    def set(self, packed_bytes: int, records: int) -> None:
        """Count what was read so far, in all."""
        with self._lock:
            self._set(packed_bytes, records)

    def all_read(self, records: int | None = None) -> None:
        """Count all of the input as read; `records`: how many there are, where that is known by now."""
        with self._lock:
            self._set(self.total_bytes, self._records if records is None else records)

    def _set(self, packed_bytes: int, records: int) -> None:
        self._bytes, self._records = packed_bytes, records
        if self._read_at is None and packed_bytes >= self.total_bytes:
            self._read_at = self.clock()

    def metered(
        self, blocks: Callable[[File, Callable[[int], None]], Iterator[bytes]]
    ) -> Callable[[File], Iterator[bytes]]:
        """Read files by `blocks`, which counts the packed bytes that it reads, and count them and their lines."""

        def read(file: File) -> Iterator[bytes]:
            for block in blocks(file, lambda packed: self.add(packed_bytes=packed)):
                self.add(records=lines_in(block))
                yield block

        return read

    def progress(self) -> Progress:
        """How far the build is. Input that was read twice counts once."""
        if self.look is not None:
            self.look()
        with self._lock:
            done = min(self._bytes, self.total_bytes)
            elapsed = self.clock() - self._began
            reading = elapsed if self._read_at is None else self._read_at - self._began
            return Progress(
                done,
                self.total_bytes,
                self._records,
                elapsed,
                reading,
                self._left(done, elapsed, reading),
            )

    def _left(self, done: int, elapsed: float, reading: float) -> float | None:
        if not done:
            return None
        left = reading * self.total_bytes / done / self.reading_share - elapsed
        return left if left > 0 else None


def lines_in(block: bytes) -> int:
    """Count the lines of a block of whole lines, the last of which may lack its line feed."""
    return block.count(b"\n") + (not block.endswith(b"\n"))


@contextmanager
def progress_reported(meter: Meter, report: Callable[[Progress], None]) -> Iterator[None]:
    """Report how far a build is, each second while the block runs and once when it is through.

    A report that fails ends the reports, never the build.
    """
    ended = threading.Event()

    def report_each_second() -> None:
        with suppress(Exception):
            while not ended.wait(_REPORT_SECONDS):
                report(meter.progress())

    reporter = threading.Thread(target=report_each_second, name="ndr-progress", daemon=True)
    reporter.start()
    try:
        yield
    finally:
        ended.set()
        reporter.join()
    with suppress(Exception):
        report(meter.progress())


@define
class Every:
    """Lets something through once in so many seconds of a build."""

    seconds: float
    _last: float = field(default=0.0, init=False)

    def lets_through(self, now: float) -> bool:
        """Whether it is time again; `now` starts from 0 with each build."""
        if now < self._last:
            self._last = 0.0
        if now - self._last < self.seconds:
            return False
        self._last = now
        return True
