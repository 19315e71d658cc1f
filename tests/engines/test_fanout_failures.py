"""What Spark says when a chain ends, in words to act on: where it was, what it was, what to set."""

from __future__ import annotations

import pytest

from ndr_adapters.full_disk import FullDiskError
from ndr_adapters.spark.fanout.chain import Chain, Frames, Kernel, Step, Task
from ndr_adapters.spark.fanout.failures import TaskFailedError, task_failure

ADVICE = "raise spark.executor.memoryOverhead, or let fewer run at a time by spark.executor.cores"


def nothing(_task: Task) -> Frames:
    return iter(())


CHAIN = Chain(
    (
        Step((Kernel("unpack", nothing, shares=0),), ("huge",)),
        Step((Kernel("read", nothing, {"lines": ()}, shares=4),), ("a", "b")),
        Step((Kernel("pairs", nothing, shares=3), Kernel("hosts", nothing, shares=3))),
    )
)
STAGES = [7, 8, 9]
LOCAL = "/mnt/spark"


def spark_error(cause: str, *, task: int = 4, stage: int = 9) -> Exception:
    """As Spark aborts a job, with what it says around the cause."""
    return RuntimeError(
        "An error occurred while calling z:org.apache.spark.api.python.PythonRDD.collectAndServe.\n"
        ": org.apache.spark.SparkException: Job aborted due to stage failure: "
        f"Task {task} in stage {stage}.0 failed 4 times, most recent failure: Lost task {task}.3 in stage {stage}.0 "
        f"(TID 31) (10.0.0.5 executor 2): {cause}\n"
        "\nDriver stacktrace:\n"
        "\tat org.apache.spark.scheduler.DAGScheduler.$anonfun$abortStage$3(DAGScheduler.scala:2844)\n"
        "Caused by: java.io.EOFException\n"
    )


def python_error(raised: str) -> str:
    return (
        "org.apache.spark.api.python.PythonException: Traceback (most recent call last):\n"
        '  File "/opt/spark/python/pyspark/worker.py", line 1830, in main\n'
        "    process()\n"
        '  File "/opt/job.zip/ndr_adapters/spark/fanout/task.py", line 80, in __call__\n'
        "    raise\n"
        f"{raised}\n\n"
        "\tat org.apache.spark.api.python.BasePythonRunner$ReaderIterator.handlePythonException(P.scala:561)\n"
    )


@pytest.mark.parametrize(
    ("stage", "task", "place"),
    [
        (7, 0, "order 1 of 1 of unpack"),
        (8, 0, "share 1 of 4 of read"),
        (8, 3, "share 4 of 4 of read"),
        (8, 5, "order 2 of 2 of read"),
        (9, 2, "share 3 of 3 of pairs"),
        (9, 3, "share 1 of 3 of hosts"),
        (99, 3, "task 3"),
    ],
)
def test_which_share_of_which_kernel_it_was_is_said(stage: int, task: int, place: str) -> None:
    error = task_failure(spark_error("boom", task=task, stage=stage), CHAIN, STAGES, LOCAL)

    assert isinstance(error, TaskFailedError)
    assert str(error) == f"spark: {place} failed 4 times: boom"


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (
            "org.apache.spark.SparkException: Python worker exited unexpectedly (crashed)\n"
            "\tat org.apache.spark.api.python.BasePythonRunner$ReaderIterator$$anonfun$1.applyOrElse(P.scala:621)",
            "Python worker exited unexpectedly (crashed)",
        ),
        (python_error("MemoryError: in share 1 of hosts"), "MemoryError: in share 1 of hosts"),
        (
            "ExecutorLostFailure (executor 2 exited caused by one of the running tasks) Reason: Container killed by "
            "YARN for exceeding physical memory limits. 6.1 GB of 6 GB physical memory used. Consider boosting "
            "spark.executor.memoryOverhead.",
            "Container killed by YARN for exceeding physical memory limits",
        ),
        (
            "ExecutorLostFailure (executor 1 exited caused by one of the running tasks) Reason: Command exited "
            "with code 137",
            "Command exited with code 137",
        ),
    ],
)
def test_what_most_often_means_too_little_memory_says_what_to_set(cause: str, said: str) -> None:
    message = str(task_failure(spark_error(cause), CHAIN, STAGES, LOCAL))

    assert message.startswith("spark: share 2 of 3 of hosts failed 4 times: ")
    assert said in message
    assert message.endswith(ADVICE)
    assert "\n" not in message


def test_another_error_of_python_is_its_last_words_and_no_advice_on_memory() -> None:
    cause = python_error("polars.exceptions.ComputeError: the schema does not fit")

    message = str(task_failure(spark_error(cause), CHAIN, STAGES, LOCAL))

    assert message == (
        "spark: share 2 of 3 of hosts failed 4 times: "
        "polars.exceptions.ComputeError: the schema does not fit"
    )


@pytest.mark.parametrize(
    "cause",
    [
        "java.io.IOException: No space left on device",
        python_error("OSError: [Errno 28] No space left on device"),
    ],
)
def test_a_full_disk_is_one_that_needs_room(cause: str) -> None:
    error = task_failure(spark_error(cause), CHAIN, STAGES, LOCAL)

    assert isinstance(error, FullDiskError)
    assert str(error) == (
        "/mnt/spark: can't be written: No space left on device; make room there, then run it again"
    )


def test_what_nothing_is_known_of_is_the_innermost_cause_of_spark() -> None:
    error = RuntimeError(
        "An error occurred while calling o47.collect.\n"
        ": org.apache.spark.SparkException: Job 3 cancelled\n"
        "\tat org.apache.spark.scheduler.DAGScheduler.failJobAndIndependentStages(DAGScheduler.scala:2898)\n"
        "Caused by: java.net.ConnectException: Connection refused\n"
    )

    message = str(task_failure(error, CHAIN, STAGES, LOCAL))

    assert message == "spark: java.net.ConnectException: Connection refused"


def test_a_failure_ends_the_run_as_one_that_failed() -> None:
    assert task_failure(spark_error("boom"), CHAIN, STAGES, LOCAL).exit_code == 1
