"""Baselines and correlations as the pipelines run them: the same rows as on this machine, and what they say."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import evolve

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.outputs import open_output
from ndr_core.features.days import read_of
from ndr_core.times import DAY_US, HOUR_US
from ndr_core.windows.calendar import Calendar
from tests.e2e.deployment import said, stages_of
from tests.e2e.feature_deployment import (
    MIDNIGHT,
    FeatureDeployment,
    days,
    deploy_features,
    rows,
    run_job,
    traffic,
)
from tests.e2e.test_deployed_features import counted, table_rows
from tests.e2e.test_production_path import only_error, refused_by_policy, unused_of_policy
from tests.planted_secrets import objects_with_secrets
from tests.soak import only_in_soak
from tests.stand_in import proxy
from tests.support import objects

WITHOUT_SPARK = True

HOURS: Final = 3
"""Of each day of which there are records."""
FIRST: Final = MIDNIGHT - DAY_US
"""2025-03-01."""
TABLES: Final = ("summary", "summary_rows", "baseline", "baseline_rows")


@pytest.fixture
def deployed(tmp_path: Path, bucket: str) -> FeatureDeployment:
    """The windows of the first hours of 2025-03-01 are built: the summary and the baselines of gap 1 are of them."""
    found = deploy_features(tmp_path, bucket, {"w_1h": "1h"})
    publish(found, "first", FIRST)
    return found


def publish(deployed: FeatureDeployment, name: str, first: int) -> None:
    """Publish the deltas of some hours, and build their windows by the job."""
    deployed.publish(name, first, HOURS, traffic(first, HOURS))
    done = run_job("run_fg_a_builder", *deployed.of_mini_batch(name))
    assert counted(done)["Publications"] == HOURS


def publish_third_day(deployed: FeatureDeployment) -> None:
    """Publish the first hours of 2025-03-03, with the history that their windows need."""
    history = deployed.arguments("pair_history", day="2025-03-02")
    assert run_job("run_pair_history", *history).returncode == 0
    publish(deployed, "third", MIDNIGHT + DAY_US)


def sum_up(
    deployed: FeatureDeployment, day: str = "2025-03-01"
) -> subprocess.CompletedProcess[str]:
    """Run the daily job of a local date."""
    return run_job("run_fg_b_builder", *deployed.arguments("fg_b", day=day))


def compare(deployed: FeatureDeployment, batch: str) -> subprocess.CompletedProcess[str]:
    """Run the FG-C job after a mini-batch."""
    return run_job("run_fg_c_builder", *deployed.of_mini_batch(batch, "fg_c"))


def build_here(deployed: FeatureDeployment) -> None:
    """Do the same on this machine, by the reference: both days, and what is made of the first one."""
    first, second, third = days("2025-03-01", "2025-03-02", "2025-03-03")
    for hour in range(1, HOURS + 1):
        deployed.windows_here(FIRST + hour * HOUR_US)
    deployed.summary_here(first)
    deployed.baselines_here(second)
    deployed.baselines_here(third)


def compare_here(deployed: FeatureDeployment) -> None:
    """Build and compare the windows of 2025-03-03 likewise."""
    (second,) = days("2025-03-02")
    deployed.history_here(second)
    for hour in range(1, HOURS + 1):
        end = MIDNIGHT + DAY_US + hour * HOUR_US
        deployed.windows_here(end)
        deployed.correlations_here(end)


def dates_of(deployed: FeatureDeployment, table: str) -> set[str]:
    """The local dates of which a table has rows."""
    return {row["dt"] for row in rows(deployed.features, table)}


def baselines_read(deployed: FeatureDeployment) -> set[str]:
    """The digests of the baselines with which windows were compared."""
    runs = open_output(deployed.features).manifests(None, None)
    return {
        one.digest
        for run in runs
        if run.facts.job_name == "fg_c"
        for one in read_of(run).contributions
        if one.job_name == "fg_b"
    }


def test_a_local_date_is_summed_up_and_baselines_made_as_on_this_machine(
    deployed: FeatureDeployment,
) -> None:
    scheduled = deployed.arguments("fg_b", day="", scheduled_ts="2025-03-02T02:00:00Z")

    done = run_job("run_fg_b_builder", *scheduled)

    build_here(deployed)
    for table in TABLES:
        found = rows(deployed.features, table)
        assert found == rows(deployed.features_here, table)
        assert found, table
    assert dates_of(deployed, "summary") == {"2025-03-01"}
    assert dates_of(deployed, "baseline") == {"2025-03-03"}, "no date before it is in the others"
    assert counted(done)["Publications"] == 3
    assert table_rows(done) == {table: len(rows(deployed.features, table)) for table in TABLES}
    assert stages_of(done)["start"]["engine"] == "polars"


def test_baselines_are_made_a_day_ahead_and_each_once(deployed: FeatureDeployment) -> None:
    assert counted(sum_up(deployed))["Publications"] == 3

    again = sum_up(deployed)

    assert counted(again)["Publications"] == 2, "the summary, and the baselines of 2025-03-03"


def test_the_schedule_names_the_local_date_that_has_ended(deployed: FeatureDeployment) -> None:
    there = Calendar(zone="America/Los_Angeles")
    deployed.put(evolve(deployed.baselines, calendar=there))
    scheduled = deployed.arguments("fg_b", day="", scheduled_ts="2025-03-02T02:00:00Z")

    message = only_error(run_job("run_fg_b_builder", *scheduled), 2)

    assert "calendar" in message, "it reads the windows of 2025-02-28 there, of another calendar"


def test_windows_are_compared_after_their_mini_batch_as_on_this_machine(
    deployed: FeatureDeployment,
) -> None:
    assert sum_up(deployed).returncode == 0
    publish_third_day(deployed)

    done = compare(deployed, "third")

    build_here(deployed)
    compare_here(deployed)
    found = rows(deployed.features, "fg_c")
    assert found == rows(deployed.features_here, "fg_c")
    assert {row["hh"] for row in found} == {"01", "02", "03"}
    assert {row["horizon"] for row in found} == {"7d", "30d"}
    assert counted(done)["Publications"] == HOURS
    assert table_rows(done) == {"fg_c": len(found)}
    assert counted(compare(deployed, "third"))["Publications"] == 0, "all is compared"


def test_before_there_can_be_baselines_windows_are_compared_with_none(
    deployed: FeatureDeployment,
) -> None:
    done = compare(deployed, "first")

    assert counted(done)["Publications"] == HOURS
    found = rows(deployed.features, "fg_c")
    assert found
    assert {row["sessions_cnt_z"] for row in found} == {None}
    assert {row["is_partial"] for row in found} == {0}


def test_nothing_to_compare_is_no_failure_and_is_told(deployed: FeatureDeployment) -> None:
    first = MIDNIGHT + HOUR_US
    deployed.publish("unbuilt", first, 1, traffic(first, 1))

    done = compare(deployed, "unbuilt")

    assert counted(done)["Publications"] == 0
    (told,) = [line for line in said(done) if "no correlations are due" in str(line.get("message"))]
    assert told["level"] == "INFO"
    assert (told["mini_batch_id"], told["delta_job_name"]) == ("unbuilt", "delta_builder")
    assert rows(deployed.features, "fg_c") == []


@only_in_soak
def test_missing_baselines_fail_the_run_and_name_the_date_and_the_renewal_makes_good(
    deployed: FeatureDeployment,
) -> None:
    assert compare(deployed, "first").returncode == 0
    publish_third_day(deployed)

    message = only_error(compare(deployed, "third"), 1)

    assert "there are no baselines of 2025-03-03" in message
    assert dates_of(deployed, "fg_c") == {"2025-03-01"}
    assert sum_up(deployed).returncode == 0
    renewal = run_job("run_stale_renewal", *deployed.arguments("fg_c", day="2025-03-03"))
    assert counted(renewal)["NotRenewed"] == 0
    found = [row for row in rows(deployed.features, "fg_c") if row["dt"] == "2025-03-03"]
    assert {row["hh"] for row in found} == {"01", "02", "03"}


def test_a_date_without_windows_fails_the_run_but_its_baselines_are_made(
    deployed: FeatureDeployment,
) -> None:
    assert sum_up(deployed).returncode == 0

    done = sum_up(deployed, "2025-03-02")

    message = only_error(done, 1)
    assert "2025-03-02: there are no windows of this date" in message
    (told,) = [line for line in said(done) if "published before" in str(line.get("message"))]
    assert told["message"].endswith("they stay: baseline-2025-03-04")
    assert dates_of(deployed, "baseline") == {"2025-03-03", "2025-03-04"}


@only_in_soak
def test_late_records_are_in_all_that_is_made_of_them_after_the_renewal(
    deployed: FeatureDeployment,
) -> None:
    assert sum_up(deployed).returncode == 0
    publish_third_day(deployed)
    assert compare(deployed, "third").returncode == 0
    before = {table: rows(deployed.features, table) for table in ("summary", "baseline")}
    compared_with = baselines_read(deployed)
    deployed.publish("late", FIRST + HOUR_US, 1, traffic(FIRST + HOUR_US, 1))

    renewal = deployed.arguments("fg_c", day="2025-03-03")
    done = run_job("run_stale_renewal", *renewal)

    assert counted(done)["NotRenewed"] == 0
    build_here(deployed)
    for table in TABLES:
        found = rows(deployed.features, table)
        assert found == rows(deployed.features_here, table)
        assert table not in before or found != before[table]
    assert len(baselines_read(deployed)) == len(compared_with) == 1
    assert baselines_read(deployed) != compared_with
    assert counted(run_job("run_stale_renewal", *renewal))["Publications"] == 0


def test_what_is_wrong_is_one_clear_line_and_exit_code_2(deployed: FeatureDeployment) -> None:
    other_kind = deployed.arguments("fg_c", day="2025-03-01")
    message = only_error(run_job("run_fg_b_builder", *other_kind), 2)
    assert "is the JobSpec of another kind of job: kind is fg_c, expected fg_b" in message
    renewal = deployed.arguments("fg_a", day="2025-03-01")
    message = only_error(run_job("run_stale_renewal", *renewal), 2)
    assert "kind is fg_a, expected fg_c" in message
    deployed.put(
        evolve(deployed.correlations, inputs=evolve(deployed.correlations.inputs, fg_a_job="gone"))
    )
    assert "has no JobSpec for" in only_error(compare(deployed, "first"), 2)


def test_the_jobs_policy_covers_all_that_these_jobs_ask_of_s3_and_dynamodb(
    deployed: FeatureDeployment, aws: str
) -> None:
    names = f"s3://{deployed.bucket}/landing/demo/names.csv"
    s3_client().put_object(
        Bucket=deployed.bucket,
        Key="landing/demo/names.csv",
        Body=b"ip,name,valid_from,valid_to\n10.0.0.1,wifi-1,2025-01-01T00:00:00Z,\n",
    )
    table = evolve(deployed.baselines.names, table=names, non_persistent_prefixes=("wifi-",))
    deployed.put(evolve(deployed.baselines, names=table))
    jobs: dict[str, Any] = {
        "run_fg_b_builder": deployed.arguments("fg_b", day="2025-03-01"),
        "run_fg_c_builder": deployed.of_mini_batch("first", "fg_c"),
        "run_stale_renewal": deployed.arguments("fg_c", day="2025-03-02"),
    }

    with proxy(aws, lambda _: None) as server:
        for name, arguments in jobs.items():
            done = run_job(name, *arguments, AWS_ENDPOINT_URL=server.address)
            assert done.returncode == 0, done.stdout + done.stderr

    asked = [request for request in server.requests if request.path.endswith("names.csv")]
    assert asked, "the table of names is read"
    assert refused_by_policy(deployed, server.requests) == []
    assert unused_of_policy(deployed, server.requests) == {"s3:AbortMultipartUpload"}
    assert objects_with_secrets(objects(deployed.bucket, "deltas/")) == []
