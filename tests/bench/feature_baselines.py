"""Baselines of a day: `python -m tests.bench.feature_baselines`: bytes, processor seconds and peak memory.

Made-up hosts (`made_windows`) have windows of 38 local dates; of each date a summary is published, and of the last one
the windows, too. Then a process of its own each: `anew` makes baselines of all dates, and those of the next two dates
`go on` from those of the date before, a date in and a date out of each horizon; `30 days` are the same of the longer
horizon alone, where no other is built; `summary` sums up the last date, judged by its baselines.

All is done with some hosts, and with a quarter of them. A part of a process is the same for any number of hosts: loops
are compiled, manifests read, the network's rows made. The rest grows with the hosts, which are built by themselves. So
what 50,000 hosts take lies on the line through both.
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
FIRST: Final = DATE - 2 - max(one.days + one.gap for one in HORIZONS)
LAST: Final = DATE - min(one.gap for one in HORIZONS)
COMES: Final = DATE - 1 - max(one.gap for one in HORIZONS)
"""When a host comes: the longer horizon of DATE is the first that has it, and all others have another place then."""
ALL_HOSTS: Final = 50_000
TASKS: Final = (
    ("anew", DATE - 2),
    ("go on", DATE - 1),
    ("go on", DATE),
    ("30 days anew", DATE - 2),
    ("30 days go on", DATE - 1),
    ("30 days go on", DATE),
    ("summary", WINDOWS_OF),
)
"""What is measured, and the date that it makes."""

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


def batch_of(horizons: Sequence[Horizon], date: int) -> str:
    """The mini_batch_id of the baselines of a date, of these horizons alone."""
    return "-".join(("baseline", *(one.name for one in horizons), str(date_of(date))))


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
        former = self.pinned(batch_of(horizons, date - 1)) if goes_on else None
        made_of = []
        for one in horizons:
            dates = one.dates(date)
            made_of.append(
                HorizonInputs(former, (dates[-1],), (dates[0] - 1,))
                if goes_on
                else HorizonInputs(None, tuple(dates), ())
            )
        inputs = BaselineInputs(self.pinned("summary-"), tuple(made_of))
        with self._run("fg_b", batch_of(horizons, date), BASELINE_TABLES, date) as (root, files):
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
        of_date = with_first(known) if date >= COMES else known
        output.publish_summary(windows(of_date, date), date)
        print(date_of(date), file=sys.stderr, flush=True)
    output.publish_windows(windows(known, WINDOWS_OF))


def with_first(hosts: pl.DataFrame) -> pl.DataFrame:
    """Add a host whose address is before all others."""
    return pl.concat([hosts, hosts.head(1).with_columns(host_ip=pl.lit("10.0.0.1"))])


def measure(task: str, date: int, output: Output) -> None:
    """Do a task once; prints processor seconds and peak memory."""
    used = time.process_time()
    if task == "summary":
        judge = output.pinned(batch_of(HORIZONS, date))
        output.build_summary(output.pinned("anchor-"), date, judge)
    else:
        horizons = HORIZONS[-1:] if task.startswith("30 days") else HORIZONS
        output.build_baselines(date, goes_on=task.endswith("go on"), horizons=horizons)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps([time.process_time() - used, peak]))


def measured(task: str, date: int, root: Path) -> tuple[float, int]:
    """Measure a task in a process of its own: only one that prepared nothing shows what it takes."""
    command = [sys.executable, "-m", "tests.bench.feature_baselines", "--output", str(root)]
    done = subprocess.run(
        [*command, "--measure", task, "--date", str(date)],
        check=True,
        capture_output=True,
        text=True,
    )
    seconds, peak = json.loads(done.stdout.splitlines()[-1])
    return seconds, peak


def tell_sizes(output: Output, hosts: int) -> None:
    """Print bytes of the tables of a date, times so many that make ALL_HOSTS."""
    day = f"summary-{date_of(WINDOWS_OF)}"
    for name, table, batches, most in (
        ("windows of a day", PLAN.fg_a.name, "anchor-", f"{MOST_FG_A_GB:g} GB"),
        ("summary of a day", SUMMARY.name, day, f"{MOST_SUMMARY_MB} MB"),
        ("baselines of a date", BASELINE.name, batch_of(HORIZONS, DATE), "no limit"),
    ):
        size = output.bytes_of(table, batches) * ALL_HOSTS / hosts
        print(f"{name}: {size / 1e6:,.0f} MB of {ALL_HOSTS:,} hosts (at most {most})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=2_000)
    parser.add_argument(
        "--output", type=Path, help="keep the outputs here, and use those that are there"
    )
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--date", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(args.measure, args.date, Output(args.output))
        return
    children_keep_freed_memory()
    fewer = args.hosts // 4
    with tempfile.TemporaryDirectory() as folder:
        roots = {hosts: (args.output or Path(folder)) / str(hosts) for hosts in (fewer, args.hosts)}
        for hosts, root in roots.items():
            if not root.exists():
                prepare(Output(root), hosts)
        for task, date in TASKS:
            (some, _), (all_of_them, peak) = (measured(task, date, root) for root in roots.values())
            by_host = (all_of_them - some) / (args.hosts - fewer)
            of_all = all_of_them + by_host * (ALL_HOSTS - args.hosts)
            print(
                f"{task}, {date_of(date)}: {some:.1f} s of {fewer:,} hosts, {all_of_them:.1f} s and {peak:,} MiB of "
                f"{args.hosts:,}; of {ALL_HOSTS:,}: {of_all:.0f} processor s",
                flush=True,
            )
        tell_sizes(Output(roots[args.hosts]), args.hosts)
    print(f"30 days go on: at most {MOST_BASELINE_S} processor s and {MOST_MIB} MiB")


if __name__ == "__main__":
    main()
