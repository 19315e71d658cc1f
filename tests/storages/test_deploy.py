"""What lies in `deploy/`: the state machine run for real, its alarm, the policies."""

from __future__ import annotations

import fnmatch
import json
import re
import time
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.sagemaker.exceptions import ResourceNotFound
from moto.sagemaker.models import SageMakerModelBackend

from ndr_adapters.dynamodb.job_specs import PARTITION_KEY
from tests.e2e.cli import ndr

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TEMPLATES = sorted(str(path.relative_to(DEPLOY)) for path in DEPLOY.rglob("*.json"))
ROLE = "arn:aws:iam::123456789012:role/ndr-job"
RUN = {
    "project_name": "demo",
    "mini_batch_id": "mb",
    "mini_batch_s3_prefix": "s3://landing/demo/mb",
    "feature_spec_version": "v1",
}
POLICY_VALUES = {
    "Region": "eu-west-1",
    "Account": "123456789012",
    "ProjectName": "demo",
    "LandingBucket": "landing-bucket",
    "LandingPrefix": "landing/demo",
    "DeltasBucket": "deltas-bucket",
    "DeltasPrefix": "deltas/demo",
    "FeaturesPrefix": "deltas/demo/features",
    "FeatureSpecVersion": "v1",
    "CodeBucket": "code-bucket",
    "CodePrefix": "ndr",
    "JobSpecTable": "specs",
    "JobRole": "ndr-job",
    "PipelineName": "ndr",
    "AlarmTopicArn": "arn:aws:sns:eu-west-1:123456789012:alarms",
    "Subnet": "subnet-1",
    "SecurityGroup": "sg-1",
    "LandingKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/landing",
    "DeltasKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/deltas",
    "VolumeKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/volume",
}
CAN_NOT_BE_RESTRICTED = {
    "cloudwatch:PutMetricData",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ecr:GetAuthorizationToken",
}
"""Actions for which AWS knows no resource, or may be asked without one."""


def filled(name: str, **values: str) -> str:
    """A file of `deploy/` with its placeholders filled."""
    text = (DEPLOY / name).read_text()
    for key, value in values.items():
        text = text.replace("${" + key + "}", value)
    return text


def several(value: str | list[str]) -> list[str]:
    """One or many, as a list."""
    return [value] if isinstance(value, str) else value


def statements(name: str, **changes: str) -> list[dict[str, Any]]:
    """What a policy of `deploy/iam` allows, with the usual values and these."""
    found: list[dict[str, Any]] = json.loads(filled(name, **(POLICY_VALUES | changes)))["Statement"]
    return found


