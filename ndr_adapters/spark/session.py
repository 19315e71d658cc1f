"""Spark sessions for one machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Final

from pyspark.sql import SparkSession

from ndr_adapters.spark.connector import connector_jars
from ndr_adapters.spark.java import ensure_java

_CREDENTIALS: Final = "com.amazonaws.auth.DefaultAWSCredentialsProviderChain"
"""Environment, profile, role: where boto3 looks, too."""


def session(*, s3: bool) -> SparkSession:
    """The session of the cluster that `spark-submit` started this program on, else a local one."""
    if "PYSPARK_GATEWAY_PORT" in os.environ:
        # What is checkpointed lies on the executors, none of which may be given back.
        settings: dict[str, bool | float | int | str | None] = {
            "spark.sql.session.timeZone": "UTC",
            "spark.ui.enabled": "false",
            "spark.dynamicAllocation.enabled": "false",
        }
        return SparkSession.builder.config(map=settings).getOrCreate()
    return local_session(s3=s3)


def local_session(
    cores: int | None = None, driver_memory: str = "4g", *, s3: bool = False
) -> SparkSession:
    """A Spark session in this process's JVM, or the one that is already there.

    `cores` defaults to all of the machine. No UI, UTC, and as many shuffle partitions as cores to begin with.
    `s3`: with the connector for `s3a://`; raises UsageError where that has not been fetched.
    """
    ensure_java(lambda notice: print(notice, file=sys.stderr))
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    threads = cores or os.cpu_count() or 1
    logging = Path(__file__).with_name("log4j2.properties").as_uri()
    # A batch wants throughput: the collector that pauses all threads took a fifth less time than the default.
    jvm = f"-XX:+UseParallelGC -Dlog4j2.configurationFile={logging}"
    builder = (
        SparkSession.builder.master(f"local[{threads}]")
        .appName("ndr-delta-builder")
        .config("spark.driver.memory", driver_memory)
        .config("spark.driver.extraJavaOptions", jvm)
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", str(2 * threads))
        .config("spark.sql.sources.parallelPartitionDiscovery.threshold", "1000")
    )
    if s3:
        # On the class path, not in spark.jars, which copies 280 MB at each start.
        builder = builder.config(
            "spark.driver.extraClassPath", ":".join(map(str, connector_jars()))
        )
        builder = builder.config("spark.hadoop.fs.s3a.aws.credentials.provider", _CREDENTIALS)
    return builder.getOrCreate()


def jvm_of(session: SparkSession) -> Any:
    """The session's JVM, for what PySpark has no call for."""
    return session.sparkContext._jvm
