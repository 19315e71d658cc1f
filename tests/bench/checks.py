"""Whether what other programs compute equals what the Polars engine does: column by column, each float to its last bit.

Run by `compare` before it measures, as a process of its own: `python -m tests.bench.checks TASK`. Exit code 1 where a
value differs.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import polars as pl

from ndr_core.deltas.tables import DELTA, PAIR
from ndr_core.deltas.timing import TIMING_COLUMNS
from ndr_core.tables.slices import SLICE_LEVELS
from tests.bench.batches import synthetic_batch
from tests.bench.task import TASKS

RECORDS: Final = 20_000
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    DELTA: ("role", "host_ip"),
    PAIR.name: ("role", "host_ip", "peer_ip", "peer_port"),
}
"""Table -> what makes a row of it, in a batch of one slice."""
CHECKED: Final[Mapping[str, tuple[str, ...]]] = {
    "clickhouse: by hand": (DELTA, PAIR.name),
    "duckdb: base counts": (DELTA,),
}
"""Task -> the tables that it makes."""
LEFT_OUT: Final[Mapping[str, tuple[str, ...]]] = {
    PAIR.name: tuple(column.name for column in TIMING_COLUMNS)
}
"""Table -> columns that no task but ours makes."""
IN_PART: Final = ("duckdb: base counts",)
"""These lack columns by intention; those that they have must be equal."""


def check(task: str) -> None:
    """Compare the tables of a task with the Polars engine's, on a small batch. Raises SystemExit where they differ."""
    with (
        synthetic_batch(RECORDS) as batch,
        tempfile.TemporaryDirectory() as expected,
        tempfile.TemporaryDirectory() as found,
    ):
        for name, folder in (("polars: ours", expected), (task, found)):
            with TASKS[name].prepare(batch) as work:
                work(Path(folder))
        faults = [
            f"{task}: {table}: {fault}"
            for table in CHECKED[task]
            for fault in differences(
                published(Path(expected), table).drop(LEFT_OUT.get(table, ())),
                pl.read_parquet(Path(found, f"{table}.parquet")),
                KEYS[table],
                in_part=task in IN_PART,
            )
        ]
    if faults:
        raise SystemExit("\n".join(faults))


def published(output: Path, table: str) -> pl.DataFrame:
    """The rows of a table of one run, with its role and without the other levels of its folders."""
    rows = pl.read_parquet(output / table / "**/*.parquet", hive_partitioning=True)
    return rows.drop(SLICE_LEVELS)


def differences(
    expected: pl.DataFrame, found: pl.DataFrame, keys: tuple[str, ...], *, in_part: bool
) -> Iterator[str]:
    """Say what differs, rows in any order. `in_part`: columns may be missing from `found`."""
    if found.height != expected.height:
        yield f"{found.height:,} rows in place of {expected.height:,}"
        return
    if unknown := sorted(set(found.columns) - set(expected.columns)):
        yield f"has more columns: {', '.join(unknown)}"
    missing = sorted(set(expected.columns) - set(found.columns))
    if missing and not in_part:
        yield f"lacks columns: {', '.join(missing)}"
    expected, found = expected.sort(keys, nulls_last=True), found.sort(keys, nulls_last=True)
    for name in expected.columns:
        if name not in found.columns:
            continue
        left, right = expected[name], found[name]
        if left.dtype != right.dtype:
            yield f"{name} is {right.dtype} in place of {left.dtype}"
        elif not left.equals(right, null_equal=True):
            row = next(
                row for row, pair in enumerate(zip(left, right, strict=True)) if _differ(*pair)
            )
            yield f"{name} of {expected.row(row)[:2]} is {right[row]!r} in place of {left[row]!r}"


def _differ(left: object, right: object) -> bool:
    return repr(left) != repr(right)


if __name__ == "__main__":
    check(sys.argv[1])
