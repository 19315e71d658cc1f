"""A report of many hosts: `python -m tests.bench.report_of_many`: processor seconds, peak memory, bytes of the page.

Deltas, pairs, windows, correlations, baselines and beacons of a day are drawn by chance and published; their numbers
mean nothing. Each host has sessions in four of ten slices, and windows of each hour. Then `ndr report` runs as a
process of its own.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl
from attrs import evolve

from ndr_adapters.local.sink import FolderSink
from ndr_adapters.polars.write import StagingRoot, schema_of, write_named
from ndr_core.baselines.metrics import DEFAULT_METRICS, metrics_named
from ndr_core.baselines.tables import BASELINE
from ndr_core.correlations.tables import fg_c_table
from ndr_core.deltas.tables import PAIR, delta_table
from ndr_core.features.days import date_of
from ndr_core.publishing.manifest import RunFacts
from ndr_core.publishing.sink import Publication
from ndr_core.report.scores import DETAIL_METRICS
from ndr_core.tables.columns import ColumnType, OutputColumn
from ndr_core.tables.slices import SliceBounds, partition_of
from ndr_core.tables.table import Table
from ndr_core.times import DAY_US, HOUR_US, MINUTE_US, day_of
from ndr_core.windows.tables import BEACON
from tests.bench.made_windows import hosts
from tests.makers import make_plan, us
from tests.window_cases import window_plan

DAY: Final = us("2025-03-12T00:00:00Z")
SLICE: Final = 15 * MINUTE_US
MOST_BYTES: Final = 8_000_000
MOST_MIB: Final = 3072
_ROLES: Final = ("outbound", "inbound")
_ACTIVE: Final = 4
"""Of ten slices."""
_SEGMENT_HOSTS: Final = 250


def drawn(seed: int, most: int) -> pl.Expr:
    """Numbers from 0 up to below a bound, small ones more often."""
    number = pl.int_range(pl.len(), dtype=pl.UInt64).hash(seed)
    share = (number % 10_007).cast(pl.Float64) / 10_007.0
    return (share * share * share * share * most).cast(pl.Int64)


def filled(rows: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Give rows all columns of a table: those that they lack are drawn, or empty."""

    def made(place: int, column: OutputColumn) -> pl.Expr:
        kind = column.type
        if column.name in rows.columns:
            return pl.col(column.name)
        if kind is ColumnType.INT64:
            return drawn(place, 100).alias(column.name)
        if kind is ColumnType.FLOAT64:
            return (drawn(place, 1000).cast(pl.Float64) / 1000.0).alias(column.name)
        return pl.lit(None, dtype=schema_of([column])[column.name]).alias(column.name)

    return rows.select(made(place, column) for place, column in enumerate(table.columns))


def moment(us_since: int) -> pl.Expr:
    return pl.lit(us_since).cast(pl.Datetime("us", "UTC"))


def placed(rows: pl.DataFrame, start: int) -> pl.DataFrame:
    """Give rows the folders of a slice."""
    levels = {"feature_spec_version": "v1", **partition_of(start)}
    return rows.with_columns(pl.lit(text).alias(level) for level, text in levels.items())


def in_roles(known: pl.DataFrame) -> pl.DataFrame:
    return known.join(pl.DataFrame({"role": _ROLES}), how="cross")


def publish(
    root: Path,
    job: str,
    tables: Sequence[Table],
    parts: Iterator[tuple[Table, pl.DataFrame]],
) -> None:
    """Publish parts of tables as one run."""
    facts = RunFacts("bench", job, "v1", "00", job, job, "polars", "bench")
    facts = evolve(facts, bounds=SliceBounds(DAY, DAY + DAY_US))
    staging = FolderSink(root).open_staging(job, tables, print)
    files: dict[str, int] = {}
    for number, (table, rows) in enumerate(parts):
        files |= write_named(rows, table, StagingRoot(staging.root), f"part-{number:05}")
    staging.publish(Publication(facts, tuple(tables), files))
    staging.close()


