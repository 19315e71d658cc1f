"""What tests of several kinds share: staged outputs as plain rows, one Spark session, small batches."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from attrs import frozen
from pyspark.sql import SparkSession

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.local.source import FolderSource
from ndr_adapters.polars.engine import PolarsEngine
from ndr_core.deltas.engine import Engine
from ndr_core.deltas.plan import DeltaPlan, compile_plan
from ndr_core.deltas.reference import Tables, build_tables
from ndr_core.deltas.spec import JobSpec
from ndr_core.deltas.spec_reader import parse_job_spec
from ndr_core.errors import OverflowingColumnError
from ndr_core.flows.first_look import first_look
from ndr_core.flows.line_blocks import lines_of
from ndr_core.flows.source import InputBatch
from ndr_core.jobs.run import RuntimeParams
from ndr_core.quality.quarantine import Quarantined
from ndr_core.quality.report import make_report
from ndr_core.tables.merge import Row
from ndr_core.times import parse_bound, to_us


def us(text: str) -> int:
    """Microseconds since 1970 of an ISO-8601 time."""
    return parse_bound(text, "time")


def make_spec(preset: str = "paloalto", **parts: Any) -> JobSpec:
    return parse_job_spec({"project_name": "test", "input": {"preset": preset}} | parts)


def make_plan(spec: JobSpec | None = None, bounds: tuple[str, str] | None = None) -> DeltaPlan:
    start, end = (us(bounds[0]), us(bounds[1])) if bounds else (None, None)
    return compile_plan(spec or make_spec(), RuntimeParams("mb-1", "run-1", start, end))


def flow(**changes: Any) -> dict[str, Any]:
    """A Palo Alto record; a change to None makes a null."""
    return {
        "source_ip": "10.0.0.1",
        "destination_ip": "192.0.2.7",
        "source_port": 50000,
        "destination_port": 443,
        "source_bytes": 100,
        "destination_bytes": 1000,
        "event_start": "2025-03-01T10:00:00Z",
        "event_end": "2025-03-01T10:00:02Z",
        "event_action": "allow",
        "event_reason": "tcp-fin",
        "event_name": "TRAFFIC",
        "network_transport": "TCP",
    } | changes


def write_batch(folder: Path, files: Sequence[Iterable[bytes | str | dict[str, Any]]]) -> Path:
    """A mini-batch of gzip files from lines given as bytes, text or records."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, lines in enumerate(files):
        with gzip.open(folder / f"part-{number:03}.json.gz", "wb", compresslevel=1) as stream:
            for line in lines:
                if isinstance(line, dict):
                    line = json.dumps(line)
                stream.write((line.encode() if isinstance(line, str) else line) + b"\n")
    return folder


def upload(folder: Path, bucket: str, prefix: str) -> str:
    """Copy the files of a folder to a prefix; gives its address."""
    client = s3_client()
    for path in folder.rglob("*"):
        if path.is_file():
            key = f"{prefix}/{path.relative_to(folder)}"
            client.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
    return f"s3://{bucket}/{prefix}"


def objects(bucket: str, prefix: str = "") -> dict[str, bytes]:
    """Every object below a prefix, with its content."""
    client = s3_client()
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
    return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


@cache
def spark_session() -> SparkSession:
    """The one Spark session that all tests share."""
    from ndr_adapters.spark.runtime.session import local_session

    return local_session(2, s3=True)


def spark_engine() -> Engine:
    from ndr_adapters.spark.sql.engine import SparkEngine

    return SparkEngine(spark_session())


ENGINES: dict[str, Callable[[], Engine]] = {"polars": PolarsEngine, "spark": spark_engine}


def run_engine(engine: Engine, plan: DeltaPlan, folder: Path, staging: Path) -> Tables:
    """Build the mini-batch in `folder` and read back what was staged."""
    source = FolderSource(folder)
    files = source.files(print)
    orders = first_look(lines_of(block for file in files for block in source.blocks(file)), {})
    result = engine.build(
        plan, InputBatch(files, source.blocks, orders, source.heads(files)), str(staging)
    )
    report = make_report(
        plan.reject_rules,
        result.kept,
        result.rejected,
        result.repaired,
        result.blank_lines,
        {},
    )
    return Tables(
        deltas=staged_rows(staging / "delta", [column.name for column in plan.delta.columns]),
        pairs=staged_rows(staging / "pair"),
        quarantine=staged_quarantine(staging / "quarantine"),
        report=report,
    )


def run_reference(plan: DeltaPlan, folder: Path) -> Tables:
    source = FolderSource(folder)
    blocks = (block for file in source.files(print) for block in source.blocks(file))
    return build_tables(lines_of(blocks), plan)


Outcome = Tables | OverflowingColumnError


def outcome_of(run: Callable[[], Tables]) -> Outcome:
    """What a run makes; an overflowing sum is an outcome like others."""
    try:
        return run()
    except OverflowingColumnError as error:
        return error


def staged_rows(folder: Path, columns: Sequence[str] | None = None) -> list[Row]:
    """Rows of a partitioned table as the reference gives them."""
    frames = [_with_partitions(path, folder) for path in folder.rglob("*.parquet")]
    rows = [
        {name: _plain(value) for name, value in row.items()}
        for frame in frames
        for row in frame.iter_rows(named=True)
    ]
    if columns is not None:
        assert all(list(row) == list(columns) for row in rows), "columns and their order"
    return sorted(rows, key=_row_key)


def _with_partitions(path: Path, root: Path) -> pl.DataFrame:
    keys = dict(part.split("=", 1) for part in path.parent.relative_to(root).parts)
    return pl.read_parquet(path, hive_partitioning=False).with_columns(
        pl.lit(value).alias(key) for key, value in keys.items()
    )


def _row_key(row: Row) -> tuple[Any, ...]:
    port = row.get("peer_port")
    return (
        row["slice_start_ts"],
        row["role"],
        row["host_ip"],
        row.get("peer_ip", ""),
        port is not None,
        port or 0,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_us(value)
    if isinstance(value, list):
        return tuple((cell["bucket"], cell["count"]) for cell in value)
    return value


def staged_quarantine(folder: Path) -> list[Quarantined]:
    return [Quarantined(**row) for path in folder.glob("*.gz") for row in _json_lines(path)]


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rb") as stream:
        for line in stream:
            yield json.loads(line)


@frozen
class Difference:
    table: str
    ours: Any
    theirs: Any


def differences(expected: Tables, actual: Tables) -> list[Difference]:
    """Every place at which two outputs are not exactly equal; empty when they are."""
    found = []
    if expected.report != actual.report:
        found.append(Difference("report", expected.report, actual.report))
    for name in ("deltas", "pairs"):
        ours, theirs = getattr(expected, name), getattr(actual, name)
        if len(ours) != len(theirs):
            found.append(Difference(f"{name} rows", len(ours), len(theirs)))
        for one, other in zip(ours, theirs, strict=False):
            found += [
                Difference(f"{name}.{key}", value, other[key])
                for key, value in one.items()
                if not _same(value, other[key])
            ]
    quarantines = [sorted(map(repr, tables.quarantine)) for tables in (expected, actual)]
    if quarantines[0] != quarantines[1]:
        only = [sorted(set(a) - set(b)) for a, b in (quarantines, quarantines[::-1])]
        found.append(Difference("quarantine", only[0], only[1]))
    return found


def _same(one: Any, other: Any) -> bool:
    """Equal in value and type, floats to the last bit."""
    return type(one) is type(other) and repr(one) == repr(other)
