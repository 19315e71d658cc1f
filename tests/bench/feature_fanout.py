"""Features by Polars and by Spark: `python -m tests.bench.feature_fanout`: seconds, processor seconds, peak memory.

A day of records and a quarter as many of the day before are built into an output. Then each engine builds the history
of the day, and the windows that end with it, each by a command of its own. Spark may take one and a half times the
processor seconds of Polars, and 8 more to start.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from ndr_adapters.local.sink import FolderSink
from ndr_adapters.local.source import FolderSource
from ndr_adapters.polars.engine import PolarsEngine
from ndr_adapters.synthetic.batch import SyntheticBatch
from ndr_adapters.synthetic.write import write_synthetic
from ndr_core.deltas.job import DeltaBuilderRunner
from ndr_core.jobs.ports import QuietLog
from ndr_core.jobs.run import RuntimeParams
from ndr_core.times import DAY_US, HOUR_US, iso_text
from tests.bench.memory import children_keep_freed_memory
from tests.makers import make_spec, started, us

START: Final = us("2025-03-01T00:00:00Z")
END: Final = START + DAY_US
HOURS_AT_ONCE: Final = 4
MOST_TIMES: Final = 1.5
MOST_TO_START: Final = 8.0
SPECS: Final = {
    "history": {"kind": "pair_history", "project_name": "test"},
    "windows": {"kind": "fg_a", "project_name": "test"},
}
WHAT: Final = {"history": ("--day", "2025-03-01"), "windows": ("--end", iso_text(END))}


def build(records: int, hosts: int, output: Path) -> None:
    """Build the deltas of the day, and of the day before."""
    step = HOURS_AT_ONCE * HOUR_US
    for number, start in enumerate(range(START - DAY_US, END, step)):
        of_day = records if start >= START else records // 4
        with tempfile.TemporaryDirectory() as folder:
            batch = SyntheticBatch(of_day * HOURS_AT_ONCE // 24, number, start, start + step, hosts)
            write_synthetic(batch, Path(folder), 8, lambda _: None)
            DeltaBuilderRunner(
                spec=make_spec(),
                params=RuntimeParams(f"mb-{number}", "run", start, start + step),
                source=FolderSource(Path(folder)),
                start_engine=started(PolarsEngine()),
                sink=FolderSink(output),
                log=QuietLog(),
            ).run()


def features(output: Path, target: Path, what: str, engine: str, *options: str) -> list[str]:
    """The command that builds features."""
    spec = output.parent / f"{what}.json"
    spec.write_text(json.dumps(SPECS[what]))
    places = ("--spec", spec, "-o", output, "--features", target, "--engine", engine)
    command = (sys.executable, "-m", "ndr_entrypoints", "features", "run", *places, *options)
    return [*map(str, command), "--quiet"]


def measured(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.processes", *command],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    taken: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert taken["exit_code"] == 0, command
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--hosts", type=int, default=10_000)
    args = parser.parse_args()
    children_keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out"
        build(args.records, args.hosts, output)
        used: dict[tuple[str, str], float] = {}
        for engine in ("polars", "spark"):
            target = Path(folder) / engine
            first = features(output, target, "history", "polars", "--day", "2025-02-28")
            subprocess.run(first, check=True)
            for what, options in WHAT.items():
                taken = measured(features(output, target, what, engine, *options))
                used[engine, what] = taken["processor"]
                print(json.dumps({"engine": engine, "what": what, **taken}), flush=True)
        for what in WHAT:
            most = MOST_TIMES * used["polars", what] + MOST_TO_START
            print(
                json.dumps(
                    {
                        "what": what,
                        "spark_processor_s": round(used["spark", what], 1),
                        "at_most": round(most, 1),
                    }
                )
            )


if __name__ == "__main__":
    main()
