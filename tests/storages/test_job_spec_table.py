"""JobSpecs in DynamoDB: what is put is what is loaded, changes don't overrun each other, faults are told."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from ndr_adapters.aws.clients import dynamodb_client
from ndr_adapters.aws.errors import AwsError
from ndr_adapters.dynamodb.job_specs import JobSpecLoader, JobSpecTable
from ndr_core.deltas.spec import JobSpec
from ndr_core.errors import SpecError, UsageError
from ndr_core.spec_kinds import parse_spec
from ndr_core.windows.spec import FgASpec
from tests.credentials import CREDENTIALS
from tests.makers import make_spec
from tests.stand_in import Request, proxy


@pytest.fixture
def table(aws: str) -> str:  # noqa: ARG001 - it has to be there
    name = f"specs-{uuid.uuid4().hex[:8]}"
    JobSpecTable(dynamodb_client(), name).create()
    return name


def loader(table: str) -> JobSpecLoader[JobSpec]:
    return JobSpecLoader(dynamodb_client(), table, JobSpec)


def specs(table: str) -> JobSpecTable:
    return JobSpecTable(dynamodb_client(), table)


def change(table: str, path: str, value: dict[str, Any]) -> None:
    """Change an item by hand, as somebody in the console might."""
    dynamodb_client().update_item(
        TableName=table,
        Key={"project_name": {"S": "test"}, "job_name_version": {"S": "delta_builder#v1"}},
        UpdateExpression=f"SET {path} = :value",
        ExpressionAttributeValues={":value": value},
    )


def test_a_spec_comes_back_equal_numbers_included(table: str) -> None:
    spec = make_spec(
        quality={"max_rejected_fraction": 0.05, "min_records": 10},
        delta={"short_session_seconds": 0.1},
        enrichment={"port_sets": {"odd": [1, 65535, "5000-5010"]}},
        storage={"input_prefix": "s3://landing/a", "output_prefix": "s3://deltas/a"},
    )
    specs(table).put(spec)
    found = loader(table).load("test", "delta_builder", "v1")
    assert found == spec
    assert found.content_hash() == spec.content_hash()
    assert type(found.quality.min_records) is int
    assert type(found.quality.max_rejected_fraction) is float


def test_each_change_is_a_revision_and_an_equal_spec_is_none(table: str) -> None:
    one, other = make_spec(), make_spec(quality={"min_records": 1})
    assert [specs(table).put(spec) for spec in (one, one, other, one)] == [1, 1, 2, 3]


def test_another_key_is_a_change_though_the_hash_stays(table: str) -> None:
    one, other = make_spec(), make_spec(storage={"kms_key": "alias/ndr"})

    revisions = [specs(table).put(spec) for spec in (one, other, other)]

    assert revisions == [1, 2, 2]
    assert loader(table).load("test", "delta_builder", "v1") == other
    assert one.content_hash() == other.content_hash()


def test_a_put_from_an_old_revision_is_refused(table: str) -> None:
    specs(table).put(make_spec(), expected_revision=0)
    specs(table).put(make_spec(quality={"min_records": 1}), expected_revision=1)
    with pytest.raises(UsageError, match="is at revision 2, not 1: somebody changed it"):
        specs(table).put(make_spec(quality={"min_records": 2}), expected_revision=1)
    with pytest.raises(UsageError, match="is at revision 2, not 0"):
        specs(table).put(make_spec(quality={"min_records": 2}), expected_revision=0)


def test_a_put_whose_answer_is_lost_counts_once(
    table: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[Request] = []

    def lose_the_first_put(request: Request) -> str | None:
        if "PutItem" in str(request.headers.get("X-Amz-Target")) and not lost:
            lost.append(request)
            return "lost"
        return None

    with proxy(aws, lose_the_first_put) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        assert specs(table).put(make_spec()) == 1
    assert lost


def test_versions_and_jobs_are_kept_apart(table: str) -> None:
    for version in ("v1", "v2"):
        specs(table).put(make_spec(feature_spec_version=version))
    specs(table).put(make_spec(project_name="other"))
    keys = [(f.spec.project_name, f.spec.feature_spec_version) for f in specs(table).list()]
    assert keys == [("other", "v1"), ("test", "v1"), ("test", "v2")]
    assert [f.spec.feature_spec_version for f in specs(table).list("test")] == ["v1", "v2"]


def test_all_pages_of_a_large_table_are_listed(
    table: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = {"column": "event_action", "map": {"x": "y" * 200_000}}
    mapping = {"preset": "paloalto", "fields": {"event_action": action}}
    big = [make_spec(feature_spec_version=f"v{n:02}", input=mapping) for n in range(12)]
    for spec in big:
        specs(table).put(spec)
    with proxy(aws, lambda _: None) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        assert [found.spec for found in specs(table).list()] == big
        assert [found.spec for found in specs(table).list("test")] == big
        assert len(server.requests) > 4


def test_specs_of_several_kinds_lie_in_one_table(table: str) -> None:
    windows = parse_spec(
        {
            "kind": "fg_a",
            "project_name": "test",
            "windows": {"sources": ["north", "south"]},
            "storage": {"deltas_prefix": "s3://deltas/test"},
        }
    )
    specs(table).put(make_spec())
    specs(table).put(windows)

    found = JobSpecLoader(dynamodb_client(), table, FgASpec).load("test", "fg_a", "v1")

    assert found == windows
    assert found.content_hash() == windows.content_hash()
    assert loader(table).load("test", "delta_builder", "v1") == make_spec()
    assert [stored.spec for stored in specs(table).list("test")] == [make_spec(), windows]


def test_a_spec_of_another_kind_than_the_jobs_is_refused(table: str) -> None:
    specs(table).put(parse_spec({"kind": "fg_a", "project_name": "test"}))
    specs(table).put(make_spec())
    windows = JobSpecLoader(dynamodb_client(), table, FgASpec)

    with pytest.raises(
        SpecError, match=r"test fg_a#v1: is the JobSpec of another kind .* is fg_a, expected delta"
    ):
        loader(table).load("test", "fg_a", "v1")
    with pytest.raises(SpecError, match="kind is delta, expected fg_a"):
        windows.load("test", "delta_builder", "v1")


def test_a_missing_item_names_its_key(table: str) -> None:
    with pytest.raises(SpecError, match=r"no JobSpec for project_name='test'.*'delta_builder#v9'"):
        loader(table).load("test", "delta_builder", "v9")


@pytest.mark.usefixtures("aws")
def test_a_missing_table_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"table nowhere: no such table .*check name, account"):
        loader("nowhere").load("test", "delta_builder", "v1")
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)  # which remembers credentials
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    with pytest.raises(UsageError, match="no AWS region; set AWS_DEFAULT_REGION"):
        loader("nowhere")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with pytest.raises(UsageError, match="no AWS credentials; set AWS_PROFILE"):
        loader("nowhere").load("test", "delta_builder", "v1")


def test_what_somebody_changed_by_hand_is_checked(table: str) -> None:
    specs(table).put(make_spec())
    change(table, "spec.quality.min_record", {"N": "1"})
    with pytest.raises(
        SpecError, match=r"test delta_builder#v1: quality: unknown key 'min_record'"
    ):
        loader(table).load("test", "delta_builder", "v1")
    specs(table).put(make_spec(quality={"min_records": 1}))
    change(table, "spec.quality.min_records", {"N": "1.5"})
    with pytest.raises(
        SpecError, match=r"quality\.min_records: 1\.5 is a number, expected a whole"
    ):
        loader(table).load("test", "delta_builder", "v1")
    specs(table).put(make_spec(quality={"min_records": 2}))
    change(table, "spek", {"S": "x"})
    with pytest.raises(SpecError, match="unknown attribute 'spek', did you mean 'spec'"):
        loader(table).load("test", "delta_builder", "v1")


def test_an_item_under_the_wrong_key_is_refused(table: str) -> None:
    specs(table).put(make_spec())
    change(table, "spec.project_name", {"S": "other"})
    with pytest.raises(SpecError, match="holds the JobSpec of other delta_builder#v1"):
        loader(table).load("test", "delta_builder", "v1")


def test_throttling_is_waited_out(table: str, aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    specs(table).put(make_spec())
    with proxy(aws, lambda request: "throttle" if request.number < 3 else None) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        assert loader(table).load("test", "delta_builder", "v1") == make_spec()
        assert len(server.requests) == 4


def test_endless_throttling_fails_the_run(
    table: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy(aws, lambda _: "throttle") as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        monkeypatch.setattr("ndr_adapters.aws.limits.ATTEMPTS", 3)
        with pytest.raises(AwsError, match="failed after 3 tries: ProvisionedThroughputExceeded"):
            loader(table).load("test", "delta_builder", "v1")
        assert len(server.requests) == 3


def test_a_forbidden_table_is_told(table: str, aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy(aws, lambda _: "forbid") as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        with pytest.raises(UsageError, match=r"GetItem is not allowed \(AccessDenied.*policy"):
            loader(table).load("test", "delta_builder", "v1")
