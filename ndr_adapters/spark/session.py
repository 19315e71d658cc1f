"""Spark sessions for one machine."""

from __future__ import annotations

import os
from pathlib import Path

from pyspark.sql import SparkSession

from ndr_adapters.spark.java import ensure_java


def local_session(cores: int | None = None, driver_memory: str = "4g") -> SparkSession:
    """A Spark session in this process's JVM, or the one that is already there.

    `cores` defaults to all of the machine. No UI, UTC, and as many shuffle partitions as cores to begin with.
    """
    ensure_java()
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    threads = cores or os.cpu_count() or 1
    logging = Path(__file__).with_name("log4j2.properties").as_uri()
    return (
        SparkSession.builder.master(f"local[{threads}]")
        .appName("ndr-delta-builder")
        .config("spark.driver.memory", driver_memory)
        .config("spark.driver.extraJavaOptions", f"-Dlog4j2.configurationFile={logging}")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", str(2 * threads))
        .config("spark.sql.sources.parallelPartitionDiscovery.threshold", "1000")
        .getOrCreate()
    )
