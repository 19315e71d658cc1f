"""What PySpark has no call for: Spark's classes on the JVM, reached through Py4J."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from py4j.protocol import Py4JError
from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from ndr_adapters.interruptible import interruptible


@contextmanager
def activated(session: SparkSession) -> Iterator[None]:
    """Make a session the one by whose settings Spark reads SQL text, whichever session is asked to read it."""
    sessions = jvm_of(session).SparkSession
    before = sessions.getActiveSession()
    sessions.setActiveSession(session._jsparkSession)
    try:
        yield
    finally:
        with suppress(Py4JError):  # a call that a signal interrupted may have broken the connection
            if before.isDefined():
                sessions.setActiveSession(before.get())
            else:
                sessions.clearActiveSession()


def submitted_conf() -> SparkConf | None:
    """The settings with which `spark-submit` started this program, None if it did not; before a SparkContext, too."""
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        return None

    def conf() -> SparkConf:
        SparkContext._ensure_initialized()  # connects to the JVM that started this program
        return SparkConf()

    return interruptible(conf, to_its_end=True)


def jvm_of(session: SparkSession) -> Any:
    """The session's JVM."""
    return session.sparkContext._jvm


def hadoop_configuration(session: SparkSession) -> Any:
    """Hadoop's settings as this session's settings change them."""
    return session._jsparkSession.sessionState().newHadoopConf()


def root_cause(error: Exception) -> str:
    """The innermost message of a Java stack trace, which names what Spark stumbled over."""
    lines = str(error).splitlines() or [type(error).__name__]
    causes = [line for line in lines if line.startswith("Caused by:")]
    return (causes[-1] if causes else lines[0]).removeprefix("Caused by: ")
