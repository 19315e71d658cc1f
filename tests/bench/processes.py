"""Run a command to the end of the last process that it leads to, and print as JSON what they took.

Run by `measure`, as a process of its own: `python -m tests.bench.processes COMMAND..`. For Linux, which lets a process
wait for what its children leave behind: a JVM outlives the Python that started it.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import psutil
from attrs import asdict, frozen

_EVERY: Final = 0.1
"""Seconds. Looking costs time that the watched processes could have."""
_PR_SET_CHILD_SUBREAPER: Final = 36


@frozen
class Taken:
    """What a command took, from its start to its end."""

    exit_code: int
    seconds: float
    """Until the command's own process ended."""
    processor: float
    """Seconds of processors, user and system, of all its processes."""
    peak_mib: float
    """Of all its processes at once."""
    worker_mib: float
    """Of the largest Python process below a JVM, by itself; 0 where there was none."""


def run(command: Sequence[str]) -> Taken:
    """Run a command; returns once all that it started has ended."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "this process can't wait for what its children leave")
    watch = _Watch()
    started = time.perf_counter()
    pid = os.posix_spawn(command[0], list(command), os.environ)
    watch.start()
    seconds = processor = 0.0
    exit_code = -1
    waited = set()
    while True:
        try:
            ended, status, usage = os.wait4(-1, 0)
        except ChildProcessError:
            break
        processor += usage.ru_utime + usage.ru_stime
        waited.add(ended)
        if ended == pid:
            seconds = time.perf_counter() - started
            exit_code = os.waitstatus_to_exitcode(status)
    watch.done.set()
    watch.join()
    unwaited = sum(used for pid, used in watch.forked.items() if pid not in waited)
    return Taken(
        exit_code,
        seconds,
        processor + unwaited,
        watch.peak / (1 << 20),
        watch.largest_worker / (1 << 20),
    )


class _Watch(threading.Thread):
    """Watches all processes below this one, the JVM and its Python workers among them.

    A process counts from its second sighting on: one that a JVM has just forked, to run a command of the shell,
    shows the JVM's own memory as its own until it has become that command.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.done = threading.Event()
        self.peak = 0
        self.largest_worker = 0
        """Of the Python processes below a JVM."""
        self.forked: dict[int, float] = {}
        """Worker of Spark's -> its seconds of processors when last seen: the daemon that forks them waits for none."""
        self._seen: set[psutil.Process] = set()

    def run(self) -> None:
        own = psutil.Process()
        while not self.done.wait(_EVERY):
            present = set(own.children(recursive=True))
            total = 0
            for process in present & self._seen:
                try:
                    total += process.memory_info().rss
                    self._note(process)
                except (psutil.Error, OSError):
                    continue
            self.peak = max(self.peak, total)
            self._seen = present

    def _note(self, process: psutil.Process) -> None:
        if not _is_python(process):
            return
        above = process.parents()
        if "java" not in [one.name() for one in above]:
            return
        self.largest_worker = max(self.largest_worker, _peak_of(process.pid))
        if _is_python(above[0]):
            times = process.cpu_times()
            self.forked[process.pid] = times.user + times.system


def _is_python(process: psutil.Process) -> bool:
    return process.name().startswith("python")


def _peak_of(pid: int) -> int:
    """The most bytes that a process has had in memory, as the kernel noted them."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    return 0


if __name__ == "__main__":
    print("\n" + json.dumps(asdict(run(sys.argv[1:]))))
