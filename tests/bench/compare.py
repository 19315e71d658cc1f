"""The product against its parse floors, the usual way to write it, and a peer: side by side in one run.

Run by hand: `make bench`, or `python -m tests.bench.compare --records 1000000`. The batch holds no bad line, which
the engines' own readers would fail at. Writes a table and a plot to `docs/bench/`.
"""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from tests.bench.batches import FILES_PER_CHUNK, synthetic_batch
from tests.bench.measure import Measured, machine, measure
from tests.bench.task import TASKS

RESULTS = Path(__file__).parents[2] / "docs" / "bench"
FLOORS = {"polars: ours": "polars: parse floor", "spark: ours": "spark: parse floor"}
NAIVE = "spark: the usual way"


@click.command()
@click.option("--records", multiple=True, type=int, default=(100_000, 1_000_000))
@click.option("--task", "tasks", multiple=True, type=click.Choice(list(TASKS)), default=list(TASKS))
@click.option("--repeats", default=5, show_default=True)
@click.option("--warm-ups", default=1, show_default=True)
@click.option("--name", default="compare", show_default=True, help="Of the table and the plot.")
def main(
    records: tuple[int, ...], tasks: tuple[str, ...], repeats: int, warm_ups: int, name: str
) -> None:
    """Measure, print, write table and plot."""
    console = Console(stderr=True)
    measured = []
    for size in records:
        with synthetic_batch(size) as batch:
            for task in tasks:
                found = measure(task, size, batch, repeats, warm_ups)
                console.print(f"{size:,} {task}: {found.median:.2f} s, {found.peak_mib:,.0f} MiB")
                measured.append(found)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.md").write_text(table(measured, repeats, warm_ups))
    plot(measured, RESULTS / f"{name}.png")


def table(measured: list[Measured], repeats: int, warm_ups: int) -> str:
    """Times and ratios as Markdown."""
    known = {(item.records, item.task): item.median for item in measured}
    lines = [
        f"{machine()}; {FILES_PER_CHUNK} gzip files for each million records;",
        f"median of {repeats} runs in one process, after {warm_ups} to warm up.",
        "",
        "| records | task | median | least to most | of its parse floor | the usual way takes "
        "| records/s/core | peak MiB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for item in measured:
        floor = known.get((item.records, FLOORS.get(item.task, "")))
        naive = known.get((item.records, NAIVE)) if item.task in FLOORS else None
        cells = (
            f"{item.records:,}",
            item.task,
            f"{item.median:.2f} s",
            f"{min(item.seconds):.2f} to {max(item.seconds):.2f}",
            f"{item.median / floor:.1f} x" if floor else "",
            f"{naive / item.median:.2f} x" if naive else "",
            f"{item.per_core:,.0f}",
            f"{item.peak_mib:,.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def plot(measured: list[Measured], path: Path) -> None:
    """Seconds by task, a group of bars for each size."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    sizes = sorted({item.records for item in measured})
    figure, axes = pyplot.subplots(1, len(sizes), figsize=(5 * len(sizes) + 2, 3.6), squeeze=False)
    for axis, size in zip(axes[0], sizes, strict=True):
        items = [item for item in measured if item.records == size][::-1]
        names = [item.task for item in items]
        bars = axis.barh(names, [item.median for item in items], color="#4c78a8")
        axis.bar_label(bars, [f" {item.median:.2f} s" for item in items])
        axis.set_title(f"{size:,} records")
        axis.set_xlabel("seconds, median")
        axis.margins(x=0.2)
    figure.tight_layout()
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
