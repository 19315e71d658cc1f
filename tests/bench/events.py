"""What Spark's event log says of the tasks of one job.

The job runs in a process of its own: `python -m tests.bench.events TASK HEAP WARM_UP BATCH` prints when it started
and ended, in seconds since 1970.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from ndr_adapters.spark.runtime.session import local_session
from tests.bench.measure import run_watched
from tests.bench.task import TASKS

_FOLDERS: Final = re.compile(r"/\S*/")
"""Of this machine, in the name that Spark gives to a stage: `collect at /some/where/engine.py:41`."""


@frozen
class Task:
    """One task: its times in seconds since 1970, what crossed a shuffle."""

    stage: int
    step: str
    started: float
    ended: float
    run_seconds: float
    shuffled_bytes: int
    """Taken out of a shuffle."""


@frozen
class JobRun:
    """A job's wall-clock seconds, its tasks, and the memory of its largest Python worker."""

    seconds: float
    tasks: tuple[Task, ...]
    worker_mib: float


def run_job(task: str, warm_up: Path, batch: Path, heap: str) -> JobRun:
    """Run the job on one batch to warm up, then on another, which is reported.

    Raises SystemExit where a run fails, as when out of memory.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = (
            f"--conf spark.eventLog.enabled=true --conf spark.eventLog.dir={Path(folder).as_uri()}"
        )
        taken, printed = run_watched(
            [sys.executable, "-m", "tests.bench.events", task, heap, str(warm_up), str(batch)],
            {**os.environ, "PYSPARK_SUBMIT_ARGS": f"{log} pyspark-shell"},
        )
        started, ended = json.loads(printed)
        events = [
            json.loads(line)
            for file in sorted(Path(folder).iterdir())
            for line in file.read_text().splitlines()
        ]
    tasks = tuple(item for item in _tasks(events) if item.started >= started)
    return JobRun(ended - started, tasks, taken.worker_mib)


def main(task: str, heap: str, warm_up: str, batch: str) -> None:
    """Do a task on two batches, one after the other; prints when the second one started and ended."""
    local_session(driver_memory=heap)
    started = 0.0
    for folder in (warm_up, batch):
        with TASKS[task].prepare(Path(folder)) as work, tempfile.TemporaryDirectory() as output:
            started = time.time()
            work(Path(output))
    print(json.dumps([started, time.time()]))


def _tasks(events: list[dict[str, Any]]) -> Iterator[Task]:
    steps: dict[int, str] = {}
    for event in events:
        if event["Event"] == "SparkListenerJobStart":
            step = event["Properties"].get("spark.job.description", "")
            for stage in event["Stage Infos"]:
                steps[stage["Stage ID"]] = step or _FOLDERS.sub("", stage["Stage Name"])
        elif event["Event"] == "SparkListenerTaskEnd":
            info, metrics = event["Task Info"], event["Task Metrics"]
            shuffled = metrics["Shuffle Read Metrics"]
            yield Task(
                stage=event["Stage ID"],
                step=steps[event["Stage ID"]].removeprefix("ndr: "),
                started=info["Launch Time"] / 1000,
                ended=info["Finish Time"] / 1000,
                run_seconds=metrics["Executor Run Time"] / 1000,
                shuffled_bytes=shuffled["Local Bytes Read"] + shuffled["Remote Bytes Read"],
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
