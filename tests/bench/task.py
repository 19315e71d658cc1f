"""One task of a benchmark, in a process of its own: prints the seconds of each repeat as JSON."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ndr_core import JobSpec, RuntimeParams, parse_job_spec
from ndr_core.build import DeltaBuilderRunner
from ndr_core.flow import FLOW_FIELDS, FieldKind
from ndr_entrypoints.places import Places
from ndr_entrypoints.run_log import QuietLog

START_US, END_US = 1_740_823_200_000_000, 1_740_824_100_000_000
INTEGERS = [field.name for field in FLOW_FIELDS if field.kind is FieldKind.INTEGER]


def parse_with_polars(batch: Path) -> Callable[[], object]:
    """Decode every field of every line, by Polars' own reader."""
    import polars as pl

    schema = {f.name: pl.Int64 if f.name in INTEGERS else pl.String for f in FLOW_FIELDS}
    scanned = pl.scan_ndjson(sorted(batch.glob("*.gz")), schema=schema)
    return lambda: scanned.select(pl.all().count()).collect(engine="streaming")


def parse_with_spark(batch: Path) -> Callable[[], object]:
    """Decode every field of every line, by Spark's own reader."""
    from ndr_adapters.spark import local_session

    session = local_session()
    schema = ", ".join(
        f"{f.name} {'bigint' if f.name in INTEGERS else 'string'}" for f in FLOW_FIELDS
    )
    counts = [f"count({field.name})" for field in FLOW_FIELDS]
    return lambda: session.read.schema(schema).json(str(batch)).selectExpr(*counts).collect()


def whole_job(engine_name: str, batch: Path) -> Callable[[], object]:
    """Read, judge, build and publish to a folder that is thrown away."""
    spec: JobSpec = parse_job_spec({"project_name": "bench", "input": {"preset": "paloalto"}})

    def job() -> object:
        with tempfile.TemporaryDirectory() as output:
            places = Places.of(str(batch), output)
            return DeltaBuilderRunner(
                spec=spec,
                params=RuntimeParams("bench", "bench", START_US, END_US),
                source=places.source,
                engine=lambda: places.engine(engine_name),
                sink=places.sink,
                log=QuietLog(),
            ).run()

    return job


def main(engine: str, task: str, batch: str, repeats: str) -> None:
    folder = Path(batch)
    if task == "whole job":
        work = whole_job(engine, folder)
    else:
        work = {"polars": parse_with_polars, "spark": parse_with_spark}[engine](folder)
    work()
    seconds = []
    for _ in range(int(repeats)):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
