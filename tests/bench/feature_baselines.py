"""Baselines of a day: `python -m tests.bench.feature_baselines`: bytes, processor seconds and peak memory.

Made-up hosts (`made_windows`) have windows of 36 local dates; of each date a summary is published, and of the last one
the windows, too. Then a process of its own each: `summary` sums up that date, judged by its baselines; `anew` makes
baselines of all dates; `going on` makes them of those of the date before, a date in and a date out of each horizon, and
`30 days` those of the longer horizon alone. All figures are told for the hosts that were built, and times so many that
make 50,000: hosts are built by themselves, and all but the network's few rows grows with them.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

import polars as pl

from ndr_adapters.local.published import FolderTables
from ndr_adapters.local.sink import FolderSink
from ndr_adapters.polars.features.baseline_engine import PolarsBaselineEngine
from ndr_adapters.polars.features.summary_engine import PolarsSummaryEngine
from ndr_adapters.polars.features.summary_kernel import (
    JUDGE_COLUMNS,
    JUDGE_ROWS_COLUMNS,
    WINDOW_KEYS,
    SummaryEnds,
    SummaryFrames,
    build_share,
    window_columns,
)
from ndr_adapters.polars.write import SUMMARIES, StagingRoot, empty_frame, write_named
from ndr_core.baselines.engine import BaselineInputs, HorizonInputs, SummaryInputs
from ndr_core.baselines.horizon import DEFAULT_GAPS, Horizon
from ndr_core.baselines.metrics import DEFAULT_KEY_METRICS, DEFAULT_METRICS, metrics_named
from ndr_core.baselines.plan import BandLabel, BaselinePlan, HorizonPlan, SummaryPlan
from ndr_core.baselines.tables import (
    BASELINE,
    BASELINE_ROWS,
    BASELINE_TABLES,
    SUMMARY,
    SUMMARY_TABLES,
)
from ndr_core.features.days import date_of
from ndr_core.features.networks import Networks
from ndr_core.publishing.manifest import RunFacts
from ndr_core.publishing.pinned import PinnedTables
from ndr_core.publishing.sink import Publication
from ndr_core.tables.slices import SliceBounds
from ndr_core.tables.table import Table
from ndr_core.times import DAY_US, MINUTE_US, day_start
from ndr_core.windows.labels import WindowLabel
from tests.bench import feature_windows, made_windows
from tests.bench.memory import children_keep_freed_memory

DATE: Final = 20_160
"""Whose baselines are made: 2025-03-13, a Thursday; so that working days come in, and go."""
WINDOWS_OF: Final = DATE
"""The date that is summed up with a judge."""
HORIZONS: Final = tuple(Horizon(days, gap) for days, gap in DEFAULT_GAPS.items())
FIRST: Final = DATE - 1 - max(one.days + one.gap for one in HORIZONS)
LAST: Final = DATE - min(one.gap for one in HORIZONS)
ALL_HOSTS: Final = 50_000
TASKS: Final = ("anew", "30 days", "going on", "summary")

MOST_SUMMARY_MB: Final = 300
MOST_FG_A_GB: Final = 2.5
MOST_BASELINE_S: Final = 400
"""Processor seconds of the baselines of 30 days that go on."""
MOST_MIB: Final = 4096

PLAN: Final = feature_windows.plan()
NETWORKS: Final = Networks()


def ends(date: int) -> dict[int, tuple[WindowLabel, ...]]:
    """The windows of a date that are summed up."""
    found: dict[int, tuple[WindowLabel, ...]] = {}
    for label in PLAN.labels:
        step = max(label.every, min(label.minutes, 60)) * MINUTE_US
        for end in range(day_start(date) + step, day_start(date) + DAY_US + 1, step):
            found[end] = (*found.get(end, ()), label)
    return found


@cache
def covered(date: int) -> Mapping[BandLabel, int]:
    """How many windows of each band and label those are."""
    found: dict[BandLabel, int] = {}
    for end, labels in ends(date).items():
        for label in labels:
            band = PLAN.calendar.facts(end, is_day=label.is_day).time_band.value
            found[band, label.name] = found.get((band, label.name), 0) + 1
    return found


def horizon_plan(horizon: Horizon, date: int) -> HorizonPlan:
    dates = horizon.dates(date)
    bands: dict[str, int] = {}
    for one in dates:
        for band in {band for band, _ in covered(one)}:
            bands[band] = bands.get(band, 0) + 1
    windows = {one: covered(one) for one in dates}
    return HorizonPlan(
        horizon, dates, windows, bands, day_start(dates.start), day_start(dates.stop)
    )


def baseline_plan(date: int, horizons: Sequence[Horizon]) -> BaselinePlan:
    return BaselinePlan(
        date,
        PLAN.labels,
        metrics_named(DEFAULT_METRICS),
        tuple(horizon_plan(one, date) for one in horizons),
        NETWORKS,
        "v1",
        day_start(date),
    )


def summary_plan(date: int) -> SummaryPlan:
    metrics = metrics_named(DEFAULT_METRICS)
    return SummaryPlan(date, PLAN.labels, metrics, DEFAULT_KEY_METRICS, "v1", day_start(date + 1))


class Output:
    """An output of features in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def publish_windows(self, rows: pl.DataFrame) -> None:
        """Publish windows, those of each end as a run."""
        for (end,), of_end in rows.partition_by("window_end_ts", as_dict=True).items():
            with self._run("fg_a", f"anchor-{end:%Y%m%dT%H%M}", (PLAN.fg_a,)) as (root, files):
                files |= write_named(of_end.sort(PLAN.fg_a.keys), PLAN.fg_a, StagingRoot(root), "p")

    def publish_summary(self, rows: pl.DataFrame, date: int) -> None:
        """Publish the summary of the windows of a date, with no judge."""
        plan = summary_plan(date)
        frames = SummaryFrames(
            rows.lazy().select(*WINDOW_KEYS, *window_columns(plan)),
            _no_rows(BASELINE).select(JUDGE_COLUMNS),
            _no_rows(BASELINE_ROWS).select(JUDGE_ROWS_COLUMNS),
        )
        share = build_share(frames, plan, SummaryEnds(ends(date), {}))
        with self._run("fg_b", f"summary-{date_of(date)}", SUMMARY_TABLES, date) as (root, files):
            for table, frame in share.tables():
                files |= write_named(frame, table, StagingRoot(root), "p", SUMMARIES)

    def build_summary(self, windows: PinnedTables, date: int, judge: PinnedTables | None) -> None:
        inputs = SummaryInputs(windows, ends(date), {}, judge)
        with self._run("fg_b", f"summary-{date_of(date)}", SUMMARY_TABLES, date) as (root, files):
            files |= PolarsSummaryEngine().build(summary_plan(date), inputs, root)

    def build_baselines(
        self, date: int, *, goes_on: bool, horizons: Sequence[Horizon] = HORIZONS
    ) -> None:
        former = self.pinned(f"baseline-{date_of(date - 1)}") if goes_on else None
        made_of = []
        for one in horizons:
            dates = one.dates(date)
            made_of.append(
                HorizonInputs(former, (dates[-1],), (dates[0] - 1,))
                if goes_on
                else HorizonInputs(None, tuple(dates), ())
            )
        inputs = BaselineInputs(self.pinned("summary-"), tuple(made_of))
        with self._run("fg_b", f"baseline-{date_of(date)}", BASELINE_TABLES, date) as (root, files):
            files |= PolarsBaselineEngine().build(baseline_plan(date, horizons), inputs, root)

    def pinned(self, batches: str) -> PinnedTables:
        """The runs whose mini_batch_id begins so."""
        published = FolderTables(self.root)
        runs = published.manifests(None, None)
        chosen = (run for run in runs if run.facts.mini_batch_id.startswith(batches))
        return PinnedTables(published, tuple(chosen))

    def bytes_of(self, table: str, batches: str) -> int:
        """Bytes of the files of a table, of some runs."""
        runs = self.pinned(batches).pinned
        return sum(file.bytes for run in runs for file in run.files if file.table == table)

    @contextmanager
    def _run(
        self, job: str, batch: str, tables: tuple[Table, ...], date: int | None = None
    ) -> Iterator[tuple[str, dict[str, int]]]:
        """Publish what is staged meanwhile: gives the staging root, and what takes the staged files."""
        bounds = None if date is None else SliceBounds(day_start(date), day_start(date + 1))
        facts = RunFacts("bench", job, "v1", "00", batch, "run", "hand", "bench", bounds=bounds)
        staging = FolderSink(self.root).open_staging("run", tables, print)
        files: dict[str, int] = {}
        yield staging.root, files
        staging.publish(Publication(facts, tables, files))
        staging.close()


