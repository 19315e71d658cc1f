"""What `compare` measured, as Markdown tables and as a plot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from attrs import frozen

from tests.bench.batches import FILES_PER_CHUNK
from tests.bench.measure import Measured, machine
from tests.bench.task import TASKS

PACKAGES: Final = ("polars", "pyspark", "duckdb", "chdb-core")
FLOORS: Final = {
    "polars: ours": "polars: parse floor",
    "spark: ours": "spark: parse floor",
    "spark-sql: ours": "spark: parse floor",
}
BASES: Final = ("polars: ours", "spark: ours")
"""Tasks of which all others are multiples."""

Figures = tuple[float | None, float | None, float | None, float | None]
"""Seconds: cold by the clock, cold of processors, warm by the clock, warm of processors."""


@frozen
class Compared:
    """One task on one batch."""

    task: str
    records: int
    cold: Measured | None
    """Whole new processes."""
    warm: Measured | None
    """Repeats in one process."""

    @property
    def both(self) -> tuple[Measured, ...]:
        return tuple(item for item in (self.cold, self.warm) if item is not None)

    @property
    def worker_mib(self) -> float:
        """Of the largest Python worker of Spark; 0 without one."""
        return max(one.worker_mib for one in self.both)

    @property
    def figures(self) -> Figures:
        return (
            self.cold.median if self.cold else None,
            self.cold.processor if self.cold else None,
            self.warm.median if self.warm else None,
            self.warm.processor if self.warm else None,
        )


def report(compared: Sequence[Compared], left_out: Sequence[str], how: str) -> str:
    """Everything as Markdown. `how`: the repeats, in words."""
    packages = ", ".join(_versions())
    parts = [
        f"{machine()}; {packages}; {FILES_PER_CHUNK} gzip files for each million records.",
        how,
        "Seconds by the clock, and of processors (user and system, of all processes).",
        *(f"Left out: {reason}." for reason in left_out),
        "",
        *_figures(compared),
    ]
    for base in BASES:
        parts += _multiples(compared, f"`{base}`", dict.fromkeys(TASKS, base))
    parts += _multiples(compared, "its parse floor", FLOORS)
    return "\n".join(parts) + "\n"


def _versions() -> Iterator[str]:
    for package in PACKAGES:
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            continue


def _figures(compared: Sequence[Compared]) -> Iterator[str]:
    yield (
        "| records | task | computes | cold | cold, processors | warm | least to most | warm, processors "
        "| warm records/s/core | peak MiB | largest Python worker, MiB |"
    )
    yield "|---" * 11 + "|"
    for item in compared:
        cold, cold_used, warm, warm_used = map(_seconds, item.figures)
        spread = (
            f"{min(item.warm.seconds):.2f} to {max(item.warm.seconds):.2f}" if item.warm else ""
        )
        cells = (
            f"{item.records:,}",
            item.task,
            TASKS[item.task].computes,
            cold,
            cold_used,
            warm,
            spread,
            warm_used,
            f"{item.warm.per_core:,.0f}" if item.warm else "",
            f"{max(one.peak_mib for one in item.both):,.0f}",
            f"{item.worker_mib:,.0f}" if item.worker_mib else "",
        )
        yield f"| {' | '.join(cells)} |"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"


def _multiples(
    compared: Sequence[Compared], of_what: str, bases: Mapping[str, str]
) -> Iterator[str]:
    """A table of figures as multiples of those of a base; nothing where no base was measured.

    `bases`: task -> its base.
    """
    known = {(item.records, item.task): item for item in compared}
    rows = []
    for item in compared:
        base = known.get((item.records, bases.get(item.task, "")))
        if base is None or base is item:
            continue
        ratios = (
            _ratio(own / other) if own and other else ""
            for own, other in zip(item.figures, base.figures, strict=True)
        )
        rows.append(f"| {item.records:,} | {item.task} | {' | '.join(ratios)} |")
    if rows:
        yield from (
            "",
            f"As multiples of {of_what}:",
            "",
            "| records | task | cold | cold, processors | warm | warm, processors |",
            "|---" * 6 + "|",
            *rows,
        )


def _ratio(value: float) -> str:
    return f"{value:.2f} x" if value >= 0.1 else f"{value:.2g} x"


def plot(compared: Sequence[Compared], path: Path) -> None:
    """Seconds by task, cold and warm, by the clock; a group of bars for each size."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    sizes = sorted({item.records for item in compared})
    figure, axes = pyplot.subplots(1, len(sizes), figsize=(5 * len(sizes) + 2, 4.4), squeeze=False)
    for axis, size in zip(axes[0], sizes, strict=True):
        items = [item for item in compared if item.records == size][::-1]
        for offset, label, column in ((0.2, "a new process", 0), (-0.2, "warm", 2)):
            seconds = [item.figures[column] for item in items]
            bars = axis.barh(
                [place + offset for place in range(len(items))],
                [value or 0.0 for value in seconds],
                height=0.38,
                label=label,
            )
            axis.bar_label(bars, [f" {value:.2f} s" if value else "" for value in seconds])
        axis.set_yticks(range(len(items)), [item.task for item in items])
        axis.set_title(f"{size:,} records")
        axis.set_xlabel("seconds, median")
        axis.margins(x=0.2)
    axes[0][0].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=130)
