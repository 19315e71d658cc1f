"""One run of the job over S3, as tests of publishing make them: in this process, or in one that can be killed."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.outputs import open_output
from ndr_adapters.parquet_files import read_rows
from ndr_adapters.polars.published import read_deltas, read_pairs, scan_files
from ndr_adapters.s3.claims import Claim, ClaimLog, State
from ndr_core.deltas.engine import Engine
from ndr_core.deltas.job import DeltaBuilderRunner, RunSummary
from ndr_core.deltas.spec import JobSpec
from ndr_core.errors import NdrError
from ndr_core.jobs.ports import QuietLog
from ndr_core.jobs.run import RuntimeParams
from ndr_core.publishing.location import S3Address
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.published import PublishedRuns
from ndr_core.publishing.standing import Overrides
from ndr_entrypoints.wiring import Wiring
from tests.makers import flow, make_spec, started, us, write_batch
from tests.support import objects, upload

TEN = us("2025-03-01T10:00:00Z")
SLICE_US = 900_000_000

DELTA = {"measures": ["sessions_cnt", "bytes_sent_sum", "peer_ip_nunique"]}
"""Few measures: these tests are about files, and Spark compiles what it is asked for."""

SPEC = make_spec(delta=DELTA)

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
    overrides: Overrides | None = None,
) -> RunSummary:
    """Run the job in this process."""
    spec = spec or SPEC
    wiring = Wiring.between(source, target, spec.storage.kms_key)
    if start is not None and end is None:
        end = start + SLICE_US
    return DeltaBuilderRunner(
        spec=spec,
        params=RuntimeParams(mini_batch, "run", start, end),
        source=wiring.source,
        start_engine=started(_engine(wiring, engine)),
        sink=wiring.sink,
        log=QuietLog(),
        overrides=overrides or Overrides(),
        read_rows=read_rows,
    ).run()


def _engine(wiring: Wiring, name: str) -> Engine:
    if not name.startswith("spark"):
        return wiring.engine(name)
    from ndr_adapters.polars.s3 import polars_options
    from ndr_adapters.spark.fanout.engine import FanoutEngine
    from ndr_adapters.spark.fanout.exchange import SparkRunner
    from ndr_adapters.spark.runtime.s3 import hadoop_settings
    from ndr_adapters.spark.sql.engine import SparkSqlEngine
    from tests.support import spark_session

    if name == "spark":
        return FanoutEngine(SparkRunner(spark_session()), polars_options(wiring.client))
    assert wiring.client is not None
    return SparkSqlEngine(spark_session(), hadoop_settings(wiring.client))


def batch(tmp_path: Path, bucket: str, name: str = "mb", **changes: object) -> str:
    """A mini-batch of three good records of one pair and a bad one; those of other names are other bytes."""
    lines: list[dict[str, Any] | str] = [*[flow(**changes, batch=name)] * 3, "bad"]
    return upload(write_batch(tmp_path / name, [lines]), bucket, f"in/{name}")


def log_of(target: str) -> ClaimLog:
    return ClaimLog(s3_client(), S3Address.parse(target, "output"))


def claims_of(log: ClaimLog) -> list[Claim]:
    """All claims but odd ones, in the order of publication."""
    found = [claim for claim in log.survey(log.all) if isinstance(claim, Claim)]
    return sorted(found, key=lambda claim: claim.manifest.order)


def claims(target: str) -> list[tuple[State, str]]:
    """State and mini-batch of each claim, in the order of publication."""
    found = claims_of(log_of(target))
    return [(claim.state, claim.manifest.facts.mini_batch_id) for claim in found]


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
    return _sorted(deltas, key), _sorted(pairs, [*key, "peer_ip", "peer_port"])


def _sorted(frame: pl.DataFrame, key: list[str]) -> list[dict[str, Any]]:
    batch = ["mini_batch_id"] if "mini_batch_id" in frame.columns else []
    return frame.sort(*key, *batch).to_dicts() if frame.width else []


def contributions(target: str) -> dict[str, dict[str, bytes]]:
    """The live files of each mini-batch, with their content. Raises where one is not what its manifest says."""
    return {
        manifest.facts.mini_batch_id: content_of(manifest, target)
        for manifest in open_output(target).manifests(None, None)
    }


def content_of(manifest: Manifest, target: str) -> dict[str, bytes]:
    """The files that a manifest names, with their content. Raises where one is not what it says."""
    bucket, _, prefix = target.removeprefix("s3://").partition("/")
    found: dict[str, bytes] = {}
    for file in manifest.files:
        key = f"{prefix}/{file.path}"
        found |= {file.path: objects(bucket, key)[key]}
        assert len(found[file.path]) == file.bytes
        assert hashlib.sha256(found[file.path]).hexdigest() == file.sha256
    return found


def sessions(target: str) -> int:
    """Sessions that readers see, each of its two roles counted once."""
    return sum(row["sessions_cnt"] for row in rows(target)[0] if row["role"] == "outbound")


def plain_sessions(bucket: str, prefix: str) -> int:
    """Sessions that a reader sees which knows nothing of manifests, each of its two roles counted once."""
    found = objects(bucket, f"{prefix}/delta/")
    outbound = [content for key, content in found.items() if "/role=outbound/" in key]
    return sum(
        int(pl.read_parquet(io.BytesIO(content))["sessions_cnt"].sum()) for content in outbound
    )


def plain_rows(bucket: str, prefix: str) -> int:
    """Rows of the delta table for a reader that knows nothing of manifests."""
    found = objects(bucket, f"{prefix}/delta/")
    return sum(pl.read_parquet(io.BytesIO(content)).height for content in found.values())


def readable_to_the_last_byte(target: str) -> None:
    """Raises where a live file is missing or not what its manifest says."""
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
