"""The history of a day: `python -m tests.bench.pair_history`: seconds, processor seconds and peak memory.

Pairs of a day are added to a history of more pairs, as a daily run does, and then the day is made anew of 30 tiles.
A process of its own builds, again and again.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl

from ndr_adapters.local.published import FolderTables
from ndr_adapters.local.sink import FolderSink
from ndr_adapters.polars.features.history_engine import PolarsHistoryEngine
from ndr_adapters.polars.write import StagingRoot, schema_of, write_named
from ndr_core.deltas.tables import PAIR
from ndr_core.features.days import date_of
from ndr_core.features.networks import Networks
from ndr_core.history.engine import HistoryInputs
from ndr_core.history.plan import HistoryPlan
from ndr_core.history.tables import PAIR_HISTORY, PAIR_TILE
from ndr_core.publishing.manifest import RunFacts
from ndr_core.publishing.sink import Publication
from ndr_core.tables.table import Table
from ndr_core.times import DAY_US, MINUTE_US, SECOND_US, day_start

DAY: Final = 20_148
PLAN: Final = HistoryPlan(DAY, Networks(), "v1", day_start(DAY + 1), "v1")
SLICE_US: Final = 15 * MINUTE_US
SLICES_PER_PAIR: Final = 2


def pairs(first: int, count: int, hosts: int) -> pl.LazyFrame:
    """So many distinct pairs: the numbers from `first` on, scattered over hosts, peers and ports."""
    number = pl.int_range(first, first + count, dtype=pl.UInt64)
    mixed = (number * 2_654_435_761) % (1 << 32)
    host, peer = number % hosts, mixed % 200_000
    return (
        pl.select(number=number, mixed=mixed)
        .lazy()
        .select(
            host_ip=pl.format("10.{}.{}.7", host // 256, host % 256),
            peer_ip=pl.format("{}.{}.{}.{}", 100 + peer // 65536, peer // 256 % 256, peer % 256, 9),
            peer_port=(pl.col("number") // hosts % 50 + 400).cast(pl.Int64),
            role=pl.when(pl.col("mixed") % 10 < 7)
            .then(pl.lit("outbound"))
            .otherwise(pl.lit("inbound")),
            mixed="mixed",
        )
    )


def moment(day: int, every: int = 1) -> pl.Expr:
    us = pl.col("mixed").cast(pl.Int64) * every % (DAY_US // SECOND_US) * SECOND_US + day_start(day)
    return us.cast(pl.Datetime("us", "UTC"))


def of_table(rows: pl.LazyFrame, table: Table, day: int) -> pl.DataFrame:
    """Rows in the columns of a table; those that are absent are null."""
    known = rows.with_columns(
        feature_spec_version=pl.lit("v1"),
        dt=pl.lit(date_of(day)),
        day_ts=pl.lit(day_start(day)).cast(pl.Datetime("us", "UTC")),
        published_at=pl.lit(0).cast(pl.Datetime("us", "UTC")),
    )
    names = known.collect_schema().names()
    schema = schema_of(table.columns)
    return known.select(
        (pl.col(name) if name in names else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in schema.items()
    ).collect()


def pair_slices(rows: pl.LazyFrame) -> pl.DataFrame:
    """Pairs in several slices of the day, and the same sessions as their peers see them."""
    parts = []
    for number in range(SLICES_PER_PAIR):
        start = moment(DAY, number + 1).dt.truncate("15m")
        part = rows.with_columns(
            slice_start_ts=start,
            slice_end_ts=start.dt.offset_by("15m"),
            event_ts=start.dt.offset_by("14m"),
            hh=start.dt.strftime("%H"),
            mm=start.dt.strftime("%M"),
            sessions_cnt=pl.lit(2),
            bytes_sent_sum=pl.col("mixed") % 100_000,
            bytes_recv_sum=pl.lit(7),
        )
        other = pl.when(pl.col("role") == "outbound").then(pl.lit("inbound"))
        parts += [
            part,
            part.with_columns(
                host_ip="peer_ip", peer_ip="host_ip", role=other.otherwise(pl.lit("outbound"))
            ),
        ]
    return of_table(pl.concat(parts), PAIR, DAY)


def tile(rows: pl.LazyFrame, day: int) -> pl.DataFrame:
    made = rows.with_columns(
        sessions_cnt=pl.lit(4), bytes_sent_sum=pl.lit(1000), last_seen_ts=moment(day)
    )
    return of_table(made, PAIR_TILE, day)


def history(rows: pl.LazyFrame, leaving: int) -> pl.DataFrame:
    """A history of the day before: the first `leaving` of its pairs were active 29 days before it."""
    number = pl.int_range(pl.len())
    made = rows.with_columns(
        days_mask=(pl.col("mixed").cast(pl.Int64) % (1 << 29) // 2 * 2 + 2)
        + pl.when(number < leaving).then(1 << 29).otherwise(0),
        last_seen_ts=moment(DAY - 2),
        age_days=pl.lit(29),
        sessions_30d=pl.lit(40),
        bytes_sent_30d=pl.lit(10_000),
    )
    return of_table(made, PAIR_HISTORY, DAY - 1)


def publish(output: Path, job: str, batch: str, table: Table, rows: pl.DataFrame) -> None:
    facts = RunFacts("bench", job, "v1", "00", batch, "run", "hand", "bench")
    staging = FolderSink(output).open_staging("run", [table], print)
    files = write_named(rows.sort("host_ip", "peer_ip"), table, StagingRoot(staging.root), "part")
    staging.publish(Publication(facts, (table,), files))
    staging.close()


def prepare(output: Path, day_pairs: int, known: int, hosts: int) -> None:
    """Publish the pairs of the day, the history of the day before, and the tiles of the 30 days before."""
    publish(output, "deltas", "day", PAIR, pair_slices(pairs(known // 2, day_pairs, hosts)))
    features = output / "features"
    leaving = known // 10
    publish(features, "h", "former", PAIR_HISTORY, history(pairs(0, known, hosts), leaving))
    for before in range(1, 31):
        first = 0 if before == 30 else known // 30 * before
        rows = pairs(first, leaving if before == 30 else day_pairs, hosts)
        publish(features, "h", f"tile-{before}", PAIR_TILE, tile(rows, DAY - before))


def measure(output: Path, repeats: int, is_anew: bool) -> None:
    """Build once to warm up, then again and again; prints figures as JSON."""
    deltas, features = FolderTables(output), FolderTables(output / "features")
    inputs = HistoryInputs(deltas, None if is_anew else features, features)
    walls: list[float] = []
    processors: list[float] = []
    rows = 0
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            begin, used = time.perf_counter(), time.process_time()
            files = PolarsHistoryEngine().build(PLAN, inputs, folder)
            walls.append(time.perf_counter() - begin)
            processors.append(time.process_time() - used)
            rows = sum(count for name, count in files.items() if name.startswith(PAIR_HISTORY.name))
    figures = {
        "made": "anew" if is_anew else "from the day before",
        "rows": rows,
        "wall_s": round(statistics.median(walls), 2),
        "processor_s": round(statistics.median(processors), 2),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(json.dumps(figures))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1_000_000, help="of the day")
    parser.add_argument("--history", type=int, default=3_000_000, help="pairs of the history")
    parser.add_argument("--hosts", type=int, default=2_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--anew", action="store_true", help="also make the day of 30 tiles")
    parser.add_argument(
        "--output", type=Path, help="keep the output here, and use it if it is there"
    )
    parser.add_argument("--measure", choices=("former", "anew"), help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.measure:
        measure(args.output, args.repeats, args.measure == "anew")
        return
    with tempfile.TemporaryDirectory() as folder:
        output = args.output or Path(folder) / "out"
        if not output.exists():
            prepare(output, args.pairs, args.history, args.hosts)
        for way in ("former", "anew") if args.anew else ("former",):
            command = [sys.executable, "-m", "tests.bench.pair_history", "--measure", way]
            more = ["--output", str(output), "--repeats", str(args.repeats)]
            # Only a process that prepared nothing shows what building takes.
            subprocess.run([*command, *more], check=True)


if __name__ == "__main__":
    main()
