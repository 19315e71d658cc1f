"""What a cluster would take for a batch: a model from the measured costs of each step on this machine.

Run by hand: `python -m tests.bench.cluster`. Runs one batch, fits the model to its event log, writes a table and a
plot to `docs/bench/`. The model, for R records on N executors of some cores each:

- a step's tasks have the measured seconds per record, and run in whole waves: ceil(tasks / cores) of them. There are as
  many tasks as the engine would choose, of files that are no larger than a task's share;
- the driver plans and schedules for as long as it did here, while no task ran;
- of what is shuffled, (N - 1) / N crosses the network, which each executor has a share of;
- a file that is written to S3 costs its task some requests, one after the other, and the driver some more to
  publish it, several files at a time (ADR 12).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import ceil
from pathlib import Path
from typing import Final

import click
from attrs import frozen

from ndr_adapters.aws.limits import THREADS
from ndr_adapters.spark.fanout.shares import cut
from ndr_core.flows.source import InputBatch, InputFile
from tests.bench.batches import synthetic_batch
from tests.bench.events import JobRun, Task, run_job
from tests.bench.measure import machine
from tests.bench.plots import log_log

RESULTS = Path(__file__).parents[2] / "docs" / "bench"
EXECUTORS: Final = (1, 2, 4, 8, 16, 32, 64)
BATCHES: Final = (1_000_000, 10_000_000, 50_000_000)
TASK: Final = "spark: ours"
"""The model has the steps of this engine."""

_CORES: Final = 2
"""Per executor: 4 vCPU, as of an ml.m5.xlarge."""
_NETWORK: Final = 156e6
"""Bytes per second of an executor: 1.25 Gbit/s, the baseline of an ml.m5.xlarge."""
_ROUND_TRIP: Final = 0.02
"""Seconds of a request to S3."""
_REQUESTS_TO_WRITE: Final = 3
"""Of a file, by Polars in its task: an upload in parts."""
_REQUESTS_TO_PUBLISH: Final = 4.5
"""Of a file, by the driver: ADR 12."""
_FILES_PER_TASK: Final = 2
"""One table, two roles."""
_READ: Final = "read"
_KERNELS: Final = 2
"""Of the last step that have much to do: `pairs` and `hosts`."""
_FILE_BYTES: Final = 1 << 20


@frozen
class Step:
    """What a step costs per record: seconds of tasks, and bytes taken out of a shuffle."""

    name: str
    tasks: int
    seconds: float
    shuffled: float


@frozen
class Costs:
    """A batch's costs per record, and the driver's seconds."""

    steps: tuple[Step, ...]
    driver: float
    input_bytes: float


@frozen
class Predicted:
    """Seconds of a job, by what it waits for."""

    executors: int
    records: int
    computing: float
    shuffling: float
    committing: float
    driving: float

    @property
    def seconds(self) -> float:
        return self.computing + self.shuffling + self.committing + self.driving


@click.command()
@click.option("--records", default=10_000_000, show_default=True)
@click.option("--heap", default="4g", show_default=True)
def main(records: int, heap: str) -> None:
    """Measure a batch, predict others, print and write."""
    with synthetic_batch(100_000) as warm_up, synthetic_batch(records) as batch:
        size = sum(file.stat().st_size for file in batch.iterdir())
        run = run_job(TASK, warm_up, batch, heap)
    costs = costs_of(run, records, size)
    predicted = [predict(costs, number, size) for size in BATCHES for number in EXECUTORS]
    report = "\n".join([*measured_part(run, costs, records), "", *predicted_part(predicted)])
    print(report)
    (RESULTS / "cluster.md").write_text(report + "\n")
    plot(predicted, RESULTS / "cluster.png")


def costs_of(run: JobRun, records: int, input_bytes: int) -> Costs:
    """Costs per record from a run's tasks; the driver's are the seconds in which no task ran."""
    by_step: dict[str, list[Task]] = defaultdict(list)
    for task in run.tasks:
        by_step[task.step].append(task)
    steps = tuple(
        Step(
            name,
            max(_counts(tasks)),
            sum(task.run_seconds for task in tasks) / records,
            sum(task.shuffled_bytes for task in tasks) / records,
        )
        for name, tasks in by_step.items()
    )
    return Costs(steps, run.seconds - _covered(run.tasks), input_bytes / records)


def _counts(tasks: Iterable[Task]) -> list[int]:
    counts: dict[int, int] = defaultdict(int)
    for task in tasks:
        counts[task.stage] += 1
    return list(counts.values())


def _covered(tasks: Iterable[Task]) -> float:
    """Seconds in which at least one task ran."""
    covered, until = 0.0, 0.0
    for task in sorted(tasks, key=lambda task: task.started):
        covered += max(0.0, task.ended - max(task.started, until))
        until = max(until, task.ended)
    return covered


def predict(costs: Costs, executors: int, records: int) -> Predicted:
    """The job's seconds on so many executors."""
    cores = executors * _CORES
    read, built = tasks_for(ceil(costs.input_bytes * records), cores)
    computing = shuffling = 0.0
    for step in costs.steps:
        tasks = read if step.name == _READ else built
        computing += ceil(tasks / cores) * step.seconds * records / tasks
        shuffling += step.shuffled * records * (executors - 1) / executors / (executors * _NETWORK)
    waves = ceil(built / cores)
    written = waves * _FILES_PER_TASK * _REQUESTS_TO_WRITE * _ROUND_TRIP
    published = built * _FILES_PER_TASK * _REQUESTS_TO_PUBLISH * _ROUND_TRIP / THREADS
    return Predicted(executors, records, computing, shuffling, written + published, costs.driver)


