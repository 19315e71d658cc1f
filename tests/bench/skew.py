"""How evenly Spark's tasks share skewed batches, with 2 GiB of memory for all of them.

Run by hand: `python -m tests.bench.skew`. Writes `docs/bench/skew.md`. Tasks are compared by their seconds and by
the rows that they take out of a shuffle, which no clock disturbs.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import click
from attrs import frozen

from tests.bench.measure import machine
from tests.bench.skewed import CASES, write_skewed

RESULTS = Path(__file__).parents[2] / "docs" / "bench" / "skew.md"
_FILES: Final = 8
_HEAP: Final = "2g"
_LEAST_SECONDS: Final = 0.3
"""Shorter tasks are as uneven as the machine's own scheduling."""
_LEAST_ROWS: Final = 10_000
_RUN: Final = """
import sys, pathlib, time
from ndr_adapters.spark import local_session
from tests.bench.task import ours
local_session(driver_memory=sys.argv[2])
work = ours("spark", pathlib.Path(sys.argv[1]))
work()
print(time.time())
work()
"""


@frozen
class Stage:
    """Tasks of one stage: their seconds, and the rows that each took out of a shuffle."""

    seconds: list[float]
    rows: list[int]


@click.command()
@click.option("--case", "cases", multiple=True, type=click.Choice(list(CASES)), default=list(CASES))
def main(cases: tuple[str, ...]) -> None:
    """Run each case once; print and write a table."""
    lines = [
        f"{machine()}; {_FILES} gzip files; one run each after one to warm up, in a process of its own;",
        f"driver and executor together have {_HEAP} of heap.",
        f"The worst stage by each measure, of those whose longest task took {_LEAST_SECONDS} s or more, and of those",
        f"that take {_LEAST_ROWS:,} rows or more out of a shuffle.",
        "",
        "| batch | records | stages of such length | longest task / median | most rows of a task / median |",
        "|---|---|---|---|---|",
    ]
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            records = write_skewed(case, Path(folder, "in"), _FILES)
            stages = run(Path(folder, "in"), Path(folder, "events"))
        slow = [stage for stage in stages if max(stage.seconds) >= _LEAST_SECONDS]
        seconds = max(_ratio(stage.seconds) for stage in slow)
        rows = max(_ratio(stage.rows) for stage in stages if sum(stage.rows) >= _LEAST_ROWS)
        lines.append(f"| {case} | {records:,} | {len(slow)} | {seconds:.1f} | {rows:.1f} |")
        print(lines[-1], flush=True)
    RESULTS.write_text("\n".join(lines) + "\n")


def run(batch: Path, events: Path) -> list[Stage]:
    """The stages of a run with more than one task. Raises CalledProcessError where it fails, as when out of memory."""
    events.mkdir()
    log = f"--conf spark.eventLog.enabled=true --conf spark.eventLog.dir={events.as_uri()}"
    environment = {**os.environ, "PYSPARK_SUBMIT_ARGS": f"{log} pyspark-shell"}
    command = [sys.executable, "-c", _RUN, str(batch), _HEAP]
    told = subprocess.run(
        command, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ).stdout
    warm = float(told.split()[-1]) * 1000
    stages: dict[int, Stage] = defaultdict(lambda: Stage([], []))
    for file in events.iterdir():
        for line in file.read_text().splitlines():
            event = json.loads(line)
            if (
                event["Event"] == "SparkListenerTaskEnd"
                and event["Task Info"]["Launch Time"] > warm
            ):
                _note(stages[event["Stage ID"]], event["Task Metrics"])
    return [stage for stage in stages.values() if len(stage.seconds) > 1]


def _note(stage: Stage, metrics: dict[str, Any]) -> None:
    stage.seconds.append(metrics["Executor Run Time"] / 1000)
    stage.rows.append(metrics["Shuffle Read Metrics"]["Total Records Read"])


def _ratio(values: list[float] | list[int]) -> float:
    return max(values) / max(statistics.median(values), 1e-9)


if __name__ == "__main__":
    main()
