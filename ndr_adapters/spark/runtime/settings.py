"""Settings of Spark sessions on which the plans of the engine rely."""

from __future__ import annotations

from typing import Final

from pyspark.sql import SparkSession

from ndr_adapters.spark.runtime.files import LONGEST_LINE

NAMES_AS_WRITTEN: Final = {
    "spark.sql.variable.substitute": "false",
    "spark.sql.parser.quotedRegexColumnNames": "false",
    "spark.sql.parser.escapedStringLiterals": "false",
}
"""So that SQL text means what it says. A JobSpec names columns and values, and Spark would put the process's
environment into a name such as `${env:AWS_SECRET_ACCESS_KEY}`, or take a name for a pattern.
"""
_SETTINGS: Final = {
    **NAMES_AS_WRITTEN,
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.caseSensitive": "true",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # A longer method is interpreted, never compiled, by the JVM; Spark then splits the work instead.
    "spark.sql.codegen.hugeMethodLimit": "8000",
    # What is grouped by host stays where it is: no broadcast, and no adaptive plan, of which a checkpoint
    # would not know how it is partitioned. The number of partitions is chosen from the input instead.
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.adaptive.enabled": "false",
    # Input of a task that reads: less than Spark's own 128 MiB, with which cores wait for the last task.
    "spark.sql.files.maxPartitionBytes": str(16 << 20),
    "spark.sql.files.openCostInBytes": str(1 << 20),
    # A longer line would fill the heap; `files.py` refuses a file that has one.
    "mapreduce.input.linerecordreader.line.maxlength": str(LONGEST_LINE),
    # Up to so many partitions, rows are written as they come rather than sorted by partition first.
    "spark.sql.maxConcurrentOutputFileWriters": "256",
    # A finished task puts its files in place itself: staging is private, so that no one sees a part of a job,
    # and in S3, where a rename is a copy, it saves one copy of each file.
    "mapreduce.fileoutputcommitter.algorithm.version": "2",
    "mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    # Histograms are collected per host: hash as long as memory allows, not for 128 hosts only.
    "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": "200000",
}


def session_for(session: SparkSession, partitions: int) -> SparkSession:
    """A new session beside the given one, with the settings on which the plans rely."""
    new = session.newSession()
    for key, value in _SETTINGS.items():
        new.conf.set(key, value)
    new.conf.set("spark.sql.shuffle.partitions", str(partitions))
    return new
