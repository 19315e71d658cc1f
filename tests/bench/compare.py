"""The engines against their parse floors, the usual way to write the job, and peers: side by side in one run.

Run by hand: `make bench`, or `python -m tests.bench.compare --records 1000000`. The batch holds no bad line, which
the engines' own readers would fail at. Writes tables and a plot to `docs/bench/`. ClickHouse takes part where
`chdb` is installed, by hand: `pip install chdb`.

What others compute is compared with the Polars engine before anything is measured. Of the measured, only memory
is judged: a Python worker of Spark that has more than it may ends the benchmark with exit code 1, once all is written.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from tests.bench.batches import synthetic_batch
from tests.bench.checks import CHECKED
from tests.bench.measure import measure, measure_cold, refuse_large_workers, together
from tests.bench.report import Compared, plot, report
from tests.bench.task import TASKS

RESULTS = Path(__file__).parents[2] / "docs" / "bench"


@click.command()
@click.option("--records", multiple=True, type=int, default=(100_000, 1_000_000))
@click.option("--task", "tasks", multiple=True, type=click.Choice(list(TASKS)), default=list(TASKS))
@click.option("--cold", default=5, show_default=True, help="New processes for each task; 0: none.")
@click.option("--warm", default=5, show_default=True, help="Repeats in one process; 0: none.")
@click.option("--warm-ups", default=1, show_default=True, help="Repeats before the warm ones.")
@click.option("--name", default="compare", show_default=True, help="Of the tables and the plot.")
def main(
    records: tuple[int, ...], tasks: tuple[str, ...], cold: int, warm: int, warm_ups: int, name: str
) -> None:
    """Measure, print, write tables and plot."""
    if cold < 1 and warm < 1:
        raise click.UsageError("--cold and --warm: nothing is measured with neither")
    console = Console(stderr=True)
    reasons = {task: TASKS[task].missing() for task in tasks}
    chosen = [task for task, reason in reasons.items() if reason is None]
    left_out = [f"{task} ({reason})" for task, reason in reasons.items() if reason is not None]
    for note in left_out:
        console.print(f"left out: {note}")
    for task in CHECKED:
        if task in chosen:
            subprocess.run([sys.executable, "-m", "tests.bench.checks", task], check=True)
            console.print(f"{task}: equal to the Polars engine")
    how = f"Medians: cold of {cold} new processes, warm of {warm} runs in one process after {warm_ups} to warm up."
    compared: list[Compared] = []
    for size in records:
        with synthetic_batch(size) as batch:
            compared += compare(chosen, size, batch, cold, warm, warm_ups, console)
        # After each size, as the next one may take hours.
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{name}.md").write_text(report(compared, left_out, how))
        plot(compared, RESULTS / f"{name}.png")
    print((RESULTS / f"{name}.md").read_text())
    refuse_large_workers(
        {f"{item.task}, {item.records:,} records": item.worker_mib for item in compared}
    )


def compare(
    tasks: Sequence[str],
    records: int,
    batch: Path,
    cold: int,
    warm: int,
    warm_ups: int,
    console: Console,
) -> list[Compared]:
    """Measure all tasks on one batch. New processes of all take turns, so that a slow minute is no task's own."""
    rounds = []
    for number in range(cold):
        rounds.append([measure_cold(task, records, batch) for task in tasks])
        console.print(f"{records:,} records: cold {number + 1} of {cold}")
    compared = []
    for column, task in enumerate(tasks):
        item = Compared(
            task,
            records,
            together([one[column] for one in rounds]) if rounds else None,
            measure(task, records, batch, warm, warm_ups) if warm else None,
        )
        compared.append(item)
        found = ", ".join(f"{one.median:.2f} s" for one in item.both)
        console.print(f"{records:,} {task}: {found}")
    return compared


if __name__ == "__main__":
    main()
