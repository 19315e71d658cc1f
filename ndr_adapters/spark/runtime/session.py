"""Spark sessions for one machine."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import Final

from pyspark.sql import SparkSession

from ndr_adapters.interruptible import interruptible
from ndr_adapters.scratch import scratch_for_life
from ndr_adapters.spark.runtime.connector import connector_jars
from ndr_adapters.spark.runtime.executors import executor_settings
from ndr_adapters.spark.runtime.internals import submitted_conf
from ndr_adapters.spark.runtime.java import ensure_java
from ndr_adapters.spark.runtime.settings import NAMES_AS_WRITTEN

_CREDENTIALS: Final = "com.amazonaws.auth.DefaultAWSCredentialsProviderChain"
"""Environment, profile, role: where boto3 looks, too."""


def session(*, s3: bool, python_tasks: bool = False) -> SparkSession:
    """The session of the cluster that `spark-submit` started this program on, else a local one.

    `python_tasks`: executors of the cluster leave memory outside of the JVM to Python. Raises UsageError where they
    have too little.
    """
    conf = submitted_conf()
    if conf is not None:
        # What is checkpointed lies on the executors, none of which may be given back.
        settings: dict[str, bool | float | int | str | None] = {
            **NAMES_AS_WRITTEN,
            "spark.sql.session.timeZone": "UTC",
            "spark.ui.enabled": "false",
            "spark.dynamicAllocation.enabled": "false",
            **(executor_settings(conf, os.environ) if python_tasks else {}),
        }
        return _started(SparkSession.builder.config(map=settings))
    return local_session(s3=s3, python_tasks=python_tasks)


def local_session(
    cores: int | None = None,
    driver_memory: str = "4g",
    *,
    s3: bool = False,
    python_tasks: bool = False,
) -> SparkSession:
    """A Spark session in this process's JVM, or the one that is already there.

    `cores` defaults to all of the machine. No UI, UTC, and as many shuffle partitions as cores to begin with.
    `s3`: with the connector for `s3a://`; raises UsageError where that has not been fetched.
    `python_tasks`: Python does the work of the tasks, and the JVM little.
    """
    ensure_java(lambda notice: print(notice, file=sys.stderr))
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    # Else Spark's Python workers are whatever `python3` is on the path.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    threads = cores or os.cpu_count() or 1
    logging = Path(__file__).with_name("log4j2.properties").as_uri()
    # A batch wants throughput: the collector that pauses all threads took a fifth less time than the default.
    jvm = f"-XX:+UseParallelGC -Dlog4j2.configurationFile={logging}"
    if python_tasks:
        # Code that the JVM runs for seconds is not worth the second, slow compiler (docs/performance.md).
        jvm += " -XX:TieredStopAtLevel=1"
    builder = (
        SparkSession.builder.master(f"local[{threads}]")
        .appName("ndr-delta-builder")
        .config("spark.driver.memory", driver_memory)
        .config("spark.driver.extraJavaOptions", jvm)
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config(map=dict(NAMES_AS_WRITTEN))
        .config("spark.local.dir", _local_dir())
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
    return _started(builder)


@cache
def _local_dir() -> str:
    """Where Spark keeps shuffled records: as long as this process lives, and no longer."""
    return str(scratch_for_life())


def _started(builder: SparkSession.Builder) -> SparkSession:
    """The builder's session. A request to stop waits until Spark has started.

    A JVM that is given up while it starts waits forever for a Python that is gone. In a thread of its own Spark
    does not take over Ctrl-C either, as it does in the main thread.
    """
    return interruptible(builder.getOrCreate, to_its_end=True)
