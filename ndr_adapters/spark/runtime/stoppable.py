"""Work on Spark that a request to stop ends in order."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from pyspark.sql import SparkSession
from pyspark.util import inheritable_thread_target

from ndr_adapters.interruptible import interruptible
from ndr_core.errors import StopRequested

Result = TypeVar("Result")


def stoppable(session: SparkSession, work: Callable[[], Result]) -> Result:
    """Do work on Spark in a thread of its own; gives its result, or raises whatever it raises.

    A request to stop cancels its Spark jobs. In the thread that signals interrupt no call to the JVM may be under
    way: its answer would be taken for that of the next call on the same connection.
    """
    context = session.sparkContext
    tag = f"ndr-{uuid.uuid4().hex}"

    def tagged() -> Result:
        context.addJobTag(tag)
        return work()

    inheriting: Callable[[], Result] = inheritable_thread_target(tagged)
    try:
        return interruptible(inheriting)
    except StopRequested:
        with suppress(Exception):  # the signal may have ended the JVM, too
            context.cancelJobsWithTag(tag)
        raise
