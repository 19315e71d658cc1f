"""`deploy/template.yaml` made and deleted in the stand-in, where each resource is then seen through its own API."""

from __future__ import annotations

import ast
import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ndr_adapters.aws.clients import dynamodb_client, s3_client
from ndr_adapters.cloudwatch.json_log import FEATURES_NAMESPACE, NAMESPACE
from ndr_adapters.dynamodb.job_specs import JobSpecTable
from tests.makers import make_spec
from tests.template import TEMPLATE, VALUES, properties, resources, template

WITHOUT_SPARK = True
pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse AWS")

ROOT = Path(__file__).parents[2]
MOST_BYTES = 51_200
"""Of a template that is sent with a request, rather than put into a bucket first."""
NOT_MADE = {
    "AWS::CloudWatch::Alarm",
    "AWS::SNS::TopicPolicy",
    "AWS::Scheduler::Schedule",
}
"""Types that the stand-in passes over in a template. It has their APIs, which take what the template says."""
KEPT = {"AWS::S3::Bucket", "AWS::DynamoDB::Table"}


@pytest.fixture
def values(aws: str) -> dict[str, str]:  # noqa: ARG001 - it has to be there
    """Parameters of a stack whose names nobody has yet."""
    token = uuid.uuid4().hex[:8]
    names = {"PipelineName": f"ndr-{token}", "DeltasBucket": f"deltas-{token}"}
    return {**VALUES, **names, "JobSpecTable": f"specs-{token}", "AlarmEmail": "soc@example.com"}