def tasks_for(size: int, cores: int) -> tuple[int, int]:
    """Tasks that read, and tasks of the last step that have much to do, for so many packed bytes."""
    files = tuple(InputFile(str(n), _FILE_BYTES) for n in range(ceil(size / _FILE_BYTES)))
    shares = cut(InputBatch(files, lambda _file, _read: iter(()), ()), cores)
    return len(shares.files), _KERNELS * shares.built


def measured_part(run: JobRun, costs: Costs, records: int) -> list[str]:
    """The measured run, as Markdown."""
    total = sum(step.seconds for step in costs.steps)
    return [
        f"Measured: {machine()}; {records:,} records in {run.seconds:.0f} s, after one batch of 100,000 to warm up; "
        f"no task ran in {costs.driver:.1f} s of it.",
        "",
        "| step | tasks | task seconds per million records | of all | MB shuffled per million |",
        "|---|---|---|---|---|",
        *(
            f"| {step.name} | {step.tasks} | {step.seconds * 1e6:.2f} | {step.seconds / total:.0%} | "
            f"{step.shuffled:.1f} |"
            for step in costs.steps
        ),
        f"| all | | {total * 1e6:.2f} | | {sum(step.shuffled for step in costs.steps):.1f} |",
    ]


def predicted_part(predicted: list[Predicted]) -> list[str]:
    """The predictions, as Markdown."""
    return [
        f"Predicted, not measured: executors of {_CORES} cores as fast as this machine's, {_NETWORK / 1e6:.0f} MB/s of "
        f"network each, {_ROUND_TRIP * 1000:.0f} ms for a request to S3; without the start of machines and JVMs.",
        "",
        "| records | executors | seconds | records/s | computing | shuffle | commit | driver |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {item.records:,} | {item.executors} | {item.seconds:.0f} | {item.records / item.seconds:,.0f} | "
            + " | ".join(
                f"{part / item.seconds:.0%}"
                for part in (item.computing, item.shuffling, item.committing, item.driving)
            )
            + " |"
            for item in predicted
        ),
    ]


def plot(predicted: list[Predicted], path: Path) -> None:
    """Records per second over executors."""
    curves = {
        f"{records:,} records": (
            [item.executors for item in predicted if item.records == records],
            [records / item.seconds for item in predicted if item.records == records],
        )
        for records in dict.fromkeys(item.records for item in predicted)
    }
    log_log(curves, f"executors of {_CORES} cores", "records per second, predicted", path)


if __name__ == "__main__":
    main()
