"""Memory of executors whose tasks run Python: as SageMaker's image sets it, and as a job divides it."""

from __future__ import annotations

import pytest
from pyspark import SparkConf

from ndr_adapters.spark.runtime.executors import (
    PYTHON_MIB,
    ExecutorMemory,
    executor_settings,
    with_python_workers,
)
from ndr_core.errors import UsageError


def of_the_image(instance_mib: int, cores: int) -> ExecutorMemory:
    """What SageMaker's Spark image gives the one executor of an instance."""
    usable = int(instance_mib * 0.97) - 2048 - 204
    heap = int(usable / 1.1)
    return ExecutorMemory(cores, heap, heap // 10)


GIB = 1024
INSTANCES = {
    "ml.m5.xlarge": of_the_image(16 * GIB, 4),
    "ml.m5.4xlarge": of_the_image(64 * GIB, 16),
    "ml.m5.24xlarge": of_the_image(384 * GIB, 96),
    "ml.r5.xlarge": of_the_image(32 * GIB, 4),
    "ml.c5.2xlarge": of_the_image(16 * GIB, 8),
    "ml.c5.xlarge": of_the_image(8 * GIB, 4),
}


@pytest.mark.parametrize("given", INSTANCES.values(), ids=INSTANCES)
def test_each_core_gets_memory_for_its_python_and_the_whole_stays_the_same(
    given: ExecutorMemory,
) -> None:
    made = with_python_workers(given)
    assert made.heap_mib + made.overhead_mib == given.heap_mib + given.overhead_mib
    assert made.overhead_mib >= made.cores * PYTHON_MIB + max(384, made.heap_mib // 10)
    assert made.heap_mib >= 1024
    jvm = made.heap_mib + max(384, made.heap_mib // 10)
    spare = made.heap_mib + made.overhead_mib - made.cores * PYTHON_MIB - jvm
    assert spare <= 1, "what Python does not need is the JVM's"


def test_cores_are_left_idle_only_where_memory_is_scarce() -> None:
    cores = {name: with_python_workers(given).cores for name, given in INSTANCES.items()}
    assert cores == {
        "ml.m5.xlarge": 4,
        "ml.m5.4xlarge": 16,
        "ml.m5.24xlarge": 96,
        "ml.r5.xlarge": 4,
        "ml.c5.2xlarge": 7,
        "ml.c5.xlarge": 2,
    }


def test_the_usual_instance_is_divided_by_halves() -> None:
    assert with_python_workers(INSTANCES["ml.m5.xlarge"]) == ExecutorMemory(4, 6812, 6826)


def test_who_has_set_enough_keeps_it() -> None:
    given = ExecutorMemory(cores=4, heap_mib=4096, overhead_mib=4 * PYTHON_MIB + 409)
    assert with_python_workers(given) is given


def test_an_instance_that_is_too_small_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match=r"instance-type: .* 1,7\d\d MiB .* 2,944 MiB at least"):
        with_python_workers(of_the_image(4 * GIB, 2))


def conf(**settings: str) -> SparkConf:
    made = SparkConf(loadDefaults=False)
    for key, value in settings.items():
        made.set(f"spark.{key.replace('_', '.')}", value)
    return made


def test_settings_divide_what_the_image_has_set() -> None:
    image = {"executor_memory": "12400m", "executor_memoryOverhead": "1240m", "executor_cores": "4"}
    assert executor_settings(conf(master="yarn", **image), {}) == {
        "spark.executor.cores": "4",
        "spark.executor.memory": "6814m",
        "spark.executor.memoryOverhead": "6826m",
        "spark.executorEnv.POLARS_MAX_THREADS": "1",
    }


@pytest.mark.parametrize("size", ["8g", "8G", "8gb", "8192m", "8192", "8388608k"])
def test_sizes_are_read_as_spark_writes_them(size: str) -> None:
    made = executor_settings(conf(master="yarn", executor_memory=size), {})
    assert made["spark.executor.memory"] == "6795m"
    assert made["spark.executor.memoryOverhead"] == "2216m"


def test_a_size_that_is_none_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match=r"spark\.executor\.memory: 'much' is no size"):
        executor_settings(conf(master="yarn", executor_memory="much"), {})


def test_where_nobody_watches_an_executors_memory_its_heap_stays() -> None:
    made = executor_settings(conf(master="local-cluster[2,1,1024]", executor_memory="1g"), {})
    assert made == {"spark.executorEnv.POLARS_MAX_THREADS": "1"}


def test_executors_learn_region_and_endpoint_and_no_secret() -> None:
    driver = {
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:5000",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "secret",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/secret",
    }
    assert executor_settings(conf(master="local"), driver) == {
        "spark.executorEnv.AWS_DEFAULT_REGION": "eu-west-1",
        "spark.executorEnv.AWS_ENDPOINT_URL": "http://127.0.0.1:5000",
        "spark.executorEnv.POLARS_MAX_THREADS": "1",
    }
    named = executor_settings(conf(), driver | {"AWS_DEFAULT_REGION": "eu-central-1"})
    assert named["spark.executorEnv.AWS_DEFAULT_REGION"] == "eu-central-1"
