"""One run of the job over S3, as tests of publishing make them: in this process, or in one that can be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_deltas, read_pairs, scan_files
from ndr_core.deltas.engine import Engine
from ndr_core.deltas.job import DeltaBuilderRunner, RunSummary
from ndr_core.deltas.spec import JobSpec
from ndr_core.errors import NdrError
from ndr_core.jobs.ports import QuietLog
from ndr_core.jobs.run import RuntimeParams
from ndr_core.publishing.published import PublishedRuns
from ndr_entrypoints.wiring import Wiring
from tests.makers import make_spec, started, us
from tests.support import objects

TEN = us("2025-03-01T10:00:00Z")
SLICE_US = 900_000_000

SPEC = make_spec(delta={"measures": ["sessions_cnt", "bytes_sent_sum", "peer_ip_nunique"]})
"""Few measures: these tests are about files, and Spark compiles what it is asked for."""

FAST_START = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1"}
"""For a JVM that lives for seconds, which the better of its two compilers would spend in compiling."""

Rows = tuple[list[dict[str, Any]], list[dict[str, Any]]]


def publish(
    source: str,
    target: str,
    *,
    start: int | None = TEN,
    end: int | None = None,
    mini_batch: str = "mb",
    engine: str = "polars",
    spec: JobSpec | None = None,
) -> RunSummary:
    """Run the job in this process."""
    wiring = Wiring.between(source, target)
    if start is not None and end is None:
        end = start + SLICE_US
    return DeltaBuilderRunner(
        spec=spec or SPEC,
        params=RuntimeParams(mini_batch, "run", start, end),
        source=wiring.source,
        start_engine=started(_engine(wiring, engine)),
        sink=wiring.sink,
        log=QuietLog(),
    ).run()


def _engine(wiring: Wiring, name: str) -> Engine:
    if not name.startswith("spark"):
        return wiring.engine(name)
    from ndr_adapters.aws.clients import s3_client
    from ndr_adapters.polars.s3 import polars_options
    from ndr_adapters.spark.fanout.engine import FanoutEngine
    from ndr_adapters.spark.fanout.exchange import SparkRunner
    from ndr_adapters.spark.runtime.s3 import hadoop_settings
    from ndr_adapters.spark.sql.engine import SparkSqlEngine
    from tests.support import spark_session

    if name == "spark":
        return FanoutEngine(SparkRunner(spark_session()), polars_options(s3_client()))
    return SparkSqlEngine(spark_session(), hadoop_settings(s3_client()))


def start_process(source: str, target: str, endpoint: str, engine: str) -> subprocess.Popen[str]:
    """Run the job in a process group of its own, so that all of it can be killed."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.storages.s3_run", source, target, engine],
        cwd=Path(__file__).parents[2],
        env={**os.environ, **FAST_START, "AWS_ENDPOINT_URL": endpoint},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def kill(process: subprocess.Popen[str]) -> None:
    """As `kill -9`, of the process and of what it started."""
    os.killpg(process.pid, signal.SIGKILL)


def rows(target: str) -> Rows:
    """What readers of the library see, in the order of keys."""
    published = open_output(target)
    deltas, pairs = read_deltas(published).collect(), read_pairs(published).collect()
    key = ["slice_start_ts", "role", "host_ip"]
    return (
        deltas.sort(key).to_dicts() if deltas.width else [],
        pairs.sort(*key, "peer_ip", "peer_port").to_dicts(),
    )


def plain_rows(bucket: str, prefix: str) -> int:
    """Rows of the delta table for a reader that knows nothing of manifests."""
    import io

    found = objects(bucket, f"{prefix}/delta/")
    return sum(pl.read_parquet(io.BytesIO(content)).height for content in found.values())


def readable_to_the_last_byte(target: str) -> None:
    """Raises where a live file is missing or not what its manifest says."""
    import hashlib

    published = open_output(target)
    runs = PublishedRuns(published.root, tuple(published.manifests(None, None)))
    bucket, _, prefix = target.removeprefix("s3://").partition("/")
    content = objects(bucket, prefix)
    for table in ("delta", "pair"):
        found = runs.files(table)
        for file in found.files:
            data = content[f"{prefix}/{file.path}"]
            assert hashlib.sha256(data).hexdigest() == file.sha256
            assert len(data) == file.bytes
        if found.files:
            assert scan_files(found).collect().height == sum(file.rows for file in found.files)


def main(source: str, target: str, engine: str) -> None:
    try:
        publish(source, target, engine=engine)
    except NdrError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main(*sys.argv[1:])
