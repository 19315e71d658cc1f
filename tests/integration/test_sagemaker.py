"""What is deployed: the pipeline's definition, the state machine run for real, the policies."""

from __future__ import annotations

import io
import json
import time
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import boto3
import pytest

from ndr_adapters.sagemaker.package import build_package
from ndr_adapters.sagemaker.pipeline import (
    RUN_PARAMETERS,
    SDK_CONFIG,
    PipelineSettings,
    build_delta_builder_pipeline,
)
from ndr_core.s3_address import S3Address
from ndr_entrypoints.run_delta_builder import main
from tests.e2e.cli import ndr
from tests.support import objects

DEPLOY = Path(__file__).parents[2] / "deploy"
ROLE = "arn:aws:iam::123456789012:role/ndr-job"
RUN = {
    "project_name": "demo",
    "mini_batch_id": "mb",
    "mini_batch_s3_prefix": "s3://landing/demo/mb",
    "feature_spec_version": "v1",
}


def settings(bucket: str = "code-bucket", **changes: Any) -> PipelineSettings:
    return PipelineSettings("ndr", ROLE, S3Address(bucket, "ndr"), "specs", **changes)


def definition(**changes: Any) -> Any:
    pipeline = build_delta_builder_pipeline(settings(**changes), build_package())
    return json.loads(pipeline.definition())


def filled(name: str, **values: str) -> str:
    """A file of `deploy/` with its placeholders filled."""
    text = (DEPLOY / name).read_text()
    for key, value in values.items():
        text = text.replace("${" + key + "}", value)
    return text


def test_the_pipeline_has_all_parameters_and_defaults_for_those_that_may_be_left_out() -> None:
    parameters = {p["Name"]: p.get("DefaultValue") for p in definition()["Parameters"]}
    assert parameters == {
        "project_name": None,
        "job_name": "delta_builder",
        "mini_batch_id": None,
        "mini_batch_s3_prefix": None,
        "feature_spec_version": None,
        "run_id": None,
        "job_spec_ddb_table_name": "specs",
        "slice_start_ts": "",
        "slice_end_ts": "",
        "instance_type": "ml.m5.xlarge",
        "instance_count": 1,
    }


def test_the_step_runs_the_spark_image_with_the_options_that_the_job_takes() -> None:
    (step,) = definition(max_runtime_seconds=1800)["Steps"]
    assert step["Type"] == "Processing"
    job = step["Arguments"]
    image = job["AppSpecification"]["ImageUri"]
    assert "/sagemaker-spark-processing:3.5-cpu-py312-v" in image
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 1800}
    cluster = job["ProcessingResources"]["ClusterConfig"]
    assert cluster["InstanceType"] == {"Get": "Parameters.instance_type"}
    assert cluster["InstanceCount"] == {"Get": "Parameters.instance_count"}
    given = job["AppSpecification"]["ContainerArguments"]
    assert dict(zip(given[::2], given[1::2], strict=True)) == {
        f"--{name.replace('_', '-')}": {"Get": f"Parameters.{name}"} for name in RUN_PARAMETERS
    }
    assert set(given[::2]) == {
        option for parameter in main.params for option in parameter.opts if option != "--debug"
    } - {"-h", "--help"}


def test_only_what_is_nobodys_fault_is_tried_again() -> None:
    (step,) = definition()["Steps"]
    retried = {kind for policy in step["RetryPolicies"] for kind in policy["ExceptionType"]}
    assert retried == {
        "Step.SERVICE_FAULT",
        "Step.THROTTLING",
        "SageMaker.CAPACITY_ERROR",
        "SageMaker.RESOURCE_LIMIT",
        "SageMaker.JOB_INTERNAL_ERROR",
    }


