"""What `deploy/template.yaml` makes for the day: the state machine run for real, its schedule, their roles."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from tests.e2e.cli import ndr
from tests.storages.test_deploy import (
    MACHINE,
    ROLE,
    allowed,
    executions,
    run_state_machine,
)
from tests.storages.wheels import PackageIndex
from tests.template import properties, statements

WITHOUT_SPARK = True

DAILY = "DailyStateMachine"
DAY = {"project_name": "demo", "feature_spec_version": "v1"}
PIPELINE = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/ndr"


@pytest.fixture
def pipelines(bucket: str, index: PackageIndex) -> str:  # noqa: ARG001 - the wheels come from it
    """Both pipelines deployed, by the name of the first."""
    where = ("--role-arn", ROLE, "--code-prefix", f"s3://{bucket}/ndr", "--name", bucket)
    assert ndr("pipeline", "upsert", *where).exit_code == 0
    return bucket


def scheduled_input(moment: str) -> dict[str, Any]:
    """What the schedule sends at a moment: AWS puts that in place of the keyword."""
    target = properties("Daily")["Target"]
    found: dict[str, Any] = json.loads(
        target["Input"].replace("<aws.scheduler.scheduled-time>", moment)
    )
    return found


def given_to(pipeline: str) -> dict[str, str]:
    """The parameters of a pipeline's only execution."""
    (execution,) = executions(pipeline)
    answer = boto3.client("sagemaker").list_pipeline_parameters_for_execution(
        PipelineExecutionArn=execution
    )
    return {each["Name"]: each["Value"] for each in answer["PipelineParameters"]}


def test_the_schedule_starts_the_daily_pipeline_with_its_moment(aws: str, pipelines: str) -> None:
    done = run_state_machine(aws, pipelines, scheduled_input("2025-03-02T02:00:00Z"), DAILY)

    assert (done["status"], done["states"][-1]) == ("SUCCEEDED", "Done")
    assert given_to(f"{pipelines}-daily") == {
        **DAY,
        "run_id": "run-1",
        "job_spec_ddb_table_name": "specs",
        "day": "",
        "scheduled_ts": "2025-03-02T02:00:00Z",
    }
    assert executions(pipelines) == []


def test_a_day_can_be_named_by_hand(aws: str, pipelines: str) -> None:
    event = {"detail": {**DAY, "day": "2025-03-01"}}

    done = run_state_machine(aws, pipelines, event, DAILY)

    assert done["status"] == "SUCCEEDED"
    given = given_to(f"{pipelines}-daily")
    assert (given["day"], given["scheduled_ts"]) == ("2025-03-01", "")


def test_a_day_whose_pipeline_can_not_start_fails_and_says_why(aws: str, bucket: str) -> None:
    done = run_state_machine(aws, f"missing-{bucket}", {"detail": DAY}, DAILY)

    assert (done["status"], done["error"]) == ("FAILED", "DailyFeaturesFailed")
    assert done["states"][-1] == "NotStarted"
    assert f"missing-{bucket}-daily" in done["cause"]


def test_an_event_without_a_project_starts_no_day(aws: str, pipelines: str) -> None:
    done = run_state_machine(aws, pipelines, {"detail": {"day": "2025-03-01"}}, DAILY)

    assert done["status"] == "FAILED"
    assert executions(f"{pipelines}-daily") == []


@pytest.mark.usefixtures("aws")
def test_the_scheduler_takes_the_target() -> None:
    scheduler = boto3.client("scheduler")
    shipped = properties("Daily")
    target = shipped["Target"]

    scheduler.create_schedule(**shipped)

    found = scheduler.get_schedule(Name="ndr-daily")["Target"]
    assert found["Arn"] == f"{MACHINE}-daily"
    assert found["Input"] == target["Input"]


def test_the_schedule_may_start_the_daily_state_machine_and_nothing_else() -> None:
    policy = statements("ScheduleRole")

    target = properties("Daily")["Target"]
    assert allowed(policy, "states:StartExecution", target["Arn"])
    assert not allowed(policy, "states:StartExecution", MACHINE)
    assert target["RoleArn"] == "arn:aws:iam::123456789012:role/ndr-schedule"


@pytest.mark.parametrize(
    ("pipeline", "may"), [("ndr", True), ("ndr-daily", True), ("ndr-2", False)]
)
def test_the_state_machines_may_start_and_follow_their_two_pipelines(
    pipeline: str, may: bool
) -> None:
    policy = statements("StateMachineRole")
    arn = PIPELINE.replace("pipeline/ndr", f"pipeline/{pipeline}")

    assert allowed(policy, "sagemaker:StartPipelineExecution", arn) is may
    assert allowed(policy, "sagemaker:DescribePipelineExecution", f"{arn}/execution/1") is may
