"""The deployed job under `spark-submit`, in a Python that lacks what is compiled: which engine builds, and where."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

from ndr_adapters.sagemaker.package import DELTA_BUILDER, build_package
from ndr_adapters.spark.runtime.connector import connector_jars
from tests.e2e.cluster import TWO_EXECUTORS, events_in, events_kept_in, needs_linux, submit
from tests.e2e.deployment import Deployment, stages_of
from tests.e2e.test_production_path import refused_by_policy
from tests.makers import flow, write_batch
from tests.soak import only_in_soak
from tests.stand_in import proxy
from tests.storages.s3_run import publish, rows
from tests.support import upload

WITHOUT_SPARK = True

JOB = "from ndr_entrypoints.run_delta_builder import main\n\nmain()\n"
WHAT_IT_LACKS = "import importlib.util as u; print([n for n in ('attrs', 'polars', 'ndr_core') if u.find_spec(n)])"


def expected(deployment: Deployment) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What Polars builds in this process."""
    target = f"s3://{deployment.bucket}/polars"
    publish(deployment.source, target, spec=deployment.spec)
    return rows(target)


def of_kind(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["Event"] == f"SparkListener{kind}"]


@needs_linux
def test_a_job_too_large_for_one_machine_is_built_by_polars_on_both_executors(
    deployment: Deployment, bundle: Path, spark_home: Path, bare_python: Path, tmp_path: Path
) -> None:
    lines = [
        flow(source_ip=f"10.0.{n % 7}.{n % 200}", destination_ip=f"192.0.2.{n % 90}", source_port=n)
        for n in range(40_000)
    ]
    batch = write_batch(tmp_path / "many", [[*lines[n::8], "bad", lines[n]] for n in range(8)])
    deployment.source = upload(batch, deployment.bucket, "landing/demo/many")
    deployment.change_spec(
        engine={"one_machine_bytes": 0}, quality={"deduplicate_on": ["source_ip", "source_port"]}
    )

    done = submit(
        *(spark_home, bare_python, JOB, *TWO_EXECUTORS, "--files", bundle),
        *events_kept_in(tmp_path / "events"),
        arguments=deployment.arguments(),
    )

    stages = stages_of(done)
    assert stages["start"]["engine"] == "spark"
    assert "packed bytes are more than 0 for one machine" in stages["start"]["because"]
    assert stages["build"]["kept"] == 40_000
    assert rows(deployment.target) == expected(deployment)
    events = list(events_in(tmp_path / "events"))
    tasks = of_kind(events, "TaskEnd")
    assert {task["Task Info"]["Executor ID"] for task in tasks} == {"0", "1"}
    assert all(not task["Task Info"]["Failed"] for task in tasks)
    assert of_kind(events, "SQLExecutionStart") == []
    settings = dict(of_kind(events, "EnvironmentUpdate")[0]["Spark Properties"])
    assert settings["spark.executorEnv.POLARS_MAX_THREADS"] == "1", "as session(python_tasks=True)"
    assert settings["spark.executorEnv.AWS_DEFAULT_REGION"] == "eu-west-1"
    assert not [value for value in settings.values() if "SECRET" in value]


@needs_linux
def test_a_small_job_is_built_by_the_driver_and_spark_is_not_started(
    deployment: Deployment, bundle: Path, spark_home: Path, bare_python: Path, tmp_path: Path
) -> None:
    done = submit(
        *(spark_home, bare_python, JOB, *TWO_EXECUTORS, "--files", bundle),
        *events_kept_in(tmp_path / "events"),
        arguments=deployment.arguments(),
    )

    stages = stages_of(done)
    assert stages["start"]["engine"] == "polars"
    assert "for one machine (by its memory of" in stages["start"]["because"]
    assert rows(deployment.target) == expected(deployment)
    assert list((tmp_path / "events").iterdir()) == [], "no SparkContext"
    assert not (spark_home / "work").exists(), "no executor"
    assert "SparkContext" not in done.stderr


@only_in_soak
def test_the_archive_alone_runs_the_job_by_sql_and_says_what_it_lacks(
    deployment: Deployment, aws: str, spark_home: Path, bare_python: Path, tmp_path: Path
) -> None:
    without_path = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    seen = subprocess.check_output(
        [bare_python, "-c", WHAT_IT_LACKS], cwd=tmp_path, env=without_path, text=True
    )
    assert seen == "[]\n"

    with proxy(aws, lambda _: None) as server:
        done = submit(
            *(
                spark_home,
                bare_python,
                build_package().scripts[DELTA_BUILDER].decode(),
                "--master",
                "local[2]",
            ),
            *("--driver-class-path", ":".join(map(str, connector_jars()))),
            *events_kept_in(tmp_path / "events"),
            arguments=deployment.arguments(),
            AWS_ENDPOINT_URL=server.address,
        )

    stages = stages_of(done)
    assert stages["start"]["engine"] == "spark-sql"
    assert stages["start"]["because"] == (
        "there is no Polars here; `ndr pipeline package` adds its wheels"
    )
    assert rows(deployment.target) == expected(deployment)
    assert len(server.requests) > 30
    assert refused_by_policy(deployment, server.requests) == []
    (environment,) = of_kind(list(events_in(tmp_path / "events")), "EnvironmentUpdate")
    assert "spark.executorEnv.POLARS_MAX_THREADS" not in dict(environment["Spark Properties"])
    with zipfile.ZipFile(tmp_path / "job.zip") as archive:
        assert any(name.endswith("dist-info/METADATA") for name in archive.namelist())