def test_the_code_lies_at_an_address_of_its_own_content() -> None:
    package = build_package()
    job = definition()["Steps"][0]["Arguments"]
    place = f"s3://code-bucket/ndr/{package.digest}"
    entrypoint = job["AppSpecification"]["ContainerEntrypoint"]
    assert entrypoint[entrypoint.index("--py-files") + 1] == f"{place}/ndr-delta-builder.zip"
    (code,) = [i for i in job["ProcessingInputs"] if i["InputName"] == "code"]
    assert code["S3Input"]["S3Uri"] == f"{place}/run_delta_builder.py"
    assert build_package().archive == package.archive


def test_a_private_network_can_be_given() -> None:
    job = definition(subnets=("subnet-1",), security_group_ids=("sg-1",))["Steps"][0]["Arguments"]
    assert job["NetworkConfig"]["VpcConfig"] == {
        "Subnets": ["subnet-1"],
        "SecurityGroupIds": ["sg-1"],
    }


def test_the_archive_holds_plain_python_and_no_paths_of_this_machine() -> None:
    with zipfile.ZipFile(io.BytesIO(build_package().archive)) as archive:
        names = archive.namelist()
        assert not [name for name in names if name.endswith((".so", ".pyc", "direct_url.json"))]
        assert {
            name.split("/")[0] for name in names if not name.split("/")[0].endswith("info")
        } == {
            *("ndr_core", "ndr_adapters", "ndr_entrypoints", "attr", "attrs", "cattr", "cattrs"),
            *("click", "typing_extensions.py"),
        }
        here = str(Path(__file__).parents[2]).encode()
        assert not [name for name in names if here in archive.read(name)]


def test_definition_and_upsert_of_the_command_line(bucket: str) -> None:
    common = ("--role-arn", ROLE, "--code-prefix", f"s3://{bucket}/ndr", "--name", bucket)
    printed = json.loads(ndr("pipeline", "definition", *common).output)
    assert not objects(bucket)
    for _ in range(2):  # created, then changed
        assert ndr("pipeline", "upsert", *common).exit_code == 0
    digest = build_package().digest
    assert set(objects(bucket)) == {
        f"ndr/{digest}/ndr-delta-builder.zip",
        f"ndr/{digest}/run_delta_builder.py",
    }
    found = boto3.client("sagemaker").describe_pipeline(PipelineName=bucket)
    assert json.loads(found["PipelineDefinition"]) == printed


def test_the_package_command_writes_what_upsert_uploads(tmp_path: Path) -> None:
    assert ndr("pipeline", "package", "--output", tmp_path / "new").exit_code == 0
    package = build_package()
    assert (tmp_path / "new" / "ndr-delta-builder.zip").read_bytes() == package.archive
    assert (tmp_path / "new" / "run_delta_builder.py").read_bytes() == package.script


