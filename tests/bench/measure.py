"""A task measured: in processes of its own, each from its start to its end, or again and again in one."""

from __future__ import annotations

import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil
from attrs import evolve, frozen

from tests.bench.processes import Taken

LARGEST_WORKER_MIB: Final = 1536
"""What one Python worker of Spark may have in memory: a fixed share of the work, however large the batch."""


@frozen
class Run:
    """One run of a task, in seconds."""

    wall: float
    processor: float
    """User and system, of all processes."""


@frozen
class Measured:
    """What a task took on one batch."""

    task: str
    records: int
    runs: tuple[Run, ...]
    peak_mib: float
    """Of all processes at once."""
    worker_mib: float = 0.0
    """Of the largest Python worker of Spark by itself; 0 without one."""

    @property
    def seconds(self) -> tuple[float, ...]:
        return tuple(run.wall for run in self.runs)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def processor(self) -> float:
        """Median seconds of processors."""
        return statistics.median(run.processor for run in self.runs)

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
    taken, printed = _run(task, batch, warm_ups, repeats)
    runs = tuple(Run(wall, processor) for wall, processor in json.loads(printed))
    return Measured(task, records, runs, taken.peak_mib, taken.worker_mib)


def measure_cold(task: str, records: int, batch: Path) -> Measured:
    """Run a task once in a new process, from its start to its end. Raises SystemExit where it fails."""
    taken, _ = _run(task, batch, warm_ups=0, repeats=1)
    runs = (Run(taken.seconds, taken.processor),)
    return Measured(task, records, runs, taken.peak_mib, taken.worker_mib)


def together(parts: Sequence[Measured]) -> Measured:
    """Make one of the measured runs of one task on one batch."""
    return evolve(
        parts[0],
        runs=tuple(run for part in parts for run in part.runs),
        peak_mib=max(part.peak_mib for part in parts),
        worker_mib=max(part.worker_mib for part in parts),
    )


def refuse_large_workers(workers: Mapping[str, float]) -> None:
    """Raise SystemExit where a Python worker of Spark had more than LARGEST_WORKER_MIB in memory.

    `workers`: what was run -> MiB of its largest Python worker.
    """
    found = [
        f"{name}: a Python worker had {mib:,.0f} MiB in memory, more than {LARGEST_WORKER_MIB:,}"
        for name, mib in workers.items()
        if mib > LARGEST_WORKER_MIB
    ]
    if found:
        raise SystemExit("\n".join(found))


def _run(task: str, batch: Path, warm_ups: int, repeats: int) -> tuple[Taken, str]:
    """What a process with a task took, and the last line that it printed."""
    arguments = [task, str(batch), str(warm_ups), str(repeats)]
    return run_watched([sys.executable, "-m", "tests.bench.task", *arguments], os.environ)


def run_watched(command: Sequence[str], environment: Mapping[str, str]) -> tuple[Taken, str]:
    """Give what a command took, and the last line that it printed. Raises SystemExit where it fails."""
    watched = [sys.executable, "-m", "tests.bench.processes", *command]
    done = subprocess.run(watched, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{shlex.join(watched)}: exit code {done.returncode}\n{done.stderr}")
    *printed, last = filter(None, done.stdout.splitlines())
    taken = Taken(**json.loads(last))
    if taken.exit_code != 0:
        end = done.stderr[-4000:]
        raise SystemExit(f"{shlex.join(command)}: exit code {taken.exit_code}\n{end}")
    return taken, printed[-1]
