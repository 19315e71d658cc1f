"""Chains of kernels as jobs of Spark: between two steps, what they make is shuffled as records of a plain RDD."""

from __future__ import annotations

import pickle
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

import polars as pl
from attrs import frozen
from py4j.protocol import Py4JError
from pyspark import RDD, SparkContext
from pyspark.errors import PySparkException
from pyspark.rdd import _load_from_socket
from pyspark.serializers import NoOpSerializer
from pyspark.sql import SparkSession

from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.spark.fanout.blob import Blob
from ndr_adapters.spark.fanout.chain import Chain, Step
from ndr_adapters.spark.fanout.failures import task_failure
from ndr_adapters.spark.fanout.task import StepTask, results_of
from ndr_adapters.spark.fanout.worker import Order, WorkerTask, shuffled
from ndr_adapters.spark.runtime.stoppable import stoppable
from ndr_core.progress import Meter

_LOCAL_FOLDERS: Final = "local folders of the executors (spark.local.dir)"


@frozen
class SparkRunner:
    """Runs chains on Spark. The session is the caller's."""

    session: SparkSession

    @property
    def cores(self) -> int:
        return int(self.session.sparkContext.defaultParallelism)

    def run(self, chain: Chain, meter: Meter) -> Mapping[str, pl.DataFrame]:
        """As `ChainRunner`. A request to stop cancels the chain's tasks."""
        return stoppable(self.session, lambda: self._run(chain, meter))

    def _run(self, chain: Chain, meter: Meter) -> Mapping[str, pl.DataFrame]:
        context = self.session.sparkContext
        local_folder = context.getConf().get("spark.local.dir") or _LOCAL_FOLDERS
        # The driver keeps orders there, too.
        with full_disk_named(local_folder):
            return self._collected(context, local_folder, chain, meter)

    def _collected(
        self, context: SparkContext, local_folder: str, chain: Chain, meter: Meter
    ) -> Mapping[str, pl.DataFrame]:
        read_bytes, read_records = context.accumulator(0), context.accumulator(0)
        threads = int(context.getConf().get("spark.task.cpus") or 1)
        made: RDD[Any] | None = None
        for number, step in enumerate(chain.steps):
            is_last = number == len(chain.steps) - 1
            work = pickle.dumps(StepTask(chain, number))
            received = _received(context, step, made)
            # Spark's pages and its event log show it in place of a line of this file.
            context._jsc.setCallSite(f"ndr: {', '.join(kernel.name for kernel in step.kernels)}")
            made = received.mapPartitionsWithIndex(
                WorkerTask(work, is_last, threads, read_bytes, read_records)
            )
        assert made is not None, "a chain has steps"
        meter.look = lambda: meter.set(read_bytes.value, read_records.value)
        tag = f"ndr-chain-{uuid.uuid4().hex}"
        context.addJobTag(tag)
        try:
            # As `RDD.collect`, which would name the stage by the line that calls it.
            served = context._jvm.PythonRDD.collectAndServe(made._jrdd.rdd())  # type: ignore[union-attr]
            blobs: list[Blob] = list(_load_from_socket(served, made._jrdd_deserializer))
        except (Py4JError, PySparkException) as error:
            raise task_failure(error, chain, _stages(context, tag), local_folder) from error
        finally:
            meter.look = None
            # A call that a signal interrupted may have broken the connection.
            with suppress(Py4JError):
                context.removeJobTag(tag)
                context._jsc.clearCallSite()
        meter.all_read(read_records.value)
        return results_of(blobs)


def _stages(context: SparkContext, tag: str) -> list[int]:
    """The stages of the jobs with a tag, in order."""
    tracker = context._jsc.sc().statusTracker()
    jobs = [tracker.getJobInfo(job) for job in tracker.getJobIdsForTag(tag)]
    return sorted(stage for job in jobs if job.isDefined() for stage in job.get().stageIds())


def _received(context: SparkContext, step: Step, made: RDD[Any] | None) -> RDD[bytes]:
    """What the tasks of a step get, each its own: blobs of the step before, or an order."""
    orders = [pickle.dumps(Order(work)) for work in step.orders]
    if made is None:
        # Without any input, one task finds that there is nothing to do.
        return context.parallelize(orders, max(1, len(orders)))
    made._bypass_serializer = True  # type: ignore[attr-defined]
    records = made._jrdd
    if orders:
        records = records.union(_sent(context, orders, step.shares))
    return _shuffled(context, records, step.tasks)


def _sent(context: SparkContext, orders: Iterable[bytes], first: int) -> Any:
    """Orders for tasks from a first number on, as records of the JVM.

    As `SparkContext.parallelize` does it, without its pickles: tasks of Python would have to undo these.
    """
    jvm: Any = context._jvm
    records = [part for task, order in enumerate(orders, first) for part in shuffled(task, order)]
    return context._serialize_to_jvm(
        records,
        NoOpSerializer(),
        lambda file: jvm.PythonRDD.readRDDFromFile(context._jsc, file, 1),
        lambda: jvm.PythonParallelizeServer(context._jsc.sc(), 1),
    )


def _shuffled(context: SparkContext, records: Any, tasks: int) -> RDD[bytes]:
    """Records of the JVM, each a task's number and then its bytes, as one RDD with a partition for each task.

    As `RDD.partitionBy` does it, without its own batches: it would hold ten of a task's blobs for each share.
    """
    jvm: Any = context._jvm
    pairs = jvm.PairwiseRDD(records.rdd()).asJavaPairRDD()
    by_task = pairs.partitionBy(jvm.PythonPartitioner(tasks, id(_shuffled)))
    return RDD(jvm.PythonRDD.valueOfPair(by_task), context, NoOpSerializer())