@pytest.fixture
def stack(values: dict[str, str]) -> Iterator[dict[str, str]]:
    """A stack of the template; gives the outputs."""
    client = boto3.client("cloudformation")
    name = values["PipelineName"]
    client.create_stack(
        StackName=name,
        TemplateBody=TEMPLATE.read_text(),
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in values.items()
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    (made,) = client.describe_stacks(StackName=name)["Stacks"]
    assert made["StackStatus"] == "CREATE_COMPLETE"
    yield {one["OutputKey"]: one["OutputValue"] for one in made["Outputs"]}
    client.delete_stack(StackName=name)


def made_in(name: str) -> set[str]:
    """The logical names of what the stand-in has made of a stack."""
    found = boto3.client("cloudformation").describe_stack_resources(StackName=name)
    return {one["LogicalResourceId"] for one in found["StackResources"] if one.get("ResourceType")}


def test_the_stand_in_makes_all_but_three_types(
    stack: dict[str, str], values: dict[str, str]
) -> None:
    wanted = resources(**values)

    left_out = set(wanted) - made_in(values["PipelineName"])

    assert stack
    assert {wanted[name]["Type"] for name in left_out} == NOT_MADE
    assert left_out == {name for name, one in wanted.items() if one["Type"] in NOT_MADE}


def test_roles_have_their_trust_and_policies(stack: dict[str, str], values: dict[str, str]) -> None:
    iam = boto3.client("iam")
    for name, resource in resources(**values).items():
        if resource["Type"] == "AWS::IAM::Role":
            wanted = resource["Properties"]
            found = iam.get_role(RoleName=wanted["RoleName"])["Role"]
            policy = iam.get_role_policy(RoleName=wanted["RoleName"], PolicyName="ndr")
            assert found["AssumeRolePolicyDocument"] == wanted["AssumeRolePolicyDocument"], name
            text = str(policy["PolicyDocument"])  # which the stand-in keeps as Python spells it
            assert ast.literal_eval(text) == wanted["Policies"][0]["PolicyDocument"]
    job_role = f"{values['PipelineName']}-job"
    assert stack["JobRoleArn"] == f"arn:aws:iam::123456789012:role/{job_role}"
    assert sorted(iam.list_role_policies(RoleName=job_role)["PolicyNames"]) == [
        "ndr",
        "ndr-key-of-landing",
        "ndr-key-of-outputs",
        "ndr-key-of-volumes",
        "ndr-network",
    ]


def test_the_table_is_the_one_that_job_specs_are_put_into(
    stack: dict[str, str], values: dict[str, str]
) -> None:
    client, usual = dynamodb_client(), f"usual-{uuid.uuid4().hex[:8]}"
    JobSpecTable(client, usual).create()

    found, expected = (
        client.describe_table(TableName=name)["Table"] for name in (values["JobSpecTable"], usual)
    )

    assert stack
    assert found["KeySchema"] == expected["KeySchema"]
    assert found["AttributeDefinitions"] == expected["AttributeDefinitions"]
    assert found["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert JobSpecTable(client, values["JobSpecTable"]).put(make_spec()) == 1


def test_state_machines_rules_and_dashboard_are_there(
    stack: dict[str, str], values: dict[str, str]
) -> None:
    machines, events = boto3.client("stepfunctions"), boto3.client("events")
    for name, output in (
        ("StateMachine", "StateMachineArn"),
        ("DailyStateMachine", "DailyStateMachineArn"),
    ):
        found = machines.describe_state_machine(stateMachineArn=stack[output])
        wanted = properties(name, **values)
        assert (found["name"], found["roleArn"]) == (wanted["StateMachineName"], wanted["RoleArn"])
        assert json.loads(found["definition"]) == json.loads(wanted["DefinitionString"])
    for name in ("MiniBatchParsed", "ExecutionEnded"):
        rule = properties(name, **values)
        seen = events.describe_rule(Name=rule["Name"])
        assert json.loads(seen["EventPattern"]) == rule["EventPattern"]
        assert events.list_targets_by_rule(Rule=rule["Name"])["Targets"] == rule["Targets"]
    board = boto3.client("cloudwatch").get_dashboard(DashboardName=values["PipelineName"])
    assert len(json.loads(board["DashboardBody"])["widgets"]) == 6


def test_the_bucket_is_encrypted_by_the_key(stack: dict[str, str], values: dict[str, str]) -> None:
    found = s3_client().get_bucket_encryption(Bucket=values["DeltasBucket"])

    assert stack
    (rule,) = found["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": values["KmsKeyArn"],
    }


def test_the_topic_sends_to_the_address(stack: dict[str, str]) -> None:
    found = boto3.client("sns").list_subscriptions_by_topic(TopicArn=stack["AlarmTopicArn"])

    assert [one["Endpoint"] for one in found["Subscriptions"]] == ["soc@example.com"]


@pytest.mark.usefixtures("aws")
def test_the_rule_is_for_parsed_mini_batches_of_the_project_alone() -> None:
    """With a queue that can be read in place of the state machine."""
    events, sqs = boto3.client("events"), boto3.client("sqs")
    name = f"parsed-{uuid.uuid4().hex[:8]}"
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    address = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    pattern = properties("MiniBatchParsed")["EventPattern"]
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    target = {"Id": "queue", "Arn": address["Attributes"]["QueueArn"]}
    events.put_targets(Rule=name, Targets=[target])
    kind = {"Source": "ndr.parsing", "DetailType": "Mini-batch parsed"}
    others = [{**kind, "Source": "ndr"}, {**kind, "DetailType": "Mini-batch landed"}]
    own = json.dumps({"project_name": "demo", "mini_batch_id": "mb"})

    events.put_events(
        Entries=[
            {**kind, "Detail": own},
            {**kind, "Detail": json.dumps({"project_name": "other"})},
            *({**other, "Detail": own} for other in others),
        ]
    )

    found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert [json.loads(one["Body"])["detail"] for one in found] == [json.loads(own)]


def test_an_update_changes_a_state_machine_in_its_place(
    stack: dict[str, str], values: dict[str, str]
) -> None:
    client = boto3.client("cloudformation")
    changed = TEMPLATE.read_text().replace('"Seconds": 30', '"Seconds": 31')

    client.update_stack(
        StackName=values["PipelineName"],
        TemplateBody=changed,
        Parameters=[{"ParameterKey": key, "UsePreviousValue": True} for key in values],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )

    machine = boto3.client("stepfunctions").describe_state_machine(
        stateMachineArn=stack["StateMachineArn"]
    )
    assert json.loads(machine["definition"])["States"]["Wait"]["Seconds"] == 31


def test_a_deleted_stack_leaves_the_output_and_the_job_specs(values: dict[str, str]) -> None:
    client, name = boto3.client("cloudformation"), values["PipelineName"]
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
    client.create_stack(StackName=name, TemplateBody=TEMPLATE.read_text(), Parameters=given)
    s3_client().put_object(Bucket=values["DeltasBucket"], Key="deltas/demo/x", Body=b"x")

    client.delete_stack(StackName=name)

    kept = {one["Type"] for one in resources().values() if one["DeletionPolicy"] == "Retain"}
    assert kept == KEPT
    assert s3_client().head_object(Bucket=values["DeltasBucket"], Key="deltas/demo/x")
    assert dynamodb_client().describe_table(TableName=values["JobSpecTable"])
    machines = boto3.client("stepfunctions").list_state_machines()["stateMachines"]
    assert [one for one in machines if one["name"].startswith(name)] == []
    roles = boto3.client("iam").list_roles(MaxItems=1000)["Roles"]
    assert [one for one in roles if one["RoleName"].startswith(f"{name}-")] == []
    assert boto3.client("events").list_rules(NamePrefix=name)["Rules"] == []
    with pytest.raises(ClientError, match="does not exist"):
        boto3.client("cloudwatch").get_dashboard(DashboardName=name)


def alarms(**parameters: str) -> dict[str, dict[str, Any]]:
    return {
        name: one["Properties"]
        for name, one in resources(**parameters).items()
        if one["Type"] == "AWS::CloudWatch::Alarm"
    }


def test_cloudwatch_takes_the_alarms_and_gives_them_back(values: dict[str, str]) -> None:
    client, wanted = boto3.client("cloudwatch"), alarms(**values)

    for alarm in wanted.values():
        client.put_metric_alarm(**{**alarm, "Threshold": float(alarm["Threshold"])})

    found = client.describe_alarms(AlarmNamePrefix=values["PipelineName"])["MetricAlarms"]
    assert {one["AlarmName"] for one in found} == {one["AlarmName"] for one in wanted.values()}
    topic = f"arn:aws:sns:eu-west-1:123456789012:{values['PipelineName']}-alarms"
    assert {action for one in found for action in one["AlarmActions"]} == {topic}


def metrics_of(alarm: dict[str, Any]) -> set[tuple[str, str]]:
    """Namespace and name of each metric that an alarm looks at."""
    if "MetricName" in alarm:
        return {(alarm["Namespace"], alarm["MetricName"])}
    found = [one["MetricStat"]["Metric"] for one in alarm["Metrics"] if "MetricStat" in one]
    return {(one["Namespace"], one["MetricName"]) for one in found}


def test_the_alarms_are_those_of_the_pages() -> None:
    named = {metric for alarm in alarms().values() for metric in metrics_of(alarm)}

    assert named == {
        ("AWS/States", "ExecutionsFailed"),
        ("AWS/States", "ExecutionsTimedOut"),
        ("AWS/States", "ExecutionsAborted"),
        (NAMESPACE, "RunFailed"),
        (NAMESPACE, "RecordsRead"),
        (NAMESPACE, "RecordsRejected"),
        (FEATURES_NAMESPACE, "RunFailed"),
        (FEATURES_NAMESPACE, "Publications"),
    }
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    names = {one["AlarmName"].removeprefix("ndr") for one in alarms().values()}
    assert [name for name in names if f"`..{name}`" not in runbook] == []


def test_an_alarm_topic_and_places_that_exist_are_not_made() -> None:
    given = {"MakeDeltasBucket": "no", "MakeJobSpecTable": "no", "AlarmTopicArn": "arn:aws:sns:x:y"}
    without = {"KmsKeyArn": "", "LandingKeyArn": "", "VolumeKeyArn": "", "Subnet": ""}

    found = resources(**given, **without)

    types = {one["Type"] for one in found.values()}
    assert types.isdisjoint({*KEPT, "AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::IAM::Policy"})
    assert alarms(**given)["NoRecords"]["AlarmActions"] == ["arn:aws:sns:x:y"]
    bucket = properties("Deltas", **without)["BucketEncryption"]
    (rule,) = bucket["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_the_template_can_be_sent_as_it_is() -> None:
    assert len(TEMPLATE.read_bytes()) <= MOST_BYTES


def test_the_page_gives_each_parameter_that_has_no_default_and_no_unknown_one() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text()
    known = template()["Parameters"]
    given = {
        name
        for line in re.findall(r"parameter-overrides(.*?)\n(?!  )", page, re.DOTALL)
        for name in re.findall(r"\b(\w+)=", line)
    }
    mentioned = set(re.findall(r"`([A-Z]\w+)(?:=\w+)?`", page))

    assert given - set(known) == set()
    assert {name for name, one in known.items() if "Default" not in one} <= given
    assert set(known) - given - mentioned == set()
