"""Wheels that `spark-submit --files` takes along, imported by a driver and by executors that have none installed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.spark.runtime.connector import connector_jars
from ndr_adapters.spark.runtime.s3 import hadoop_settings
from ndr_adapters.wheel_bundle import BUNDLE
from tests.e2e.cluster import TWO_EXECUTORS, needs_linux, submit
from tests.soak import only_in_soak

WITHOUT_SPARK = True

pytestmark = needs_linux

IMPORTS = """
import json, os
from ndr_adapters.spark.runtime.wheels import provide_wheels

def imported(numbers):
    provided = provide_wheels()
    from backports import zstd
    from isal import isal_zlib
    import polars
    total = polars.LazyFrame({"n": list(numbers)}).sum().collect(engine="streaming").item()
    return [(provided, os.getcwd(), polars.__file__, polars.thread_pool_size(), total)]
"""
SAYS_WHAT_DRIVER_AND_TASKS_IMPORTED = f"""
{IMPORTS}
driver = imported([1, 2])
from ndr_adapters.spark.runtime.session import session
context = session(s3=False, python_tasks=True).sparkContext
tasks = context.parallelize(range(8), 4).mapPartitions(imported).collect()
print(json.dumps({{"driver": driver, "tasks": tasks}}))
"""
SAYS_WHAT_THE_DRIVER_IMPORTED = f"{IMPORTS}\nprint(json.dumps(imported([1, 2])))"
SAYS_WHETHER_THERE_ARE_WHEELS = """
import json
from ndr_adapters.spark.runtime.wheels import provide_wheels
print(json.dumps(provide_wheels()))
"""


def said(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@only_in_soak
def test_driver_and_both_executors_import_what_came_as_wheels(
    bundle: Path, spark_home: Path, bare_python: Path
) -> None:
    done = submit(
        *(spark_home, bare_python, SAYS_WHAT_DRIVER_AND_TASKS_IMPORTED),
        *(*TWO_EXECUTORS, "--files", bundle),
    )

    answer = said(done)
    provided, _, place, _, total = answer["driver"][0]
    assert (provided, total) == (True, 3)
    assert {task[0] for task in answer["tasks"]} == {True}
    assert sum(task[4] for task in answer["tasks"]) == sum(range(8))
    assert {Path(task[1]).name for task in answer["tasks"]} == {"0", "1"}, "one for each executor"
    assert {task[2] for task in answer["tasks"]} == {place}, "unpacked once for this machine"
    assert {task[3] for task in answer["tasks"]} == {1}, "threads of a core's worker"
    left = [path.name for path in spark_home.parent.glob("ndr-*/*") if path.is_dir()]
    assert len(left) == 1


def test_a_job_without_wheels_learns_that_there_are_none(
    spark_home: Path, bare_python: Path
) -> None:
    done = submit(spark_home, bare_python, SAYS_WHETHER_THERE_ARE_WHEELS, "--master", "local[1]")

    assert said(done) is False


def test_on_yarn_a_driver_in_client_mode_fetches_them_from_s3(
    bundle: Path, spark_home: Path, bare_python: Path, tmp_path: Path, bucket: str
) -> None:
    """YARN itself does not run: `spark-submit` prepares the job for it, which ends before its SparkContext."""
    client = s3_client()
    client.upload_file(str(bundle), bucket, f"ndr/abc/{BUNDLE}")
    hadoop = hadoop_settings(client).items()

    done = submit(
        *(spark_home, bare_python, SAYS_WHAT_THE_DRIVER_IMPORTED),
        *("--master", "yarn", "--deploy-mode", "client"),
        *("--files", f"s3a://{bucket}/ndr/abc/{BUNDLE}"),
        *("--driver-class-path", ":".join(map(str, connector_jars()))),
        *(part for key, value in hadoop for part in ("--conf", f"spark.hadoop.{key}={value}")),
        HADOOP_CONF_DIR=str(tmp_path),
    )

    provided, _, place, _, total = said(done)[0]
    assert (provided, total) == (True, 3)
    assert place.startswith(str(tmp_path))
