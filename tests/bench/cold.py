"""From the start of a process to the first byte that its engine reads, and what imports take of it.

Run by hand: `python -m tests.bench.cold`. Writes `docs/bench/cold.md`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import psutil

from tests.bench.batches import synthetic_batch
from tests.bench.measure import machine
from tests.bench.task import engines

RESULTS = Path(__file__).parents[2] / "docs" / "bench" / "cold.md"
NDR = str(Path(sys.executable).with_name("ndr"))


@click.command()
@click.option("--records", default=20_000, show_default=True)
@click.option("--repeats", default=5, show_default=True)
def main(records: int, repeats: int) -> None:
    """Measure commands in new processes; print and write a table."""
    lines = [
        f"{machine()}; medians of {repeats} new processes; {records:,} records in 8 gzip files.",
        "",
        "| command | engine opens its first file after | done after |",
        "|---|---|---|",
    ]
    help_seconds = statistics.median(_seconds([NDR, "--help"]) for _ in range(repeats))
    lines.append(f"| `ndr --help` | | {help_seconds:.2f} s |")
    with synthetic_batch(records) as batch:
        for engine in engines():
            found = [run(engine, batch) for _ in range(repeats)]
            opened, done = (statistics.median(column) for column in zip(*found, strict=True))
            lines.append(f"| `ndr run --engine {engine}` | {opened:.2f} s | {done:.2f} s |")
    print("\n".join(lines))
    RESULTS.write_text("\n".join(lines) + "\n")


def run(engine: str, batch: Path) -> tuple[float, float]:
    """Seconds until the engine opened a file of the batch, and until the process ended."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder, "spec.yaml")
        spec.write_text(
            "project_name: bench\ninput: {preset: paloalto}\ndelta: {moment: event_start}\n"
        )
        output = f"{folder}/out"
        bounds = ["--slice-start", "2025-03-01T10:00:00Z", "--slice-end", "2025-03-01T10:15:00Z"]
        places = ["--spec", str(spec), "--input", str(batch), "--output", output]
        command = [NDR, "run", *places, "--engine", engine, "--mini-batch-id", "bench", *bounds]
        started = time.perf_counter()
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            opened = None
            while process.poll() is None:
                if opened is None and _reads(process.pid, engine, batch):
                    opened = time.perf_counter() - started
                time.sleep(0.005)
        done = time.perf_counter() - started
    if process.returncode != 0 or opened is None:
        raise SystemExit(f"{engine}: exit code {process.returncode}, opened {opened}")
    return opened, done


def _reads(pid: int, engine: str, batch: Path) -> bool:
    """Whether the process of the engine, Spark's being a JVM, holds a file of the batch open."""
    try:
        process = psutil.Process(pid)
        watched = process.children(recursive=True) if engine.startswith("spark") else [process]
        paths = [file.path for one in watched for file in one.open_files()]
    except psutil.Error:
        return False
    return any(path.startswith(str(batch)) for path in paths)


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
