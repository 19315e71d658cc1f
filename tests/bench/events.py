"""What Spark's event log says of the tasks of one job, run in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from attrs import frozen

_RUN: Final = """
import sys, pathlib, time
from ndr_adapters.spark import local_session
from tests.bench.task import ours
warm_up, batch = (ours("spark", pathlib.Path(argument)) for argument in sys.argv[2:])
local_session(driver_memory=sys.argv[1])
warm_up()
started = time.time()
batch()
print(started, time.time())
"""


@frozen
class Task:
    """One task: its times in seconds since 1970, what crossed a shuffle."""

    stage: int
    step: str
    started: float
    ended: float
    run_seconds: float
    shuffled_rows: int
    "Taken out of a shuffle, as are the bytes."
    shuffled_bytes: int


@frozen
class JobRun:
    """A job's wall-clock seconds and its tasks."""

    seconds: float
    tasks: tuple[Task, ...]


def run_job(warm_up: Path, batch: Path, heap: str) -> JobRun:
    """Run the job on one batch to warm up, then on another, which is told of.

    Raises CalledProcessError where a run fails, as when out of memory.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = (
            f"--conf spark.eventLog.enabled=true --conf spark.eventLog.dir={Path(folder).as_uri()}"
        )
        environment = {**os.environ, "PYSPARK_SUBMIT_ARGS": f"{log} pyspark-shell"}
        command = [sys.executable, "-c", _RUN, heap, str(warm_up), str(batch)]
        told = subprocess.run(
            command, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ).stdout
        started, ended = map(float, told.split()[-2:])
        events = [
            json.loads(line)
            for file in sorted(Path(folder).iterdir())
            for line in file.read_text().splitlines()
        ]
    tasks = tuple(task for task in _tasks(events) if task.started >= started)
    return JobRun(ended - started, tasks)


def _tasks(events: list[dict[str, Any]]) -> Iterator[Task]:
    steps: dict[int, str] = {}
    for event in events:
        if event["Event"] == "SparkListenerJobStart":
            step = event["Properties"].get("spark.job.description", "")
            steps |= dict.fromkeys(event["Stage IDs"], step)
        elif event["Event"] == "SparkListenerTaskEnd":
            info, metrics = event["Task Info"], event["Task Metrics"]
            shuffled = metrics["Shuffle Read Metrics"]
            yield Task(
                stage=event["Stage ID"],
                step=steps[event["Stage ID"]],
                started=info["Launch Time"] / 1000,
                ended=info["Finish Time"] / 1000,
                run_seconds=metrics["Executor Run Time"] / 1000,
                shuffled_rows=shuffled["Total Records Read"],
                shuffled_bytes=shuffled["Local Bytes Read"] + shuffled["Remote Bytes Read"],
            )
