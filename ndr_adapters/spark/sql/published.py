"""Published tables as Spark frames, rows as they lie in the files; `spark.fanout.published` merges them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pyspark.sql import DataFrame, SparkSession

from ndr_adapters.aws.places import client_for
from ndr_adapters.spark.runtime.paths import as_glob, spark_address
from ndr_adapters.spark.runtime.s3 import hadoop_settings
from ndr_adapters.spark.sql.write import empty_frame, schema_of
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
    """The published rows of a table as they lie in its files: `ndr_adapters.polars.read_table` as a Spark frame."""
    return scan_files(session, readable_files(published, table, SliceRange(since, until)))


def scan_files(session: SparkSession, found: PublishedFiles) -> DataFrame:
    """Published files of one table, in one scan, in the columns that their manifests name."""
    new = reading_session(session, found.root)
    base = f"{found.root}/{found.table}"
    files = [f"{found.root}/{file.path}" for file in found.files]
    return read_files(new, files, found.columns, base)


def reading_session(session: SparkSession, *places: str) -> SparkSession:
    """Give a session with settings of its own: UTC, and the S3 in which one of these addresses lies."""
    new = session.newSession()
    settings, client = {"spark.sql.session.timeZone": "UTC"}, client_for(*places)
    if client is not None:
        settings |= hadoop_settings(client)
    for key, value in settings.items():
        new.conf.set(key, value)
    return new


def read_files(
    session: SparkSession,
    files: Sequence[str],
    columns: Mapping[str, str],
    base: str | None = None,
) -> DataFrame:
    """Rows of Parquet files in these columns (name -> type), null in a file that lacks one.

    `base`: the folder below which paths spell columns. No file is opened before the frame is read.
    """
    if not files:
        return empty_frame(session, columns)
    reader = session.read.schema(schema_of(columns))
    if base is not None:
        reader = reader.option("basePath", spark_address(base))
    return reader.parquet(*(as_glob(spark_address(file)) for file in files)).select(list(columns))
