"""Correlations of an anchor: `python -m tests.bench.feature_correlations`: processor seconds against those of reading.

Windows of some hosts that end at one full hour, and baselines of the two bands that they are compared with, are drawn
by chance and published: histograms have as many cells as those of real hosts would, their buckets mean nothing. Then a
process of its own each: `floor` reads the columns that are read, of all rows of these bands; `compare` builds `fg_c`.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import polars as pl
from attrs import evolve, frozen

from ndr_adapters.local.published import FolderTables
from ndr_adapters.local.sink import FolderSink
from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.features.baseline_frames import NAMES_TOGETHER
from ndr_adapters.polars.features.correlation_engine import PolarsCorrelationEngine
from ndr_adapters.polars.features.correlation_files import CorrelationFiles
from ndr_adapters.polars.features.networks import segments
from ndr_adapters.polars.features.usual import BASELINE_COLUMNS, ROWS_COLUMNS
from ndr_adapters.polars.write import HISTOGRAMS, StagingRoot, schema_of, write_named
from ndr_core.baselines.buckets import middle
from ndr_core.baselines.metrics import (
    DEFAULT_KEY_METRICS,
    DEFAULT_METRICS,
    Absent,
    Metric,
    Unit,
    metrics_named,
)
from ndr_core.baselines.tables import BASELINE, BASELINE_ROWS, HOST, NETWORK, SEGMENT
from ndr_core.correlations.engine import CorrelationInputs
from ndr_core.correlations.plan import BaselineDate, CorrelationPlan
from ndr_core.expressions.expr import col
from ndr_core.features.days import date_of
from ndr_core.features.networks import Networks
from ndr_core.publishing.manifest import RunFacts
from ndr_core.publishing.pinned import PinnedTables
from ndr_core.publishing.sink import Publication
from ndr_core.tables.columns import ColumnType
from ndr_core.tables.slices import SliceBounds, partition_of
from ndr_core.tables.table import Table
from ndr_core.times import day_of, day_start
from ndr_core.windows.labels import DEFAULT_LABELS, WindowLabel
from ndr_core.windows.plan import ROLE_NAMES
from tests.bench.memory import children_keep_freed_memory
from tests.makers import us
from tests.window_cases import window_plan

ANCHOR: Final = us("2025-03-12T11:00:00Z")
TODAY: Final = BaselineDate(day_of(ANCHOR), day_start(day_of(ANCHOR)))
YESTERDAY: Final = BaselineDate(TODAY.date - 1, TODAY.start - 86_400_000_000)
DATES: Final = {label: YESTERDAY if label.is_day else TODAY for label in DEFAULT_LABELS}
HORIZONS: Final = {"7d": (5, 7), "30d": (22, 30)}
"""Name -> working days, and days."""
METRICS: Final = metrics_named(DEFAULT_METRICS)
FG_A: Final = window_plan().fg_a
MOST_RATIO: Final = 4.0
"""How many times the floor correlations may take."""
MOST_MIB: Final = 3072

_ACTIVE: Final = {"w_15m": 0.4, "w_30m": 0.5, "w_1h": 0.6, "w_8h": 1.0, "w_24h": 1.0}
"""Share of the windows of a label in which a host has sessions."""
_RARE: Final = ("new_", "rare_", "alert", "rst", "high_risk", "scan", "trw", "brute", "lateral")
_COLD: Final = 0.05
_GAP: Final = 4
"""Buckets from one cell to the next one, about."""


def windows_of(label: WindowLabel, horizon: str) -> int:
    """How many windows of a label there are in the band of a horizon: of ten hours, or of whole days."""
    worked, days = HORIZONS[horizon]
    if label.is_day:
        return days * 24
    return worked * 10 * 60 // max(label.every, min(label.minutes, 60))


def cells_of(metric: Metric, samples: int) -> int:
    """How many cells so many samples of a metric have, about."""
    most = {Unit.COUNT: 25, Unit.THOUSANDTHS: 100}.get(metric.unit, samples)
    if metric.name.startswith(_RARE) or metric.is_of_days:
        most = 4
    return max(1, min(most, int(0.7 * samples)))


@frozen
class Scope:
    """Whose baselines are drawn."""

    name: str
    names: pl.Series
    widening: int
    """How many times the samples of one host they have."""


def histograms(metric: Metric, label: WindowLabel, horizon: str, scope: Scope) -> pl.DataFrame:
    """Rows of `baseline` of one metric, label and horizon."""
    windows = windows_of(label, horizon) * scope.widening
    samples = int(windows * _ACTIVE[label.name])
    cells = min(cells_of(metric, samples), 4000)
    seed = hash((metric.name, label.minutes, horizon)) % 1000
    drawn = scope.names.hash(seed) % 1000
    count = (drawn * cells // 1000 + cells // 2 + 1).cast(pl.Int64)
    first = 1 + (drawn % 50 if metric.unit is not Unit.BYTES else 8000 + drawn)
    rows = pl.DataFrame({"name": scope.names, "cells": count, "first": first.cast(pl.Int64)})
    place = pl.int_ranges(pl.col("cells")).alias("place")
    unfolded = rows.select("name", "first", place).explode("place")
    drawn_gap = pl.col("place").hash(seed) % _GAP
    bucket = pl.col("first") + pl.col("place") * _GAP + drawn_gap.cast(pl.Int64)
    times = (pl.col("place").hash(seed + 1) % 3 + 1).cast(pl.Int64)
    cell = pl.struct(bucket.alias("bucket"), times.alias("count")).alias("included")
    whole = unfolded.group_by("name", maintain_order=True).agg(cell)
    zeros = windows // 2 if metric.absent is Absent.ZERO else 0
    of_bucket = compile_expr(middle(col("bucket")))
    half, last = (
        rows.select((pl.col("first") + pl.col("cells") * _GAP // part).alias("bucket")).select(
            of_bucket
        )
        for part in (2, 1)
    )
    made = whole.with_columns(
        pl.col("included").list.eval(pl.element().struct.field("count")).list.sum().alias("n")
        + zeros,
        half.to_series().alias("median"),
        last.to_series().alias("p99"),
        mad=half.to_series() // 4,
        iqr=half.to_series() // 2,
        excluded=pl.lit([], dtype=pl.List(pl.Struct({"bucket": pl.Int64, "count": pl.Int64}))),
        window_label=pl.lit(label.name),
        metric=pl.lit(metric.name),
        horizon=pl.lit(horizon),
        scope=pl.lit(scope.name),
    )
    return made.with_columns(p25="median", p75="median", p95="p99")


def of_scope(
    role: str, labels: list[WindowLabel], scope: Scope
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of `baseline` and of `baseline_rows`."""
    places = [(label, horizon) for label in labels for horizon in HORIZONS]
    metrics = [
        histograms(metric, label, horizon, scope)
        for label, horizon in places
        for metric in METRICS
        if metric.is_of(role, label)
    ]
    is_cold = (scope.names.hash(1) % 1000 < 1000 * _COLD).cast(pl.Int64)
    rows = [
        pl.DataFrame({"name": scope.names, "is_cold": is_cold}).with_columns(
            *(
                pl.lit(windows_of(label, horizon) * scope.widening, dtype=pl.Int64).alias(name)
                for name in ("windows_cnt", "samples_cnt", "rows_included")
            ),
            scope=pl.lit(scope.name),
            window_label=pl.lit(label.name),
            horizon=pl.lit(horizon),
            hosts_cnt=pl.lit(scope.widening, dtype=pl.Int64),
            baseline_shift_flag=pl.lit(0, dtype=pl.Int64),
        )
        for label, horizon in places
    ]
    return pl.concat(metrics), pl.concat(rows)


