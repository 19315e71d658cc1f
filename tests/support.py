"""What tests with engines and storages share: staged outputs as plain rows, one Spark session, objects in S3."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from pyspark.sql import SparkSession

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.local.source import FolderSource
from ndr_adapters.parquet_files import read_rows
from ndr_adapters.polars.engine import PolarsEngine
from ndr_core.deltas.engine import Engine
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.deltas.reference import Tables, tables_of
from ndr_core.flows.first_look import first_look
from ndr_core.flows.formats import FileFormat
from ndr_core.flows.line_blocks import lines_of
from ndr_core.flows.records import records_of
from ndr_core.flows.source import InputBatch
from ndr_core.quality.quarantine import Quarantined
from ndr_core.quality.report import make_report
from ndr_core.tables.merge import Row
from ndr_core.times import to_us


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
    from ndr_adapters.spark.fanout.engine import FanoutEngine
    from ndr_adapters.spark.fanout.exchange import SparkRunner

    return FanoutEngine(SparkRunner(spark_session()))


def spark_sql_engine() -> Engine:
    from ndr_adapters.spark.sql.engine import SparkSqlEngine

    return SparkSqlEngine(spark_session())


ENGINES: dict[str, Callable[[], Engine]] = {
    "polars": PolarsEngine,
    "spark": spark_engine,
    "spark-sql": spark_sql_engine,
}


def run_engine(engine: Engine, plan: DeltaPlan, folder: Path, staging: Path) -> Tables:
    """Build the mini-batch in `folder` and read back what was staged."""
    source = FolderSource(folder)
    files = source.files(print)
    is_parquet = plan.input.format is FileFormat.PARQUET
    reader = source.pieces if is_parquet else source.blocks
    blocks = (block for file in files for block in source.blocks(file))
    is_json = plan.input.format is FileFormat.JSON
    orders = first_look(lines_of(blocks), plan.input).key_orders if is_json else ()
    result = engine.build(
        plan, InputBatch(files, reader, orders, source.heads(files)), str(staging)
    )
    report = make_report(
        plan.reject_rules,
        result.kept,
        result.rejected,
        result.marked,
        result.blank_lines,
        {},
        result.skipped,
        result.examples,
        result.unknown,
    )
    return Tables(
        deltas=staged_rows(staging / "delta", [column.name for column in plan.delta.columns]),
        pairs=staged_rows(staging / "pair"),
        quarantine=staged_quarantine(staging / "quarantine"),
        report=report,
    )


def run_reference(plan: DeltaPlan, folder: Path) -> Tables:
    source = FolderSource(folder)
    reader = source.pieces if plan.input.format is FileFormat.PARQUET else source.blocks
    records = (
        record
        for file in source.files(print)
        for record in records_of(reader(file), plan.input, read_rows)
    )
    return tables_of(records, plan)


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
