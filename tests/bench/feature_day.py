"""The windows of a day: `python -m tests.bench.feature_day`: 96 runs, one a quarter of an hour, against one backfill.

Two days of batches, a quarter of an hour each, are built into an output, and the history of the first. Then the windows
of the second day are built, each time into an output of features of their own, by processes of `ndr features`: 96 of
them, and one. Both give the same rows; what they take is told in processor seconds.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Final

from tests.bench.feature_windows import BATCHES, MIDNIGHT, SLICE, START, build
from tests.bench.memory import children_keep_freed_memory

MOST_RATIO: Final = 1.3
"""How many times the processor seconds of the backfill the single runs may take."""
MOST_ONLINE_S: Final = 1000.0
"""Processor seconds that the single runs of a day of 10 M records may take."""


def ndr(*options: object) -> None:
    """Run a command of `ndr features` as a process."""
    command = [sys.executable, "-m", "ndr_entrypoints", "features", *map(str, options), "--quiet"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def processor() -> float:
    """Give the processor seconds that processes have taken by now."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000, help="of a day")
    parser.add_argument("--hosts", type=int, default=5_000)
    parser.add_argument("--peers", type=int, default=20_000)
    args = parser.parse_args()
    children_keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        output, spec = Path(folder) / "out", Path(folder) / "windows.json"
        spec.write_text(json.dumps({"kind": "fg_a", "project_name": "test"}))
        build(args.records, args.hosts, args.peers, output, days=2)
        history, online, at_once = (Path(folder) / name for name in ("history", "online", "once"))
        places = ("--spec", spec, "-o", output, "--features")
        ndr("run", "--job", "history", "--day", f"{START:%Y-%m-%d}", *places, history)
        for features in (online, at_once):
            shutil.copytree(history, features)
        began = processor()
        for number in range(1, BATCHES + 1):
            ndr("run", "--end", (MIDNIGHT + number * SLICE).isoformat(), *places, online)
        single = processor() - began
        began = processor()
        end = MIDNIGHT + timedelta(days=1)
        ndr("backfill", "--from", MIDNIGHT.isoformat(), "--to", end.isoformat(), *places, at_once)
        backfill = processor() - began
    print(f"96 runs: {single:.1f} s (at most {MOST_ONLINE_S:g} at 10 M records a day)")
    print(f"backfill: {backfill:.1f} s; ratio {single / backfill:.2f} (at most {MOST_RATIO:g})")


if __name__ == "__main__":
    main()
