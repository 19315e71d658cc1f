"""Wall time and peak memory of the whole job against parsing alone, per engine, side by side in one run.

Run by hand: `make bench`, or `python -m tests.bench.bench_engines --records 100000 --engine polars`.
The batch holds no bad line, which Polars' own reader would fail at. Each task runs in a process of its own,
once to warm up and then `--repeats` times; the least time counts.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import click
import psutil
from rich.console import Console
from rich.table import Table

from ndr_adapters.local.generate import write_synthetic
from ndr_core.synthetic import SyntheticBatch

ENGINES = ("polars", "spark")
TASKS = ("parse only", "whole job")


def measure(engine: str, task: str, batch: Path, repeats: int) -> tuple[list[float], float]:
    """Seconds of each repeat, and the peak resident memory of the task's processes in MiB."""
    command = [sys.executable, "-m", "tests.bench.task", engine, task, str(batch), str(repeats)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        peak = _Peak(process.pid)
        peak.start()
        told = process.communicate()[0]
        peak.done.set()
        peak.join()
    if process.returncode != 0:
        raise SystemExit(f"{engine}, {task}: exit code {process.returncode}")
    return json.loads(told.splitlines()[-1]), peak.mebibytes


class _Peak(threading.Thread):
    """Watches the memory of a process and its children, the JVM among them."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self.done = threading.Event()
        self.mebibytes = 0.0

    def run(self) -> None:
        while not self.done.wait(0.05):
            self.mebibytes = max(self.mebibytes, self._now() / (1 << 20))

    def _now(self) -> int:
        total = 0
        try:
            for process in [self._process, *self._process.children(recursive=True)]:
                total += process.memory_info().rss
        except psutil.NoSuchProcess:
            return 0
        return total


@click.command()
@click.option("--records", multiple=True, type=int, default=(100_000, 1_000_000, 5_000_000))
@click.option("--engine", "engines", multiple=True, type=click.Choice(ENGINES), default=ENGINES)
@click.option("--repeats", default=3, show_default=True)
def main(records: tuple[int, ...], engines: tuple[str, ...], repeats: int) -> None:
    """Print times, memory and ratios."""
    console = Console(width=110)
    memory = psutil.virtual_memory().total / (1 << 30)
    console.print(
        f"{platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"
    )
    table = Table(
        "engine", "records", "parse only", "whole job", "ratio", "records/s/core", "peak MiB"
    )
    for size in records:
        with tempfile.TemporaryDirectory() as folder:
            batch = Path(folder) / "batch"
            write_synthetic(SyntheticBatch(size), batch, 8, lambda _: None)
            for engine in engines:
                parse, job = (measure(engine, task, batch, repeats) for task in TASKS)
                seconds = min(job[0])
                table.add_row(
                    engine,
                    f"{size:,}",
                    f"{min(parse[0]):.2f} s",
                    f"{seconds:.2f} s",
                    f"{seconds / min(parse[0]):.1f}",
                    f"{size / seconds / (os.cpu_count() or 1):,.0f}",
                    f"{parse[1]:,.0f} / {job[1]:,.0f}",
                )
    console.print(table)


if __name__ == "__main__":
    main()
