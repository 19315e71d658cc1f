"""Published tables as Spark frames."""

from __future__ import annotations

from datetime import datetime

from pyspark.sql import DataFrame, SparkSession

from ndr_adapters.spark.runtime.paths import as_glob, spark_address
from ndr_adapters.spark.runtime.s3 import hadoop_settings
from ndr_adapters.spark.sql.write import empty_frame
from ndr_core.deltas.tables import DELTA, PAIR
from ndr_core.publishing.location import is_s3
from ndr_core.publishing.published import (
    PublishedFiles,
    PublishedTables,
    SliceRange,
    readable_files,
)


def read_table(
    session: SparkSession,
    published: PublishedTables,
    table: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> DataFrame:
    """The published rows of a table: `ndr_adapters.polars.read_table` as a Spark frame."""
    return scan_files(session, readable_files(published, table, SliceRange(since, until)))


def read_deltas(
    session: SparkSession,
    published: PublishedTables,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> DataFrame:
    """The published delta table, as `read_table` reads it."""
    return read_table(session, published, DELTA, since=since, until=until)


def read_pairs(
    session: SparkSession,
    published: PublishedTables,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> DataFrame:
    """The published pair table, as `read_table` reads it, but never without columns."""
    found = readable_files(published, PAIR.name, SliceRange(since, until))
    return scan_files(session, found) if found.by_run else empty_frame(session, PAIR.columns)


def scan_files(session: SparkSession, found: PublishedFiles) -> DataFrame:
    """Published files of one table, in one scan."""
    new = session.newSession()
    if not found.by_run:
        return empty_frame(new, ())
    root = spark_address(found.root)
    settings = _file_system_settings(found.root) | {
        "spark.sql.session.timeZone": "UTC",
        # Partition keys are text, whatever they look like.
        "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    }
    for key, value in settings.items():
        new.conf.set(key, value)
    # Unknown columns of some files are null there.
    reader = new.read.option("mergeSchema", "true").option("basePath", f"{root}/{found.table}")
    return reader.parquet(*(as_glob(f"{root}/{file.path}") for file in found.files))


def _file_system_settings(root: str) -> dict[str, str]:
    """How Spark reaches an output."""
    if not is_s3(root):
        return {}
    # Only who has an output in S3 needs boto3.
    from ndr_adapters.aws.clients import s3_client

    return hadoop_settings(s3_client())