def build(output: Path, count: int) -> None:
    """Publish an output of a day of so many hosts, with its features."""
    known = hosts(count).select("host_ip")
    delta = delta_table(make_plan().measures)
    fg_a, fg_c = window_plan().fg_a, fg_c_table(metrics_named(DEFAULT_METRICS))

    def deltas() -> Iterator[tuple[Table, pl.DataFrame]]:
        for start in range(DAY, DAY + DAY_US, SLICE):
            active = pl.int_range(pl.len(), dtype=pl.UInt64).hash(start) % 10 < _ACTIVE
            times = {
                "slice_start_ts": moment(start),
                "slice_end_ts": moment(start + SLICE),
                "event_ts": moment(start + MINUTE_US),
            }
            rows = placed(in_roles(known.filter(active)).with_columns(**times), start)
            yield delta, filled(rows, delta)
            peers = rows.with_columns(
                peer_ip=pl.format("198.18.{}.{}", drawn(1, 250), drawn(2, 250)),
                peer_port=pl.lit(443, dtype=pl.Int64),
                starts=pl.concat_list(
                    pl.struct(bucket=drawn(3, 900), count=pl.lit(1, dtype=pl.Int64))
                ),
            )
            yield PAIR, filled(peers, PAIR).unique(PAIR.keys, maintain_order=True)

    def windows(
        made: Callable[[pl.DataFrame], Iterator[tuple[Table, pl.DataFrame]]],
    ) -> Iterator[tuple[Table, pl.DataFrame]]:
        for end in range(DAY + HOUR_US, DAY + DAY_US + 1, HOUR_US):
            labels = {"w_1h": HOUR_US} | ({"w_24h": DAY_US} if end == DAY + DAY_US else {})
            for label, length in labels.items():
                rows = in_roles(known).with_columns(
                    window_label=pl.lit(label),
                    window_start_ts=moment(end - length),
                    window_end_ts=moment(end),
                    baseline_ts=moment(DAY),
                    time_band=pl.lit("all" if label == "w_24h" else "wd_work"),
                )
                yield from made(placed(rows, end))

    def of_fg_a(rows: pl.DataFrame) -> Iterator[tuple[Table, pl.DataFrame]]:
        yield fg_a, filled(rows, fg_a)
        if rows["window_label"][0] == "w_24h":
            outbound = rows.filter(pl.col("role") == "outbound").with_columns(
                peer_ip=pl.format("198.18.{}.{}", drawn(1, 250), drawn(2, 250)),
                peer_port=pl.lit(443, dtype=pl.Int64),
            )
            yield BEACON, filled(outbound, BEACON)

    def of_fg_c(rows: pl.DataFrame) -> Iterator[tuple[Table, pl.DataFrame]]:
        scopes = [pl.lit("host").alias(f"{name}_scope") for name in DEFAULT_METRICS]
        both = rows.join(pl.DataFrame({"horizon": ["7d", "30d"]}), how="cross")
        yield fg_c, filled(both.with_columns(scopes), fg_c)

    def baselines() -> Iterator[tuple[Table, pl.DataFrame]]:
        for metric in DETAIL_METRICS:
            for band, label in (("wd_work", "w_1h"), ("all", "w_24h")):
                rows = (
                    in_roles(known)
                    .rename({"host_ip": "name"})
                    .with_columns(
                        scope=pl.lit("host"),
                        metric=pl.lit(metric),
                        window_label=pl.lit(label),
                        time_band=pl.lit(band),
                        feature_spec_version=pl.lit("v1"),
                        dt=pl.lit(date_of(day_of(DAY))),
                    )
                )
                both = rows.join(pl.DataFrame({"horizon": ["7d", "30d"]}), how="cross")
                yield BASELINE, filled(both, BASELINE)

    publish(output, "delta_builder", (delta, PAIR), deltas())
    features = output / "features"
    publish(features, "fg_a", (fg_a, BEACON), windows(of_fg_a))
    publish(features, "fg_b", (BASELINE,), baselines())
    publish(features, "fg_c", (fg_c,), windows(of_fg_c))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=50_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        output, page = Path(folder) / "out", Path(folder) / "report.html"
        began = time.monotonic()
        build(output, args.hosts)
        print(f"built in {time.monotonic() - began:.0f} s")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        command = [sys.executable, "-m", "ndr_entrypoints", "report", str(output), "-o", str(page)]
        subprocess.run(command, check=True)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
        mib, size = used.ru_maxrss / 1024, page.stat().st_size
        print(
            f"{args.hosts:,} hosts: {seconds:.1f} processor s, {time.monotonic() - began:.1f} s, {mib:,.0f} MiB, "
            f"{size:,} bytes"
        )
        assert size <= MOST_BYTES, size
        assert mib <= MOST_MIB, mib


if __name__ == "__main__":
    main()
