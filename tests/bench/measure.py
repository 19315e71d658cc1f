"""A task in a process of its own: its times, and the memory of all its processes."""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import sys
import threading
from pathlib import Path

import psutil
from attrs import frozen


@frozen
class Measured:
    """What a task took on one batch."""

    task: str
    records: int
    seconds: tuple[float, ...]
    peak_mib: float

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def per_core(self) -> float:
        """Records per second and core."""
        return self.records / self.median / cores()


def cores() -> int:
    return psutil.cpu_count() or 1


def machine() -> str:
    """The machine in one line."""
    memory = psutil.virtual_memory().total / (1 << 30)
    return f"{platform.machine()}, {cores()} cores, {memory:.0f} GiB, Python {platform.python_version()}"


def measure(task: str, records: int, batch: Path, repeats: int, warm_ups: int = 1) -> Measured:
    """Run a task `repeats` times in one process, after some to warm up. Raises SystemExit where it fails."""
    runs = [str(warm_ups), str(repeats)]
    command = [sys.executable, "-m", "tests.bench.task", task, str(batch), *runs]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        peak = _Peak(process.pid)
        peak.start()
        told = process.communicate()[0]
        peak.done.set()
        peak.join()
    if process.returncode != 0:
        raise SystemExit(f"{task}: exit code {process.returncode}")
    return Measured(task, records, tuple(json.loads(told.splitlines()[-1])), peak.mebibytes)


class _Peak(threading.Thread):
    """Watches the memory of a process and its children, the JVM among them.

    A child counts from its second sighting on: one that a JVM has just forked, to run a command of the shell,
    shows the JVM's own memory as its own until it has become that command.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._seen: set[psutil.Process] = set()
        self.done = threading.Event()
        self.mebibytes = 0.0

    def run(self) -> None:
        while not self.done.wait(0.05):
            self.mebibytes = max(self.mebibytes, self._now() / (1 << 20))

    def _now(self) -> int:
        total = 0
        try:
            present = {self._process, *self._process.children(recursive=True)}
            for process in present & self._seen:
                total += process.memory_info().rss
        except psutil.NoSuchProcess:
            return 0
        self._seen = present
        return total