def finished(rows: pl.DataFrame, table: Table, same: Mapping[str, str]) -> pl.DataFrame:
    """Rows in the columns of their table, in the order in which files have them."""
    types = schema_of(table.columns)
    columns = (
        pl.lit(same[name], dtype=dtype).alias(name)
        if name in same
        else (pl.col(name) if name in rows.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in types.items()
    )
    by_metric = ("metric", "window_label", "horizon", "name")
    return rows.select(columns).sort(by_metric if table is BASELINE else table.keys)


def build(hosts: int, output: Path) -> None:
    """Draw windows and baselines of so many hosts, and publish them."""
    names = pl.Series(
        "name", [f"10.{n >> 14 & 255}.{n >> 7 & 127}.{n & 127}" for n in range(hosts)]
    )
    _publish(output, "fg_a", "anchor", [FG_A], _windows(names.sort()), None)
    for date in (TODAY, YESTERDAY):
        labels = [label for label, its_date in DATES.items() if its_date == date]
        parts = _baselines(names.sort(), labels, date)
        _publish(output, "fg_b", date_of(date.date), [BASELINE, BASELINE_ROWS], parts, date.date)


def _windows(names: pl.Series) -> Iterator[tuple[str, Table, pl.DataFrame]]:
    for role in ROLE_NAMES:
        parts = []
        for label in DEFAULT_LABELS:
            is_active = names.hash(label.minutes) % 1000 < 1000 * _ACTIVE[label.name]
            active = names.filter(is_active)
            drawn = [
                (active.hash(number) % 2000).cast(pl.Int64).alias(column.name)
                if column.type is ColumnType.INT64
                else (active.hash(number) % 1000).cast(pl.Float64).alias(column.name) / 1000.0
                for number, column in enumerate(FG_A.columns)
                if column.type in (ColumnType.INT64, ColumnType.FLOAT64)
            ]
            same = {"window_label": label.name, "time_band": "all" if label.is_day else "wd_work"}
            rows = (
                active.alias("host_ip")
                .to_frame()
                .with_columns(*drawn, **{name: pl.lit(text) for name, text in same.items()})
            )
            is_partial = pl.lit(0, dtype=pl.Int64)
            parts.append(rows.with_columns(is_partial=is_partial, window_end_ts=pl.lit(ANCHOR)))
        same = {"role": role, "feature_spec_version": "v1", **partition_of(ANCHOR)}
        yield "part", FG_A, finished(pl.concat(parts), FG_A, same)


def _baselines(
    names: pl.Series, labels: list[WindowLabel], date: BaselineDate
) -> Iterator[tuple[str, Table, pl.DataFrame]]:
    its_segment = segments(names, Networks())
    some = its_segment.unique().sort().alias("name")
    scopes = [
        *(Scope(HOST, part, 1) for part in _shares(names)),
        Scope(SEGMENT, some, min(100, names.len())),
        Scope(NETWORK, pl.Series("name", [NETWORK]), names.len()),
    ]
    for role in ROLE_NAMES:
        same = {
            "role": role,
            "feature_spec_version": "v1",
            "dt": date_of(date.date),
            "time_band": "all" if labels[0].is_day else "wd_work",
        }
        for number, scope in enumerate(scopes):
            for table, rows in zip(
                (BASELINE, BASELINE_ROWS), of_scope(role, labels, scope), strict=True
            ):
                yield f"part-{number:05}", table, finished(rows, table, same)


def _shares(names: pl.Series) -> Iterator[pl.Series]:
    """As many hosts as lie together in files: then come the rows of the next ones."""
    for first in range(0, names.len(), NAMES_TOGETHER):
        yield names.slice(first, NAMES_TOGETHER)


def _publish(
    output: Path,
    job: str,
    batch: str,
    tables: list[Table],
    parts: Iterator[tuple[str, Table, pl.DataFrame]],
    day: int | None,
) -> None:
    staging = FolderSink(output).open_staging("run", tables, print)
    files: dict[str, int] = {}
    for name, table, rows in parts:
        files |= write_named(rows, table, StagingRoot(staging.root), name, HISTOGRAMS)
    facts = RunFacts("bench", job, "v1", "00", batch, "run", "hand", "test")
    if day is not None:
        facts = evolve(facts, bounds=SliceBounds(day_start(day), day_start(day + 1)))
    staging.publish(Publication(facts, tuple(tables), files))
    staging.close()


def plan() -> CorrelationPlan:
    """All default metrics, both horizons."""
    return CorrelationPlan(
        anchor=ANCHOR,
        labels=DEFAULT_LABELS,
        metrics=METRICS,
        key_metrics=DEFAULT_KEY_METRICS,
        horizons=tuple(HORIZONS),
        min_bytes=10_000_000,
        networks=Networks(),
        feature_spec_version="v1",
        published_at=ANCHOR,
    )


def inputs_of(output: Path) -> CorrelationInputs:
    """What the correlations are made of."""
    published = FolderTables(output)
    runs = published.manifests(None, None)
    of_job = {
        job: PinnedTables(published, tuple(run for run in runs if run.facts.job_name == job))
        for job in ("fg_a", "fg_b")
    }
    return CorrelationInputs(of_job["fg_a"], of_job["fg_b"], DATES)


def floor(output: Path) -> None:
    """Read the columns that are read, of all rows that windows could be compared with, with no more done to them."""
    files = CorrelationFiles.of(plan(), inputs_of(output))
    for role, date, band, _ in files.parts():
        usual = files.usual(role, date, band)
        for rows, columns in (
            (usual.baseline, BASELINE_COLUMNS),
            (usual.baseline_rows, ROWS_COLUMNS),
        ):
            for part in rows.files:
                evolve(rows, files=(part,)).frame(columns).collect(engine="streaming")


def compare(output: Path) -> None:
    """Build the correlations."""
    with tempfile.TemporaryDirectory() as staging:
        PolarsCorrelationEngine().build(plan(), inputs_of(output), staging)


TASKS: Final = {"floor": floor, "compare": compare}


def measure(task: str, output: Path, repeats: int) -> None:
    """Do a task some times; prints the least processor seconds, the wall seconds beside them, and peak memory."""
    taken = []
    for _ in range(repeats):
        begin, used = time.perf_counter(), time.process_time()
        TASKS[task](output)
        taken.append((time.process_time() - used, time.perf_counter() - begin))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    processor, wall = min(taken)
    figures = {"processor_s": round(processor, 2), "wall_s": round(wall, 2), "peak_mib": peak}
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument(
        "--output", type=Path, help="keep the output here, and use it if it is there"
    )
    parser.add_argument("--measure", choices=tuple(TASKS), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(args.measure, args.output, args.repeats)
        return
    children_keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        output = args.output or Path(folder) / "out"
        if not output.exists():
            build(args.hosts, output)
        found = {task: _measured(task, output, args.repeats) for task in TASKS}
    for task, figures in found.items():
        print(f"{task:8}{json.dumps(figures)}")
    ratio = found["compare"]["processor_s"] / found["floor"]["processor_s"]
    print(f"compare / floor: {ratio:.1f} (at most {MOST_RATIO:g})")
    print(f"peak: {found['compare']['peak_mib']} MiB (at most {MOST_MIB})")


def _measured(task: str, output: Path, repeats: int) -> dict[str, float]:
    """What a process of its own says: only one that built nothing shows what a task takes."""
    command = [sys.executable, "-m", "tests.bench.feature_correlations", "--measure", task]
    command += ["--output", str(output), "--repeats", str(repeats)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


if __name__ == "__main__":
    main()
