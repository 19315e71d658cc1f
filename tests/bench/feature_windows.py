"""Windows of an anchor: `python -m tests.bench.feature_windows`: processor seconds against those of reading alone.

A day of 96 batches, a quarter of an hour each, is built into an output, with sessions that end in later slices. Then a
process of its own each: `floor` reads the columns that windows are made of, of both roles; `hour` builds all windows
that end at midnight, beacons with them; `quarter` those of 15 min, 30 min and 1 h a quarter before, with nearly a whole
day of slices as their history.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl
from attrs import asdict

from ndr_adapters.local.sink import FolderSink
from ndr_adapters.local.source import FolderSource
from ndr_adapters.outputs import open_output
from ndr_adapters.polars.engine import PolarsEngine
from ndr_adapters.polars.features.window_engine import PolarsWindowEngine
from ndr_adapters.polars.features.window_files import WindowFiles, window_files
from ndr_adapters.polars.features.window_kernel import Anchor
from ndr_adapters.synthetic.batch import SyntheticBatch
from ndr_adapters.synthetic.write import write_synthetic
from ndr_core.deltas.job import DeltaBuilderRunner
from ndr_core.deltas.roles import INBOUND, OUTBOUND
from ndr_core.deltas.tables import CELL_SUMS
from ndr_core.deltas.timing import TIMING_COLUMNS
from ndr_core.features.networks import Hosts, Networks
from ndr_core.jobs.ports import QuietLog
from ndr_core.jobs.run import RuntimeParams
from ndr_core.tables.columns import Merge
from ndr_core.times import to_us
from ndr_core.windows.calendar import Calendar
from ndr_core.windows.engine import WindowInputs
from ndr_core.windows.history_source import history_source
from ndr_core.windows.labels import DEFAULT_LABELS, due
from ndr_core.windows.plan import WindowPlan, compile_window_plan
from ndr_core.windows.settings import DetectionPorts
from tests.bench.memory import children_keep_freed_memory
from tests.makers import make_spec, started

START: Final = datetime(2025, 3, 1, tzinfo=UTC)
SLICE: Final = timedelta(minutes=15)
BATCHES: Final = timedelta(days=1) // SLICE
MIDNIGHT: Final = START + timedelta(days=1)
ANCHORS: Final = {"hour": MIDNIGHT, "quarter": MIDNIGHT - SLICE}
FLOOR: Final = "floor"
MOST_RATIO: Final = 7.0
"""How many times the floor an hour's anchor may take."""
MOST_QUARTER_S: Final = 5.0
MOST_MIB: Final = 3072


def build(records: int, hosts: int, peers: int, output: Path, days: int = 1) -> None:
    """Build some days, with the records of each shared among its batches."""
    for number in range(BATCHES * days):
        start = START + number * SLICE
        with tempfile.TemporaryDirectory() as folder:
            batch = SyntheticBatch(
                records // BATCHES,
                number,
                to_us(start),
                to_us(start + SLICE),
                hosts,
                peers,
                network=0,
            )
            write_synthetic(batch, Path(folder), 2, lambda _: None)
            DeltaBuilderRunner(
                spec=make_spec(),
                params=RuntimeParams(f"mb-{number}", "run"),
                source=FolderSource(Path(folder)),
                start_engine=started(PolarsEngine()),
                sink=FolderSink(output),
                log=QuietLog(),
            ).run()


def plan() -> WindowPlan:
    """All windows of internal hosts over all measures."""
    spec = make_spec()
    return compile_window_plan(
        measures=spec.chosen_measures(),
        roles=[asdict(OUTBOUND), asdict(INBOUND)],
        slice_minutes=spec.delta.slice_minutes,
        labels=DEFAULT_LABELS,
        networks=Networks(),
        ports=DetectionPorts(),
        calendar=Calendar(),
        hosts=Hosts.INTERNAL,
        feature_spec_version="v1",
        published_at=to_us(MIDNIGHT),
    )


