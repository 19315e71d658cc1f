"""How time and memory grow with the records of a batch, on all engines.

Run by hand: `python -m tests.bench.scaling`. Each run is the first of its process, as in production, Spark's start
left out. Writes a table and a log-log plot to `docs/bench/`.
"""

from __future__ import annotations

import math
import statistics
from pathlib import Path

import click
from attrs import evolve

from tests.bench.batches import synthetic_batch
from tests.bench.measure import Measured, machine, measure, refuse_large_workers, together
from tests.bench.plots import log_log
from tests.bench.task import engines

RESULTS = Path(__file__).parents[2] / "docs" / "bench"
SIZES = (100_000, 1_000_000, 10_000_000, 50_000_000)
ENGINES = engines()


@click.command()
@click.option("--records", multiple=True, type=int, default=SIZES)
@click.option("--engine", "engines", multiple=True, type=click.Choice(ENGINES), default=ENGINES)
@click.option("--repeats", default=3, show_default=True, help="Up to a million records; else one.")
def main(records: tuple[int, ...], engines: tuple[str, ...], repeats: int) -> None:
    """Measure, print, write table and plot."""
    measured = []
    for size in records:
        with synthetic_batch(size) as batch:
            for engine in engines:
                runs = [
                    measure(f"{engine}: ours", size, batch, repeats=1, warm_ups=0)
                    for _ in range(repeats if size <= 1_000_000 else 1)
                ]
                found = evolve(together(runs), task=engine)
                print(
                    f"{size:,} {engine}: {found.median:.1f} s, {found.peak_mib:,.0f} MiB",
                    flush=True,
                )
                measured.append(found)
                # After each, as the next one may take an hour.
                (RESULTS / "scaling.md").write_text(table(measured))
                plot(measured, RESULTS / "scaling.png")
    refuse_large_workers(
        {f"{item.task}, {item.records:,} records": item.worker_mib for item in measured}
    )


def exponent(measured: list[Measured]) -> float:
    """Slope of log seconds over log records, by least squares."""
    return statistics.linear_regression(
        [math.log(item.records) for item in measured],
        [math.log(item.median) for item in measured],
    ).slope


def by_engine(measured: list[Measured]) -> dict[str, list[Measured]]:
    return {
        engine: [item for item in measured if item.task == engine]
        for engine in dict.fromkeys(item.task for item in measured)
    }


def table(measured: list[Measured]) -> str:
    """Times, memory and fitted exponents as Markdown."""
    lines = [
        f"{machine()}; first runs of their process, without Spark's start; 8 gzip files for each million records.",
        "",
        "| records | engine | seconds | runs | of processors | records/s/core | peak MiB | largest Python worker |",
        "|---" * 8 + "|",
        *(
            f"| {item.records:,} | {item.task} | {item.median:.1f} | {len(item.seconds)} | "
            f"{item.processor:.1f} | {item.per_core:,.0f} | {item.peak_mib:,.0f} | "
            + (f"{item.worker_mib:,.0f} |" if item.worker_mib else "|")
            for item in measured
        ),
        "",
    ]
    for engine, items in by_engine(measured).items():
        if len(items) > 1:
            lines.append(
                f"- {engine}: seconds grow as records to the power of {exponent(items):.2f}"
            )
        large = [item for item in items if item.records >= 1_000_000]
        if 1 < len(large) < len(items):
            lines.append(f"- {engine}, from a million on: {exponent(large):.2f}")
    return "\n".join(lines) + "\n"


def plot(measured: list[Measured], path: Path) -> None:
    """Seconds over records."""
    curves = {}
    for engine, items in by_engine(measured).items():
        label = f"{engine}, exponent {exponent(items):.2f}" if len(items) > 1 else engine
        curves[label] = ([item.records for item in items], [item.median for item in items])
    log_log(curves, "records", "seconds", path)


if __name__ == "__main__":
    main()
