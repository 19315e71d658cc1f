"""Published tables as Spark frames."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from ndr_adapters.published import SliceRange, readable
from ndr_adapters.spark.runtime.paths import as_glob, spark_address
from ndr_adapters.spark.sql.write import empty_frame
from ndr_core.deltas.tables import DELTA, PAIR
from ndr_core.tables.columns import OutputColumn


def read_deltas(
    session: SparkSession,
    output: Path | str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> DataFrame:
    """The published delta table of an output: `ndr_adapters.polars.read_deltas` as a Spark frame."""
    return _read(session, output, DELTA, SliceRange(since, until), ())


def read_pairs(
    session: SparkSession,
    output: Path | str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> DataFrame:
    """The published pair table of an output: `ndr_adapters.polars.read_pairs` as a Spark frame."""
    return _read(session, output, PAIR.name, SliceRange(since, until), PAIR.columns)


def _read(
    session: SparkSession,
    output: Path | str,
    table: str,
    slices: SliceRange,
    without_rows: Sequence[OutputColumn],
) -> DataFrame:
    found = readable(output, [table], slices)
    root = spark_address(found.root)
    paths = [as_glob(f"{root}/{file.path}") for file in found.files(table)]
    own = session.newSession()
    for key, value in found.hadoop_settings.items():
        own.conf.set(key, value)
    own.conf.set("spark.sql.session.timeZone", "UTC")
    # Partition keys are text, whatever they look like.
    own.conf.set("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
    if not paths:
        return empty_frame(own, without_rows)
    # Unknown columns of some files are null there.
    reader = own.read.option("mergeSchema", "true").option("basePath", f"{root}/{table}")
    return reader.parquet(*paths)
