"""How evenly Spark's tasks share skewed batches, with 2 GiB of heap for all of them.

Run by hand: `python -m tests.bench.skew`. Writes `docs/bench/skew.md`. The tasks of a stage are compared with the
median of the stage, by their seconds and by the bytes that they take out of a shuffle, which no clock disturbs.
A Python worker with more memory than it may have ends the benchmark with exit code 1, once all is written.
"""

from __future__ import annotations

import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import click
from attrs import frozen

from tests.bench.events import JobRun, Task, run_job
from tests.bench.measure import machine, refuse_large_workers
from tests.bench.skewed import CASES, write_skewed
from tests.bench.task import engines

RESULTS = Path(__file__).parents[2] / "docs" / "bench" / "skew.md"
SPARK: Final = tuple(engine for engine in engines() if engine.startswith("spark"))
FILES: Final = 8
_HEAP: Final = "2g"
_LEAST_SECONDS: Final = 0.3
"""Shorter tasks are as uneven as the machine's own scheduling."""
_LEAST_BYTES: Final = 1 << 20
FLAGGED_RATIO: Final = 3.0
FLAGGED_SECONDS: Final = 1.0
"""A longer task of more than so many times the median of its stage is flagged."""


@frozen
class Stage:
    """The tasks of a stage, more than one."""

    step: str
    seconds: tuple[float, ...]
    shuffled: tuple[int, ...]

    @property
    def longest(self) -> float:
        return max(self.seconds)

    @property
    def ratio(self) -> float:
        """The longest task against the median."""
        return _ratio(self.seconds)

    @property
    def is_flagged(self) -> bool:
        return self.longest > FLAGGED_SECONDS and self.ratio > FLAGGED_RATIO

    def __str__(self) -> str:
        """The stage in a line."""
        mark = "  <-- uneven" if self.is_flagged else ""
        shuffled = f", bytes {_ratio(self.shuffled):.1f} x" if any(self.shuffled) else ""
        return (
            f"    {self.step}: {len(self.seconds)} tasks, longest {self.longest:.2f} s, "
            f"{self.ratio:.1f} x the median{shuffled}{mark}"
        )


@click.command()
@click.option("--case", "cases", multiple=True, type=click.Choice(list(CASES)), default=list(CASES))
@click.option("--engine", "chosen", multiple=True, type=click.Choice(SPARK), default=SPARK)
@click.option("--scale", default=1.0, show_default=True, help="Of the records of each case.")
def main(cases: tuple[str, ...], chosen: tuple[str, ...], scale: float) -> None:
    """Run each case once on each engine; print all stages, write a table."""
    lines = [
        f"{machine()}; {FILES} gzip files; one run each after one to warm up, in a process of its own;",
        f"driver and executor together have {_HEAP} of heap.",
        f"The worst stage by each measure, of those whose longest task took {_LEAST_SECONDS} s or more, and of those",
        f"that take {_LEAST_BYTES >> 20} MiB or more out of a shuffle.",
        f"Flagged: a task of over {FLAGGED_SECONDS:g} s, and more than {FLAGGED_RATIO:g} x the median of its stage.",
        "",
        "| batch | records | engine | stages of such length | longest task / median | most bytes of a task / median "
        "| flagged | largest Python worker, MiB |",
        "|---" * 8 + "|",
    ]
    workers: dict[str, float] = {}
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            batch = Path(folder, "in")
            records = write_skewed(case, batch, FILES, scale)
            for engine in chosen:
                run = run_job(f"{engine}: ours", batch, batch, _HEAP)
                stages = stages_of(run.tasks)
                lines.append(f"| {case} | {records:,} | {engine} | {row(run, stages)} |")
                print(lines[-1], *stages, sep="\n", flush=True)
                workers[f"{engine}, {case}"] = run.worker_mib
    RESULTS.write_text("\n".join(lines) + "\n")
    refuse_large_workers(workers)


def row(run: JobRun, stages: Sequence[Stage]) -> str:
    """The cells of the table that a run gives."""
    slow = [stage.ratio for stage in stages if stage.longest >= _LEAST_SECONDS]
    many = [_ratio(stage.shuffled) for stage in stages if sum(stage.shuffled) >= _LEAST_BYTES]
    flagged = [
        f"{stage.step}: {stage.longest:.1f} s, {stage.ratio:.1f} x"
        for stage in stages
        if stage.is_flagged
    ]
    cells = (
        f"{len(slow)}",
        f"{max(slow):.1f}" if slow else "",
        f"{max(many):.1f}" if many else "",
        "; ".join(flagged) or "none",
        f"{run.worker_mib:,.0f}" if run.worker_mib else "",
    )
    return " | ".join(cells)


def stages_of(tasks: Iterable[Task]) -> list[Stage]:
    """The stages of more than one task, in order."""
    by_stage: dict[int, list[Task]] = defaultdict(list)
    for task in tasks:
        by_stage[task.stage].append(task)
    return [
        Stage(
            found[0].step,
            tuple(task.run_seconds for task in found),
            tuple(task.shuffled_bytes for task in found),
        )
        for _, found in sorted(by_stage.items())
        if len(found) > 1
    ]


def _ratio(values: Sequence[float]) -> float:
    """The largest against the median; against the mean where the median is 0, as when one task has all.

    Of two in the middle the lower one is the median: of two tasks, the other one.
    """
    return max(values) / (statistics.median_low(values) or sum(values) / len(values) or 1.0)


if __name__ == "__main__":
    main()
