"""One batch in few and in many gzip files, which can't be split: what each engine makes of it.

Run by hand: `python -m tests.bench.files`. Writes `docs/bench/files.md`.
"""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from tests.bench.batches import synthetic_batch, write_files
from tests.bench.measure import machine, measure
from tests.bench.task import engines

RESULTS = Path(__file__).parents[2] / "docs" / "bench" / "files.md"
ENGINES = engines()


@click.command()
@click.option("--records", default=1_000_000, show_default=True)
@click.option("--files", multiple=True, type=int, default=(1, 2, 3, 8, 64, 512))
@click.option("--repeats", default=3, show_default=True)
def main(records: int, files: tuple[int, ...], repeats: int) -> None:
    """Measure each number of files on all engines; print and write a table."""
    lines = [
        f"{machine()}; {records:,} records; median of {repeats} runs after one to warm up.",
        "",
        f"| gzip files | of | {' | '.join(ENGINES)} |",
        "|---" * (2 + len(ENGINES)) + "|",
    ]
    with synthetic_batch(records) as batch, tempfile.TemporaryDirectory() as folder:
        for number in files:
            split = Path(folder, str(number))
            size = divide(batch, split, records, number)
            found = [measure(f"{engine}: ours", records, split, repeats) for engine in ENGINES]
            cells = (f"{item.median:.1f} s, {item.peak_mib:,.0f} MiB" for item in found)
            lines.append(f"| {number:,} | {size / (1 << 20):.1f} MiB | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    RESULTS.write_text("\n".join(lines) + "\n")


def divide(batch: Path, split: Path, records: int, files: int) -> int:
    """Write a batch's lines as so many files; gives the largest one's bytes."""
    write_files(_lines(batch), records, split, files)
    return max(file.stat().st_size for file in split.iterdir())


def _lines(batch: Path) -> Iterator[bytes]:
    for file in sorted(batch.iterdir()):
        with gzip.open(file) as stream:
            yield from stream


if __name__ == "__main__":
    main()