def allowed(
    policy: list[dict[str, Any]], action: str, resource: str, **context: str | list[str]
) -> bool:
    """Whether a policy allows this. `context`: keys that conditions ask for, a `__` for each colon."""
    given = {key.replace("__", ":"): several(value) for key, value in context.items()}
    return any(
        statement["Effect"] == "Allow"
        and action in several(statement["Action"])
        and any(
            fnmatch.fnmatchcase(resource, pattern) for pattern in several(statement["Resource"])
        )
        and all(
            _holds(operator, given.get(key), several(wanted))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
        for statement in policy
    )


def _holds(operator: str, given: list[str] | None, wanted: list[str]) -> bool:
    if operator == "Null":
        return wanted == ["true" if given is None else "false"]
    if given is None:
        return False
    if operator in ("StringEquals", "ForAllValues:StringEquals", "ArnEquals", "Bool"):
        return all(value in wanted for value in given)
    assert operator == "StringLike", operator
    return all(any(fnmatch.fnmatchcase(value, pattern) for pattern in wanted) for value in given)


@pytest.fixture
def pipeline(bucket: str) -> str:
    """A deployed pipeline, by its name."""
    where = ("--role-arn", ROLE, "--code-prefix", f"s3://{bucket}/ndr", "--name", bucket)
    without = ("--without-wheels", "--without-features")
    assert ndr("pipeline", "upsert", *where, *without).exit_code == 0
    return bucket


def run_state_machine(
    aws: str, pipeline: str, event: dict[str, Any], file: str = "state-machine.asl.json"
) -> dict[str, Any]:
    """Run a shipped state machine on the stand-in, whose pipelines end at once."""
    config = json.dumps({"stepfunctions": {"execute_state_machine": True}}).encode()
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{aws}/moto-api/config", config, headers))
    asl = json.loads(filled(file, **(POLICY_VALUES | {"PipelineName": pipeline})))
    for state in asl["States"].values():  # not so patient as in production
        state.update({"Seconds": 1} if state["Type"] == "Wait" else {})
        for retry in state.get("Retry", ()):
            retry["MaxAttempts"] = 1
            retry["IntervalSeconds"] = 1
    machine = boto3.client("stepfunctions")
    name = pipeline + ("-daily" if file.startswith("daily") else "")
    arn = machine.create_state_machine(name=name, definition=json.dumps(asl), roleArn=ROLE)[
        "stateMachineArn"
    ]
    execution = machine.start_execution(stateMachineArn=arn, name="run-1", input=json.dumps(event))[
        "executionArn"
    ]
    for _ in range(100):
        found = machine.describe_execution(executionArn=execution)
        if found["status"] != "RUNNING":
            return {
                "machine": arn,
                "status": found["status"],
                "error": found.get("error"),
                "cause": found.get("cause"),
                "states": [
                    event["stateEnteredEventDetails"]["name"]
                    for event in machine.get_execution_history(executionArn=execution)["events"]
                    if "stateEnteredEventDetails" in event
                ],
            }
        time.sleep(0.2)
    raise AssertionError("the state machine does not end")


def executions(pipeline: str) -> list[str]:
    """The executions of a pipeline."""
    found = boto3.client("sagemaker").list_pipeline_executions(PipelineName=pipeline)
    return [item["PipelineExecutionArn"] for item in found["PipelineExecutionSummaries"]]


def test_the_state_machine_starts_the_pipeline_with_what_the_event_says(
    aws: str, pipeline: str
) -> None:
    done = run_state_machine(aws, pipeline, {"detail": RUN})
    assert (done["status"], done["states"][-1]) == ("SUCCEEDED", "Done")
    (execution,) = executions(pipeline)
    given = boto3.client("sagemaker").list_pipeline_parameters_for_execution(
        PipelineExecutionArn=execution
    )["PipelineParameters"]
    assert {parameter["Name"]: parameter["Value"] for parameter in given} == {
        **RUN,
        "job_name": "delta_builder",
        "run_id": "run-1",
        "job_spec_ddb_table_name": "specs",
        "slice_start_ts": "",
        "slice_end_ts": "",
    }


def test_an_execution_whose_pipeline_can_not_start_fails_and_says_why(
    aws: str, bucket: str
) -> None:
    done = run_state_machine(aws, f"missing-{bucket}", {"detail": RUN})
    assert (done["status"], done["error"]) == ("FAILED", "DeltaBuilderFailed")
    assert done["states"][-1] == "NotStarted"
    assert done["cause"].startswith("The pipeline execution could not be started: ")
    assert f"missing-{bucket}" in done["cause"]


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_an_execution_whose_pipeline_does_not_succeed_fails_and_names_it(
    aws: str, pipeline: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer: Callable[..., dict[str, Any]] = SageMakerModelBackend.describe_pipeline_execution
    monkeypatch.setattr(
        SageMakerModelBackend,
        "describe_pipeline_execution",
        lambda *args, **kwargs: answer(*args, **kwargs) | {"PipelineExecutionStatus": status},
    )
    done = run_state_machine(aws, pipeline, {"detail": RUN})
    assert (done["status"], done["error"]) == ("FAILED", "DeltaBuilderFailed")
    assert done["states"][-1] == "NotSucceeded"
    (execution,) = executions(pipeline)
    assert done["cause"] == f"{execution} ended as {status}"


def test_an_execution_that_can_not_follow_its_pipeline_fails_and_names_it(
    aws: str, pipeline: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise ResourceNotFound(message="no answer today")

    monkeypatch.setattr(SageMakerModelBackend, "describe_pipeline_execution", fail)
    done = run_state_machine(aws, pipeline, {"detail": RUN})
    assert (done["status"], done["error"]) == ("FAILED", "DeltaBuilderFailed")
    assert done["states"][-1] == "OutOfSight"
    (execution,) = executions(pipeline)
    assert done["cause"].startswith(f"{execution} could not be followed: ")
    assert "no answer today" in done["cause"]


@pytest.mark.parametrize(
    "event",
    [
        {"detail": {key: value for key, value in RUN.items() if key != "mini_batch_id"}},
        {"detail": "all of it"},
        RUN,
    ],
)
def test_an_event_that_lacks_something_fails_the_execution(
    aws: str, pipeline: str, event: dict[str, Any]
) -> None:
    done = run_state_machine(aws, pipeline, event)
    assert done["status"] == "FAILED"
    assert executions(pipeline) == []


@pytest.fixture
def alarms(aws: str) -> Callable[[], list[dict[str, Any]]]:  # noqa: ARG001 - it has to be there
    """The shipped rule, with a queue that can be read in the topic's place; gives what has come."""
    name = f"ended-{uuid.uuid4().hex[:8]}"
    events, sqs = boto3.client("events"), boto3.client("sqs")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    address = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    events.put_rule(Name=name, EventPattern=filled("execution-ended-rule.json", **POLICY_VALUES))
    target = filled("execution-ended-target.json", AlarmTopicArn=address["Attributes"]["QueueArn"])
    events.put_targets(Rule=name, Targets=json.loads(target))

    def received() -> list[dict[str, Any]]:
        found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in found]

    return received


def status_change(machine: str, status: str, **changes: str) -> dict[str, str]:
    """The event that Step Functions sends for an execution of this state machine."""
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:run-1"
    detail = {"executionArn": execution, "stateMachineArn": machine, "status": status}
    kind = {"Source": "aws.states", "DetailType": "Step Functions Execution Status Change"}
    return {**kind, **changes, "Detail": json.dumps(detail)}


MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:ndr"


@pytest.mark.parametrize("machine", [MACHINE, f"{MACHINE}-daily"])
@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_the_alarm_is_for_each_execution_that_did_not_succeed(
    alarms: Callable[[], list[dict[str, Any]]], status: str, machine: str
) -> None:
    boto3.client("events").put_events(Entries=[status_change(machine, status)])
    (message,) = alarms()
    assert message["detail"]["status"] == status
    assert message["detail"]["executionArn"].endswith(":run-1")


def test_the_alarm_is_for_nothing_else(alarms: Callable[[], list[dict[str, Any]]]) -> None:
    others = [
        status_change(MACHINE, "RUNNING"),
        status_change(MACHINE, "SUCCEEDED"),
        status_change(f"{MACHINE}-2", "FAILED"),
        status_change(f"{MACHINE}-daily", "SUCCEEDED"),
        status_change(MACHINE.replace("123456789012", "210987654321"), "FAILED"),
        status_change(MACHINE, "FAILED", Source="somebody.else"),
        status_change(MACHINE, "FAILED", DetailType="Something else"),
    ]
    boto3.client("events").put_events(Entries=others)
    assert alarms() == []


def test_the_rule_names_the_state_machine_that_is_made(aws: str, pipeline: str) -> None:
    done = run_state_machine(aws, pipeline, {"detail": RUN})
    rule = json.loads(
        filled("execution-ended-rule.json", **(POLICY_VALUES | {"PipelineName": pipeline}))
    )
    machine = done["machine"]
    assert rule["detail"]["stateMachineArn"] == [machine, f"{machine}-daily"]


@pytest.mark.usefixtures("aws")
def test_the_topic_takes_its_policy_and_the_rule_its_target() -> None:
    sns, events = boto3.client("sns"), boto3.client("events")
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    assert topic == POLICY_VALUES["AlarmTopicArn"]
    policy = filled("iam/alarm-topic-policy.json", **POLICY_VALUES)
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    (rules,) = [s for s in json.loads(policy)["Statement"] if "Service" in s["Principal"]]
    assert (rules["Principal"], rules["Action"]) == (
        {"Service": "events.amazonaws.com"},
        "sns:Publish",
    )
    events.put_rule(Name="ended", EventPattern=filled("execution-ended-rule.json", **POLICY_VALUES))
    target = json.loads(filled("execution-ended-target.json", **POLICY_VALUES))
    assert events.put_targets(Rule="ended", Targets=target)["FailedEntryCount"] == 0
    assert {statement["Resource"] for statement in json.loads(policy)["Statement"]} == {topic}


@pytest.mark.parametrize("template", TEMPLATES)
def test_each_template_is_json_once_it_is_filled(template: str) -> None:
    text = filled(template, **POLICY_VALUES)
    assert "${" not in text
    json.loads(text)


def test_the_pages_set_each_variable_that_a_template_has() -> None:
    pages = (ROOT / "README.md").read_text() + (ROOT / "docs" / "deploy.md").read_text()
    exports = re.findall(r"^export (.+)$", pages, re.MULTILINE)
    given = {name for line in exports for name in re.findall(r"(\w+)=", line)}
    used = {
        name
        for template in TEMPLATES
        for name in re.findall(r"\$\{(\w+)\}", (DEPLOY / template).read_text())
    }
    assert used - given == set()
    assert used == set(POLICY_VALUES)
    assert [name for name in TEMPLATES if Path(name).name.partition(".")[0] not in pages] == []


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("role", ["job-role", "state-machine-role", "schedule-role"])
def test_the_roles_can_be_made(role: str) -> None:
    trust = filled(f"iam/{role}-trust.json", **POLICY_VALUES)
    boto3.client("iam").create_role(RoleName=f"test-{role}", AssumeRolePolicyDocument=trust)


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    "policy", ["job-role", "job-role-vpc", "job-role-kms", "state-machine-role", "schedule-role"]
)
def test_the_policies_are_valid_and_grant_no_wildcard(policy: str) -> None:
    text = filled(f"iam/{policy}.json", **POLICY_VALUES)
    boto3.client("iam").create_policy(PolicyName=f"test-{policy}", PolicyDocument=text)
    for statement in json.loads(text)["Statement"]:
        for action in several(statement["Action"]):
            assert "*" not in action
            assert action in CAN_NOT_BE_RESTRICTED or statement["Resource"] != "*"


def test_the_role_of_one_project_reaches_nothing_of_another() -> None:
    policy = statements("iam/job-role.json")
    table = "arn:aws:dynamodb:eu-west-1:123456789012:table/specs"
    assert PARTITION_KEY == "project_name"  # what AWS calls the leading key
    for project, may in (("demo", True), ("other", False), ("demo2", False)):
        key = {"dynamodb__LeadingKeys": [project]}
        assert allowed(policy, "dynamodb:GetItem", table, **key) is may
        landed = f"arn:aws:s3:::landing-bucket/landing/{project}/mb/1.json.gz"
        assert allowed(policy, "s3:GetObject", landed) is may
        for output in (f"deltas/{project}", f"deltas/{project}/features"):
            out = f"arn:aws:s3:::deltas-bucket/{output}/_manifests/1"
            for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
                assert allowed(policy, action, out) is may
        for bucket, folder in (("landing", "landing"), ("deltas", "deltas")):
            place = f"arn:aws:s3:::{bucket}-bucket"
            listed = {"s3__prefix": f"{folder}/{project}/"}
            assert allowed(policy, "s3:ListBucket", place, **listed) is may
    assert not allowed(policy, "dynamodb:GetItem", table, dynamodb__LeadingKeys=["demo", "other"])
    assert not allowed(policy, "dynamodb:GetItem", table)


def test_features_may_lie_apart_from_the_deltas() -> None:
    policy = statements("iam/job-role.json", FeaturesPrefix="features/demo")

    for project, may in (("demo", True), ("other", False)):
        out = f"arn:aws:s3:::deltas-bucket/features/{project}/_manifests/1"
        for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
            assert allowed(policy, action, out) is may
        listed = {"s3__prefix": f"features/{project}/"}
        assert allowed(policy, "s3:ListBucket", "arn:aws:s3:::deltas-bucket", **listed) is may


def test_a_job_in_a_vpc_may_use_the_given_subnet_and_security_group_only() -> None:
    policy = statements("iam/job-role-vpc.json")
    ec2 = "arn:aws:ec2:eu-west-1:123456789012"
    for resource, may in {
        "network-interface/eni-1": True,
        "subnet/subnet-1": True,
        "subnet/subnet-2": False,
        "security-group/sg-1": True,
        "security-group/sg-2": False,
    }.items():
        assert allowed(policy, "ec2:CreateNetworkInterface", f"{ec2}:{resource}") is may
    for subnet, may in (("subnet-1", True), ("subnet-2", False)):
        inside = {"ec2__Subnet": f"{ec2}:subnet/{subnet}"}
        for action in ("ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface"):
            assert allowed(policy, action, f"{ec2}:network-interface/eni-1", **inside) is may
    granted = {action for statement in policy for action in several(statement["Action"])}
    assert granted == {
        "ec2:CreateNetworkInterface",
        "ec2:CreateNetworkInterfacePermission",
        "ec2:DeleteNetworkInterface",
        "ec2:DeleteNetworkInterfacePermission",
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    }


def test_keys_are_used_by_s3_and_for_volumes_only() -> None:
    policy = statements("iam/job-role-kms.json")
    keys = {name: POLICY_VALUES[f"{name}KeyArn"] for name in ("Landing", "Deltas", "Volume")}
    through_s3 = {"kms__ViaService": "s3.eu-west-1.amazonaws.com"}
    assert allowed(policy, "kms:Decrypt", keys["Landing"], **through_s3)
    assert not allowed(policy, "kms:GenerateDataKey", keys["Landing"], **through_s3)
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        assert allowed(policy, action, keys["Deltas"], **through_s3)
        assert not allowed(policy, action, keys["Deltas"])
        assert not allowed(policy, action, keys["Volume"], **through_s3)
    for by_aws in ("true", "false"):
        grant = {"kms__GrantIsForAWSResource": by_aws}
        assert allowed(policy, "kms:CreateGrant", keys["Volume"], **grant) is (by_aws == "true")
        assert not allowed(policy, "kms:CreateGrant", keys["Deltas"], **grant)