def test_the_local_pipeline_session_takes_it_as_far_as_docker(
    bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from sagemaker.workflow.pipeline_context import LocalPipelineSession

    monkeypatch.setenv("PATH", str(tmp_path))  # whether or not this machine has Docker
    make_session: Any = LocalPipelineSession
    session = make_session(boto_session=boto3.Session(), default_bucket=bucket, s3_endpoint_url=aws)
    session.sagemaker_config = SDK_CONFIG
    deployed = settings(bucket, instance_type="local")
    pipeline = build_delta_builder_pipeline(deployed, build_package(), session)
    pipeline.create(role_arn=ROLE)
    execution = pipeline.start(parameters={**RUN, "run_id": "run-1"})
    (step,) = execution.list_steps()["PipelineExecutionSteps"]
    assert step["StepName"] == "DeltaBuilder"
    assert "docker" in step["FailureReason"].lower()


def run_state_machine(aws: str, pipeline: str, detail: dict[str, str]) -> dict[str, Any]:
    """Run the shipped state machine on the stand-in, whose pipelines end at once."""
    config = json.dumps({"stepfunctions": {"execute_state_machine": True}}).encode()
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{aws}/moto-api/config", config, headers))
    topic = boto3.client("sns").create_topic(Name="alarms")["TopicArn"]
    text = filled(
        "state-machine.asl.json",
        PipelineName=pipeline,
        JobSpecTable="specs",
        AlarmTopicArn=topic,
    )
    asl = json.loads(text)
    for state in asl["States"].values():  # not so patient as in production
        state.update({"Seconds": 1} if state["Type"] == "Wait" else {})
        for retry in state.get("Retry", ()):
            retry["MaxAttempts"] = 1
            retry["IntervalSeconds"] = 1
    machine = boto3.client("stepfunctions")
    arn = machine.create_state_machine(name=pipeline, definition=json.dumps(asl), roleArn=ROLE)[
        "stateMachineArn"
    ]
    execution = machine.start_execution(
        stateMachineArn=arn, name="run-1", input=json.dumps({"detail": detail})
    )["executionArn"]
    for _ in range(100):
        found = machine.describe_execution(executionArn=execution)
        if found["status"] != "RUNNING":
            return {
                "status": found["status"],
                "error": found.get("error"),
                "states": [
                    event["stateEnteredEventDetails"]["name"]
                    for event in machine.get_execution_history(executionArn=execution)["events"]
                    if "stateEnteredEventDetails" in event
                ],
            }
        time.sleep(0.2)
    raise AssertionError("the state machine does not end")


def test_the_state_machine_starts_the_pipeline_with_what_the_event_says(
    aws: str, bucket: str
) -> None:
    assert (
        ndr(
            *("pipeline", "upsert", "--role-arn", ROLE, "--code-prefix", f"s3://{bucket}/ndr"),
            *("--name", bucket),
        ).exit_code
        == 0
    )
    done = run_state_machine(aws, bucket, RUN)
    assert (done["status"], done["states"][-1]) == ("SUCCEEDED", "Done")
    sagemaker = boto3.client("sagemaker")
    (execution,) = sagemaker.list_pipeline_executions(PipelineName=bucket)[
        "PipelineExecutionSummaries"
    ]
    given = sagemaker.list_pipeline_parameters_for_execution(
        PipelineExecutionArn=execution["PipelineExecutionArn"]
    )["PipelineParameters"]
    assert {parameter["Name"]: parameter["Value"] for parameter in given} == {
        **RUN,
        "job_name": "delta_builder",
        "run_id": "run-1",
        "job_spec_ddb_table_name": "specs",
        "slice_start_ts": "",
        "slice_end_ts": "",
    }


def test_the_state_machine_alarms_when_the_pipeline_can_not_start(aws: str, bucket: str) -> None:
    done = run_state_machine(aws, f"missing-{bucket}", RUN)
    assert done["status"] == "FAILED"
    assert done["error"] == "DeltaBuilderFailed"
    assert done["states"][-2:] == ["Alarm", "Failed"]


POLICY_VALUES = {
    "Region": "eu-west-1",
    "Account": "123456789012",
    "LandingBucket": "landing-bucket",
    "LandingPrefix": "landing/demo",
    "DeltasBucket": "deltas-bucket",
    "DeltasPrefix": "deltas/demo",
    "CodeBucket": "code-bucket",
    "CodePrefix": "ndr",
    "JobSpecTable": "specs",
    "JobRole": "ndr-job",
    "PipelineName": "ndr",
    "AlarmTopicArn": "arn:aws:sns:eu-west-1:123456789012:alarms",
}


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("role", ["job-role", "state-machine-role"])
def test_the_policies_are_valid_and_grant_no_wildcard(role: str) -> None:
    policy = filled(f"iam/{role}.json", **POLICY_VALUES)
    trust = filled(f"iam/{role}-trust.json", **POLICY_VALUES)
    assert "${" not in policy + trust
    iam = boto3.client("iam")
    iam.create_role(RoleName=f"test-{role}", AssumeRolePolicyDocument=trust)
    iam.create_policy(PolicyName=f"test-{role}", PolicyDocument=policy)
    for statement in json.loads(policy)["Statement"]:
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            assert "*" not in action
            needs_it = action in ("ecr:GetAuthorizationToken", "cloudwatch:PutMetricData")
            assert needs_it or statement["Resource"] != "*"
