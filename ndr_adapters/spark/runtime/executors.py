"""What executors are given when their tasks run Python that computes by itself: memory outside of the JVM, a region."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from attrs import frozen

from ndr_core.errors import UsageError

if TYPE_CHECKING:
    from pyspark import SparkConf

PYTHON_MIB: Final = 1536
"""Memory of one Python worker. Each core of an executor has one."""
_LEAST_HEAP_MIB: Final = 1024
"""With less, Spark has hardly room for the blocks that pass between tasks."""
_OWN_MIB: Final = 384
_OWN_PART: Final = 10
"""What a JVM takes outside of its heap, as Spark reckons it: a tenth of the heap, and no less than 384 MiB."""

_CONTAINERS: Final = ("yarn", "k8s://")
"""Masters that end an executor which takes more memory than it asked for; others do not look at it."""
_SIZE: Final = re.compile(r"(\d+)([kmgt]?)b?")
_MIB: Final = {"k": 2**-10, "": 1, "m": 1, "g": 2**10, "t": 2**20}

_ENVIRONMENT: Final = (
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
)
"""What boto3 and Polars need to know on executors. Nothing here is secret: Spark logs its settings. Credentials come
from the role of the cluster, whose address in the environment SageMaker's YARN passes on (as AWS_REGION).
"""


@frozen
class ExecutorMemory:
    """Memory of an executor, and how many tasks it runs at a time."""

    cores: int
    heap_mib: int
    overhead_mib: int
    """Outside of the heap: what the JVM takes there, and the Python workers."""

    def settings(self) -> dict[str, str]:
        """As settings of Spark."""
        return {
            "spark.executor.cores": str(self.cores),
            "spark.executor.memory": f"{self.heap_mib}m",
            "spark.executor.memoryOverhead": f"{self.overhead_mib}m",
        }


def with_python_workers(given: ExecutorMemory) -> ExecutorMemory:
    """The same memory in all, divided so that each core has PYTHON_MIB for its Python worker.

    An executor that has enough of it already stays as it is. Where the heap would get less than 1 GiB, fewer cores are
    used. Raises UsageError where there is not enough for one.
    """
    if given.overhead_mib >= given.cores * PYTHON_MIB + _own_mib(given.heap_mib):
        return given
    total = given.heap_mib + given.overhead_mib
    for cores in range(given.cores, 0, -1):
        heap = _heap_of(total - cores * PYTHON_MIB)
        if heap >= _LEAST_HEAP_MIB:
            return ExecutorMemory(cores, heap, total - heap)
    least = PYTHON_MIB + _LEAST_HEAP_MIB + _own_mib(_LEAST_HEAP_MIB)
    raise UsageError(
        f"instance-type: its executors have {total:,} MiB of memory, a job with Polars needs {least:,} MiB at "
        "least; take an instance type with more, or run Spark SQL"
    )


def _own_mib(heap_mib: int) -> int:
    return max(_OWN_MIB, heap_mib // _OWN_PART)


def _heap_of(jvm_mib: int) -> int:
    """The largest heap of a JVM that takes so much in all."""
    return min(jvm_mib - _OWN_MIB, jvm_mib * _OWN_PART // (_OWN_PART + 1))


def executor_settings(conf: SparkConf, environment: Mapping[str, str]) -> dict[str, str]:
    """Settings for a session whose tasks run Python, before it starts: those of executors, and their environment.

    `conf`: the cluster's settings, from the image and the instance type. `environment`: that of the driver. Raises
    UsageError where executors have too little memory.
    """
    region = environment.get("AWS_DEFAULT_REGION") or environment.get("AWS_REGION")
    given = {name: environment.get(name) for name in _ENVIRONMENT} | {"AWS_DEFAULT_REGION": region}
    settings = {
        f"spark.executorEnv.{name}": value for name, value in given.items() if value is not None
    }
    # A worker for each core: threads beyond its own would only wait for those of the others.
    settings["spark.executorEnv.POLARS_MAX_THREADS"] = conf.get("spark.task.cpus", "1")
    if conf.get("spark.master", "").startswith(_CONTAINERS):
        settings |= with_python_workers(_memory_of(conf)).settings()
    return settings


def _memory_of(conf: SparkConf) -> ExecutorMemory:
    """What executors have by the settings, and by Spark's defaults for what these do not say."""
    heap = _mib(conf.get("spark.executor.memory", "1g"))
    overhead = conf.get("spark.executor.memoryOverhead", "")
    return ExecutorMemory(
        cores=int(conf.get("spark.executor.cores", "1")),
        heap_mib=heap,
        overhead_mib=_mib(overhead) if overhead else _own_mib(heap),
    )


def _mib(size: str) -> int:
    """A size as Spark writes memory: 12400m, 4g; MiB where it names no unit."""
    said = _SIZE.fullmatch(size.strip().lower())
    if said is None:
        raise UsageError(f"spark.executor.memory: {size!r} is no size; give one such as 4g")
    return int(int(said[1]) * _MIB[said[2]])
