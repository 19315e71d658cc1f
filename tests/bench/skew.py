"""How evenly Spark's tasks share skewed batches, with 2 GiB of memory for all of them.

Run by hand: `python -m tests.bench.skew`. Writes `docs/bench/skew.md`. Tasks are compared by their seconds and by
the rows that they take out of a shuffle, which no clock disturbs.
"""

from __future__ import annotations

import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click

from tests.bench.events import Task, run_job
from tests.bench.measure import machine
from tests.bench.skewed import CASES, write_skewed

RESULTS = Path(__file__).parents[2] / "docs" / "bench" / "skew.md"
_FILES: Final = 8
_HEAP: Final = "2g"
_LEAST_SECONDS: Final = 0.3
"""Shorter tasks are as uneven as the machine's own scheduling."""
_LEAST_ROWS: Final = 10_000


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
            batch = Path(folder, "in")
            stages = _stages(run_job(batch, batch, _HEAP).tasks)
        seconds = [[task.run_seconds for task in stage] for stage in stages]
        slow = [stage for stage in seconds if max(stage) >= _LEAST_SECONDS]
        rows = [[task.shuffled_rows for task in stage] for stage in stages]
        many = [stage for stage in rows if sum(stage) >= _LEAST_ROWS]
        worst = f"{max(map(_ratio, slow)):.1f} | {max(map(_ratio, many)):.1f}"
        lines.append(f"| {case} | {records:,} | {len(slow)} | {worst} |")
        print(lines[-1], flush=True)
    RESULTS.write_text("\n".join(lines) + "\n")


def _stages(tasks: Iterable[Task]) -> list[list[Task]]:
    """Of more than one task each."""
    by_stage = defaultdict(list)
    for task in tasks:
        by_stage[task.stage].append(task)
    return [stage for stage in by_stage.values() if len(stage) > 1]


def _ratio(values: list[float] | list[int]) -> float:
    return max(values) / max(statistics.median(values), 1e-9)


if __name__ == "__main__":
    main()
