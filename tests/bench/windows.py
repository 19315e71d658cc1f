"""Windows of merged slices: `python -m tests.bench.windows`: seconds, processor seconds and peak memory, all measures.

A batch of an hour is built into an output; a process of its own merges its slices to one window, again and again.
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
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from ndr_adapters.local.sink import FolderSink
from ndr_adapters.local.source import FolderSource
from ndr_adapters.outputs import open_output
from ndr_adapters.polars.engine import PolarsEngine
from ndr_adapters.polars.windows import merge_windows
from ndr_adapters.synthetic.batch import SyntheticBatch
from ndr_adapters.synthetic.write import write_synthetic
from ndr_core.deltas.job import DeltaBuilderRunner
from ndr_core.jobs.ports import QuietLog
from ndr_core.jobs.run import RuntimeParams
from ndr_core.times import to_us
from tests.makers import make_spec, started

START: Final = datetime(2025, 3, 1, 10, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)


def build(records: int, hosts: int, batches: int, output: Path) -> None:
    """Build an output of four slices, with the records shared among so many batches."""
    for number in range(batches):
        with tempfile.TemporaryDirectory() as folder:
            batch = SyntheticBatch(
                records // batches, number, to_us(START), to_us(START + HOUR), hosts
            )
            write_synthetic(batch, Path(folder), 8, lambda _: None)
            DeltaBuilderRunner(
                spec=make_spec(),
                params=RuntimeParams(f"mb-{number}", "run"),
                source=FolderSource(Path(folder)),
                start_engine=started(PolarsEngine()),
                sink=FolderSink(output),
                log=QuietLog(),
            ).run()


def measure(output: Path, repeats: int) -> None:
    """Merge to windows once to warm up, then again and again; prints figures as JSON."""
    walls, processors = [], []
    rows = 0
    for _ in range(repeats + 1):
        begin, used = time.perf_counter(), time.process_time()
        rows = merge_windows(open_output(output), START, START + HOUR).collect().height
        walls.append(time.perf_counter() - begin)
        processors.append(time.process_time() - used)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {
        "rows": rows,
        "wall_s": round(statistics.median(walls[1:]), 2),
        "processor_s": round(statistics.median(processors[1:]), 2),
        "peak_mib": round(peak),
    }
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--hosts", type=int, default=50_000)
    parser.add_argument("--batches", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--output", type=Path, help="keep the output here, and use it if it is there"
    )
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(args.measure, args.repeats)
        return
    with tempfile.TemporaryDirectory() as folder:
        output = args.output or Path(folder) / "out"
        if not output.exists():
            build(args.records, args.hosts, args.batches, output)
        command = [sys.executable, "-m", "tests.bench.windows", "--measure", str(output)]
        # Only a process that built nothing shows what merging takes.
        subprocess.run([*command, "--repeats", str(args.repeats)], check=True)


if __name__ == "__main__":
    main()
