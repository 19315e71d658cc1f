"""Starts the engine of SQL text, which needs Spark and nothing compiled beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ndr_adapters.spark.runtime.s3 import hadoop_settings
from ndr_adapters.spark.runtime.session import session
from ndr_adapters.spark.sql.engine import SparkSqlEngine

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def spark_sql_engine(client: S3Client | None) -> SparkSqlEngine:
    """Start Spark, set up for the S3 that the client reaches, or for folders alone."""
    settings = {} if client is None else hadoop_settings(client)
    return SparkSqlEngine(session(s3=client is not None), settings)