def inputs_of(output: Path, moment: datetime) -> WindowInputs:
    """What the windows that end at a moment are made of: nothing was published before the day."""
    labels = due(DEFAULT_LABELS, to_us(moment))
    published = open_output(output)
    return WindowInputs(
        anchor=to_us(moment),
        labels=labels,
        coverage={label: label.slices(15) for label in labels},
        history={
            label: history_source(label.start(to_us(moment)), (), to_us(START)) for label in labels
        },
        deltas=published,
        features=published,
        deltas_version="v1",
        history_version="v1",
    )


def floor(output: Path) -> None:
    """Read the columns that windows of a day are made of, of both roles, with no more done to them."""
    inputs = inputs_of(output, MIDNIGHT)
    anchor = Anchor(inputs.anchor, inputs.labels, inputs.coverage, inputs.history)
    for query in _queries(window_files(inputs, anchor.intervals)):
        query().collect(engine="streaming")


def _queries(files: WindowFiles) -> Iterator[Callable[[], pl.LazyFrame]]:
    measured = [column for one in plan().measures for column in one.columns()]
    of_deltas = [one.name for one in measured if one.merge in (Merge.SUM, Merge.HISTOGRAM)]
    of_pairs = ["peer_ip", "peer_port", "slice_start_ts", *CELL_SUMS]
    timing = [column.name for column in TIMING_COLUMNS]
    for rows in files.frames().rows:
        of_role = [*of_pairs, *(timing if rows.role == OUTBOUND.name else ())]
        yield partial(rows.pairs.select, "host_ip", *of_role)
        if rows.deltas is not None:
            yield partial(rows.deltas.select, "host_ip", *of_deltas)


def windows(output: Path, moment: datetime) -> None:
    """Build the windows that end at a moment."""
    with tempfile.TemporaryDirectory() as staging:
        PolarsWindowEngine().build(plan(), inputs_of(output, moment), staging)


def measure(task: str, output: Path, repeats: int) -> None:
    """Do a task some times; prints the least processor seconds, the wall seconds beside them, and peak memory."""
    taken = []
    for _ in range(repeats):
        begin, used = time.perf_counter(), time.process_time()
        floor(output) if task == FLOOR else windows(output, ANCHORS[task])
        taken.append((time.process_time() - used, time.perf_counter() - begin))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    processor, wall = min(taken)
    figures = {"processor_s": round(processor, 2), "wall_s": round(wall, 2), "peak_mib": peak}
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--hosts", type=int, default=20_000)
    parser.add_argument("--peers", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument(
        "--output", type=Path, help="keep the output here, and use it if it is there"
    )
    parser.add_argument("--measure", choices=(FLOOR, *ANCHORS), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(args.measure, args.output, args.repeats)
        return
    children_keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        output = args.output or Path(folder) / "out"
        if not output.exists():
            build(args.records, args.hosts, args.peers, output)
        found = {task: _measured(task, output, args.repeats) for task in (FLOOR, *ANCHORS)}
    ratio = found["hour"]["processor_s"] / found[FLOOR]["processor_s"]
    for task, figures in found.items():
        print(f"{task:8}{json.dumps(figures)}")
    print(f"hour / floor: {ratio:.1f} (at most {MOST_RATIO:g})")
    print(
        f"quarter: {found['quarter']['processor_s']} s (at most {MOST_QUARTER_S:g} at 10 M records)"
    )
    print(f"peak: {found['hour']['peak_mib']} MiB (at most {MOST_MIB})")


def _measured(task: str, output: Path, repeats: int) -> dict[str, float]:
    """What a process of its own says: only one that built nothing shows what a task takes."""
    command = [sys.executable, "-m", "tests.bench.feature_windows", "--measure", task]
    command += ["--output", str(output), "--repeats", str(repeats)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


if __name__ == "__main__":
    main()