def _no_rows(table: Table) -> pl.LazyFrame:
    return empty_frame(table.columns).lazy().rename({"name": "host_ip"})


def windows(hosts: pl.DataFrame, date: int) -> pl.DataFrame:
    return made_windows.windows(made_windows.slices(hosts, date), PLAN, date)


def prepare(output: Output, hosts: int) -> None:
    """Publish the summaries of all dates, and the windows of the last."""
    known = made_windows.hosts(hosts)
    for date in range(FIRST, LAST):
        output.publish_summary(windows(known, date), date)
        print(date_of(date), file=sys.stderr, flush=True)
    output.publish_windows(windows(known, WINDOWS_OF))


def measure(task: str, output: Output) -> None:
    """Do a task once; prints processor seconds, wall seconds and peak memory."""
    begin, used = time.perf_counter(), time.process_time()
    if task == "summary":
        judge = output.pinned(f"baseline-{date_of(DATE)}")
        output.build_summary(output.pinned("anchor-"), WINDOWS_OF, judge)
    elif task == "anew":
        output.build_baselines(DATE - 1, goes_on=False)
    else:
        horizons = HORIZONS[-1:] if task == "30 days" else HORIZONS
        output.build_baselines(DATE, goes_on=True, horizons=horizons)
    figures = {
        "processor_s": round(time.process_time() - used, 1),
        "wall_s": round(time.perf_counter() - begin, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=2_000)
    parser.add_argument(
        "--output", type=Path, help="keep the output here, and use it if it is there"
    )
    parser.add_argument("--measure", choices=TASKS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(args.measure, Output(args.output))
        return
    children_keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        root = args.output or Path(folder) / "out"
        output = Output(root)
        if not root.exists():
            prepare(output, args.hosts)
        times = ALL_HOSTS / args.hosts
        for task in TASKS:
            command = [sys.executable, "-m", "tests.bench.feature_baselines", "--measure", task]
            # Only a process that prepared nothing shows what a task takes.
            done = subprocess.run(
                [*command, "--output", str(root)], check=True, capture_output=True, text=True
            )
            figures = json.loads(done.stdout.splitlines()[-1])
            print(f"{task:9}{json.dumps(figures)}; of {ALL_HOSTS:,} hosts: ", end="")
            print(f"{figures['processor_s'] * times:.0f} processor s")
    day = f"summary-{date_of(WINDOWS_OF)}"
    for name, table, batches, most in (
        ("windows of a day", PLAN.fg_a.name, "anchor-", f"{MOST_FG_A_GB:g} GB"),
        ("summary of a day", SUMMARY.name, day, f"{MOST_SUMMARY_MB} MB"),
        ("baselines of a date", BASELINE.name, f"baseline-{date_of(DATE)}", "no limit"),
    ):
        size = output.bytes_of(table, batches) * times
        print(f"{name}: {size / 1e6:,.0f} MB of {ALL_HOSTS:,} hosts (at most {most})")
    print(f"going on: at most {MOST_BASELINE_S} processor s and {MOST_MIB} MiB for 30 days")


if __name__ == "__main__":
    main()
