"""What Spark has read of a batch, by Spark's own books."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from ndr_core.progress import Meter


@contextmanager
def reading_metered(session: SparkSession, meter: Meter) -> Iterator[None]:
    """Have the meter count the input of the Spark jobs that run in the block; all of it is read at the end."""
    context = session.sparkContext
    tag = f"ndr-read-{uuid.uuid4().hex}"

    def look() -> None:
        with suppress(Py4JError):  # Spark forgets old stages; the count stays what it was
            meter.set(*_input_of(session, tag))

    context.addJobTag(tag)
    meter.look = look
    try:
        yield
    finally:
        meter.look = None
        with suppress(Py4JError):
            context.removeJobTag(tag)
    look()
    meter.all_read()


def _input_of(session: SparkSession, tag: str) -> tuple[int, int]:
    """Bytes and records that the jobs of a tag have read.

    Executors tell it with their heartbeats; in a local session it is known of tasks that have ended only.
    """
    spark = session.sparkContext._jsc.sc()
    tracker, store = spark.statusTracker(), spark.statusStore()
    jobs = [tracker.getJobInfo(job) for job in tracker.getJobIdsForTag(tag)]
    stages = [
        store.lastStageAttempt(stage)
        for job in jobs
        if job.isDefined()
        for stage in job.get().stageIds()
    ]
    return sum(s.inputBytes() for s in stages), sum(s.inputRecords() for s in stages)
