"""What `deploy/template.yaml` makes: the state machine run for real, its alarm, the policies."""

from __future__ import annotations

import fnmatch
import json
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from moto.sagemaker.exceptions import ResourceNotFound
from moto.sagemaker.models import SageMakerModelBackend

from ndr_adapters.dynamodb.job_specs import PARTITION_KEY
from tests.e2e.cli import ndr
from tests.template import VALUES, properties, resources, statements

ROLE = "arn:aws:iam::123456789012:role/ndr-job"
RUN = {
    "project_name": "demo",
    "mini_batch_id": "mb",
    "mini_batch_s3_prefix": "s3://landing/demo/mb",
    "feature_spec_version": "v1",
}
ROLES = {
    "JobRole": "sagemaker.amazonaws.com",
    "StateMachineRole": "states.amazonaws.com",
    "StarterRole": "events.amazonaws.com",
    "ScheduleRole": "scheduler.amazonaws.com",
}
"""Role of the template -> the service that it is for."""
KEY_POLICIES = ("KeyOfLanding", "KeyOfOutputs", "KeyOfVolumes")
MORE_POLICIES = ("JobsInTheNetwork", *KEY_POLICIES)
"""Policies of the jobs that not every project has."""
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


def several(value: str | list[str]) -> list[str]:
    """One or many, as a list."""
    return [value] if isinstance(value, str) else value


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


@contextmanager
def interpreted(aws: str) -> Iterator[None]:
    """Have the stand-in run state machines. Meanwhile it knows none but those that are made then."""

    def configure(*, runs: bool) -> None:
        config = json.dumps({"stepfunctions": {"execute_state_machine": runs}}).encode()
        headers = {"Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(f"{aws}/moto-api/config", config, headers))

    configure(runs=True)
    try:
        yield
    finally:
        configure(runs=False)


def run_state_machine(
    aws: str, pipeline: str, event: dict[str, Any], machine_name: str = "StateMachine"
) -> dict[str, Any]:
    """Run a state machine of the template on the stand-in, whose pipelines end at once."""
    with interpreted(aws):
        return _run_state_machine(pipeline, event, machine_name)


def _run_state_machine(pipeline: str, event: dict[str, Any], machine_name: str) -> dict[str, Any]:
    shipped = properties(machine_name, PipelineName=pipeline)
    asl = json.loads(shipped["DefinitionString"])
    for state in asl["States"].values():  # not so patient as in production
        state.update({"Seconds": 1} if state["Type"] == "Wait" else {})
        for retry in state.get("Retry", ()):
            retry["MaxAttempts"] = 1
            retry["IntervalSeconds"] = 1
    machine = boto3.client("stepfunctions")
    name = shipped["StateMachineName"]
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
    rule = properties("ExecutionEnded", AlarmTopicArn=address["Attributes"]["QueueArn"])
    events.put_rule(Name=name, EventPattern=json.dumps(rule["EventPattern"]))
    events.put_targets(Rule=name, Targets=rule["Targets"])

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
    rule = properties("ExecutionEnded", PipelineName=pipeline)["EventPattern"]
    machine = done["machine"]
    assert rule["detail"]["stateMachineArn"] == [machine, f"{machine}-daily"]


@pytest.mark.usefixtures("aws")
def test_the_topic_takes_its_policy_which_lets_the_rule_and_the_alarms_tell() -> None:
    sns = boto3.client("sns")
    policy = properties("AlarmTopicPolicy")
    topic = sns.create_topic(Name=properties("AlarmTopic")["TopicName"])["TopicArn"]
    assert policy["Topics"] == [topic]
    text = json.dumps(policy["PolicyDocument"])
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=text)
    listed = policy["PolicyDocument"]["Statement"]
    services = [s for s in listed if "Service" in s["Principal"]]
    assert [s["Principal"]["Service"] for s in services] == [
        "events.amazonaws.com",
        "cloudwatch.amazonaws.com",
    ]
    assert {s["Action"] for s in services} == {"sns:Publish"}
    assert {s["Resource"] for s in listed} == {topic}
    assert properties("ExecutionEnded")["Targets"] == [{"Id": "alarm-topic", "Arn": topic}]


def test_a_mini_batch_of_the_project_that_has_been_parsed_starts_the_state_machine() -> None:
    rule = properties("MiniBatchParsed")
    policy = statements("StarterRole")

    assert rule["EventPattern"]["detail"] == {"project_name": ["demo"]}
    assert [target["Arn"] for target in rule["Targets"]] == [MACHINE]
    assert allowed(policy, "states:StartExecution", MACHINE)
    assert not allowed(policy, "states:StartExecution", f"{MACHINE}-daily")


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("role", ROLES)
def test_the_roles_are_for_one_service_and_this_account(role: str) -> None:
    (trust,) = properties(role)["AssumeRolePolicyDocument"]["Statement"]

    assert trust["Principal"] == {"Service": ROLES[role]}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("policy", [*ROLES, *MORE_POLICIES])
def test_the_policies_are_valid_and_grant_no_wildcard(policy: str) -> None:
    listed = statements(policy)
    text = json.dumps({"Version": "2012-10-17", "Statement": listed})
    boto3.client("iam").create_policy(PolicyName=f"test-{policy}", PolicyDocument=text)
    for statement in listed:
        for action in several(statement["Action"]):
            assert "*" not in action
            assert action in CAN_NOT_BE_RESTRICTED or statement["Resource"] != "*"


def test_the_template_has_no_other_role_or_policy() -> None:
    made = {
        name for name, resource in resources().items() if resource["Type"].startswith("AWS::IAM::")
    }

    assert made == {*ROLES, *MORE_POLICIES}


def test_the_role_of_one_project_reaches_nothing_of_another() -> None:
    policy = statements("JobRole")
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
    policy = statements("JobRole", FeaturesPrefix="features/demo")

    for project, may in (("demo", True), ("other", False)):
        out = f"arn:aws:s3:::deltas-bucket/features/{project}/_manifests/1"
        for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
            assert allowed(policy, action, out) is may
        listed = {"s3__prefix": f"features/{project}/"}
        assert allowed(policy, "s3:ListBucket", "arn:aws:s3:::deltas-bucket", **listed) is may


def test_a_job_in_a_vpc_may_use_the_given_subnet_and_security_group_only() -> None:
    policy = statements("JobsInTheNetwork")
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
    policy = [one for name in KEY_POLICIES for one in statements(name)]
    names = {"Landing": "LandingKeyArn", "Deltas": "KmsKeyArn", "Volume": "VolumeKeyArn"}
    keys = {whose: VALUES[name] for whose, name in names.items()}
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
