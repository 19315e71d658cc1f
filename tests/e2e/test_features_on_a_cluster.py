"""Feature jobs under `spark-submit`, in a Python that lacks what is compiled: Polars comes with them or is missed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attrs import evolve

from ndr_adapters.sagemaker.package import (
    FG_A_BUILDER,
    FG_B_BUILDER,
    FG_C_BUILDER,
    PAIR_HISTORY,
    build_package,
)
from ndr_core.jobs.choice import EngineSettings
from ndr_core.times import HOUR_US
from tests.e2e.cluster import TWO_EXECUTORS, events_kept_in, needs_linux, submit
from tests.e2e.deployment import stages_of
from tests.e2e.feature_deployment import MIDNIGHT, days, deploy_features, rows, traffic
from tests.e2e.test_deployed_baselines import (
    FIRST,
    TABLES,
    build_here,
    compare_here,
    publish,
    publish_third_day,
)
from tests.e2e.test_production_path import only_error
from tests.soak import only_in_soak

WITHOUT_SPARK = True


def script(name: str) -> str:
    """What `spark-submit` is given."""
    return build_package().scripts[name].decode()


@needs_linux
def test_feature_jobs_compute_by_the_polars_that_came_with_them_and_spark_is_not_started(
    tmp_path: Path, bucket: str, bundle: Path, spark_home: Path, bare_python: Path
) -> None:
    deployed = deploy_features(tmp_path / "deployed", bucket)
    for name, first, hours in (("day", MIDNIGHT - 24 * HOUR_US, 24), ("hour", MIDNIGHT, 1)):
        deployed.publish(name, first, hours, traffic(first, hours))
    (day,) = days("2025-03-01")
    jobs = {
        PAIR_HISTORY: deployed.arguments("pair_history", day="2025-03-01"),
        FG_A_BUILDER: deployed.of_mini_batch("hour"),
    }

    for number, (name, arguments) in enumerate(jobs.items()):
        done = submit(
            *(spark_home, bare_python, script(name), *TWO_EXECUTORS, "--files", bundle),
            *events_kept_in(tmp_path / f"events-{number}"),
            arguments=arguments,
        )
        assert stages_of(done)["start"]["engine"] == "polars"
        assert list((tmp_path / f"events-{number}").iterdir()) == [], "no SparkContext"

    assert rows(deployed.features, "pair_history") == deployed.history_here(day)
    found = [row for table in ("fg_a", "beacon") for row in rows(deployed.features, table)]
    assert found == deployed.windows_here(MIDNIGHT + HOUR_US)


@needs_linux
def test_a_cluster_builds_what_the_spec_says_is_too_much_for_one_machine(
    tmp_path: Path, bucket: str, bundle: Path, spark_home: Path, bare_python: Path
) -> None:
    deployed = deploy_features(tmp_path / "deployed", bucket)
    first = MIDNIGHT - 24 * HOUR_US
    deployed.publish("day", first, 24, traffic(first, 24))
    deployed.put(evolve(deployed.history, engine=EngineSettings(one_machine_bytes=0)))

    done = submit(
        *(spark_home, bare_python, script(PAIR_HISTORY), *TWO_EXECUTORS, "--files", bundle),
        arguments=deployed.arguments("pair_history", day="2025-03-01"),
    )

    assert stages_of(done)["start"]["engine"] == "spark"
    (day,) = days("2025-03-01")
    assert rows(deployed.features, "pair_history") == deployed.history_here(day)


def test_without_its_wheels_a_feature_job_says_what_it_lacks(
    tmp_path: Path, bucket: str, spark_home: Path, bare_python: Path
) -> None:
    deployed = deploy_features(tmp_path / "deployed", bucket)
    deployed.publish("hour", MIDNIGHT, 1, traffic(MIDNIGHT, 1))

    done = submit(
        *(spark_home, bare_python, script(FG_A_BUILDER), "--master", "local[1]"),
        arguments=deployed.of_mini_batch("hour"),
    )

    message = only_error(done, 2)
    assert "there is no Polars here, by which feature jobs compute" in message
    assert rows(deployed.features, "fg_a") == []


@needs_linux
@only_in_soak
def test_a_cluster_makes_baselines_and_compares_windows_with_them(
    tmp_path: Path,
    bucket: str,
    bundle_of: Callable[[str], Path],
    spark_home: Path,
    bare_python: Path,
) -> None:
    deployed = deploy_features(tmp_path / "deployed", bucket, {"w_1h": "1h"})
    publish(deployed, "first", FIRST)
    on_cluster = EngineSettings(one_machine_bytes=0)
    deployed.put(evolve(deployed.baselines, engine=on_cluster))
    deployed.put(evolve(deployed.correlations, engine=on_cluster))

    def run_on_cluster(name: str, arguments: list[str]) -> None:
        done = submit(
            *(spark_home, bare_python, script(name), *TWO_EXECUTORS, "--files", bundle_of(name)),
            arguments=arguments,
        )
        assert stages_of(done)["start"]["engine"] == "spark"

    run_on_cluster(FG_B_BUILDER, deployed.arguments("fg_b", day="2025-03-01"))
    publish_third_day(deployed)
    run_on_cluster(FG_C_BUILDER, deployed.of_mini_batch("third", "fg_c"))

    build_here(deployed)
    compare_here(deployed)
    for table in (*TABLES, "fg_c"):
        found = rows(deployed.features, table)
        assert found == rows(deployed.features_here, table)
        assert found, table


@needs_linux
@only_in_soak
def test_a_job_that_makes_baselines_says_that_it_was_given_the_wheels_of_another(
    tmp_path: Path, bucket: str, bundle: Path, spark_home: Path, bare_python: Path
) -> None:
    deployed = deploy_features(tmp_path / "deployed", bucket, {"w_1h": "1h"})

    done = submit(
        *(spark_home, bare_python, script(FG_B_BUILDER), "--master", "local[1]"),
        *("--files", bundle),
        arguments=deployed.arguments("fg_b", day="2025-03-01"),
    )

    assert "has no llvmlite, numba, numpy; package and deploy the job again" in only_error(done, 1)
