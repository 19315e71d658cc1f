"""JobSpecs of all kinds as items of a table.

Keys: `project_name` (partition) and `job_name_version` (sort), `<job_name>#<feature_spec_version>`. The item holds
the spec as plain data under `spec`, and beside it `revision` (1, 2, ... with each change), `spec_sha256`
and `updated_at`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Generic

from attrs import frozen
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from ndr_adapters.aws.errors import aws_errors_named, error_code
from ndr_core.errors import SpecError, UsageError, nearest, shown
from ndr_core.jobs.spec import JobKey
from ndr_core.spec_kinds import AnySpec, SpecT, expect, parse_spec

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PARTITION_KEY: Final = "project_name"
SORT_KEY: Final = "job_name_version"
_ATTRIBUTES: Final = (PARTITION_KEY, SORT_KEY, "spec", "revision", "spec_sha256", "updated_at")


@frozen
class StoredSpec:
    """A JobSpec as a table holds it."""

    spec: AnySpec
    revision: int
    updated_at: str


@frozen
class JobSpecLoader(Generic[SpecT]):
    """Reads the JobSpec of a job, whatever the table holds for others."""

    client: DynamoDBClient
    table: str
    kind: type[SpecT]
    """The class of the specs that the job takes."""

    def load(self, project_name: str, job_name: str, feature_spec_version: str) -> SpecT:
        """The JobSpec of that key.

        Raises SpecError where there is none, or it is wrong or of another kind, UsageError for a missing table or
        permission.
        """
        key = JobKey(project_name, job_name, feature_spec_version)
        spec = JobSpecTable(self.client, self.table).stored(key).spec
        return expect(spec, self.kind, _origin(self.table, project_name, _sort_key(key)))


@frozen
class JobSpecTable:
    """Writes, reads and lists JobSpecs of all kinds."""

    client: DynamoDBClient
    table: str

    def stored(self, key: JobKey) -> StoredSpec:
        """What is stored under a key.

        Raises SpecError where there is nothing or it is wrong, UsageError for a missing table or permission.
        """
        item = _item(self.client, self.table, _keys(key))
        if not item:
            raise SpecError(
                f"table {self.table}: has no JobSpec for {PARTITION_KEY}={shown(key.project_name)}, "
                f"{SORT_KEY}={shown(_sort_key(key))}; `ndr spec list --table {self.table}` shows what there is"
            )
        return stored_spec(self.table, item)

    def create(self) -> bool:
        """Make the table, billed by request, and wait until it can be used; False if it is there."""
        with aws_errors_named(f"table {self.table}"):
            try:
                self.client.create_table(
                    TableName=self.table,
                    AttributeDefinitions=[
                        {"AttributeName": PARTITION_KEY, "AttributeType": "S"},
                        {"AttributeName": SORT_KEY, "AttributeType": "S"},
                    ],
                    KeySchema=[
                        {"AttributeName": PARTITION_KEY, "KeyType": "HASH"},
                        {"AttributeName": SORT_KEY, "KeyType": "RANGE"},
                    ],
                    BillingMode="PAY_PER_REQUEST",
                )
            except self.client.exceptions.ResourceInUseException:
                return False
            self.client.get_waiter("table_exists").wait(TableName=self.table)
        return True

    def put(self, spec: AnySpec, expected_revision: int | None = None) -> int:
        """Store a spec under its own key; gives its new revision, or the present one if it is equal.

        `expected_revision`: the revision that the change was made from, 0 for none; default: whatever is
        there. Raises UsageError when another change came first.
        """
        key = _keys(spec.key)
        plain = spec.to_plain()
        present, stored = self._present(key)
        if stored == plain and expected_revision in (None, present):
            return present
        before = present if expected_revision is None else expected_revision
        item = {
            **key,
            "spec": _as_decimals(plain),
            "revision": before + 1,
            "spec_sha256": spec.content_hash(),
            "updated_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        condition: dict[str, Any] = {"ConditionExpression": f"attribute_not_exists({SORT_KEY})"}
        if before:
            condition = {
                "ConditionExpression": "revision = :before",
                "ExpressionAttributeValues": _serialized({":before": before}),
            }
        with aws_errors_named(f"table {self.table}"):
            try:
                self.client.put_item(TableName=self.table, Item=_serialized(item), **condition)
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                # The answer to an earlier try of this very write may have been lost on its way.
                present, stored = self._present(key)
                if (present, stored) != (before + 1, plain):
                    raise UsageError(
                        f"table {self.table}: {key[SORT_KEY]} of {spec.project_name} is at revision "
                        f"{present}, not {before}: somebody changed it; get it, merge, put it again"
                    ) from error
        return before + 1

    def list(self, project_name: str | None = None) -> Iterator[StoredSpec]:
        """All specs of a project, or of the table, sorted by key. Raises SpecError for an item that is wrong."""
        with aws_errors_named(f"table {self.table}"):
            if project_name is None:
                pages: Any = self.client.get_paginator("scan").paginate(TableName=self.table)
            else:
                pages = self.client.get_paginator("query").paginate(
                    TableName=self.table,
                    KeyConditionExpression=f"{PARTITION_KEY} = :project",
                    ExpressionAttributeValues=_serialized({":project": project_name}),
                )
            items = [item for page in pages for item in page["Items"]]
        for item in sorted(items, key=lambda item: (item[PARTITION_KEY]["S"], item[SORT_KEY]["S"])):
            yield stored_spec(self.table, item)

    def _present(self, key: Mapping[str, str]) -> tuple[int, Any]:
        """Revision and plain data of the spec that is stored; 0 and None for nothing."""
        found = _deserialized(_item(self.client, self.table, key))
        return found.get("revision", 0), found.get("spec")


def _item(client: DynamoDBClient, table: str, key: Mapping[str, str]) -> Mapping[str, Any]:
    """The item of that key as it is now; empty if there is none."""
    with aws_errors_named(f"table {table}"):
        answer = client.get_item(TableName=table, Key=_serialized(key), ConsistentRead=True)
    return answer.get("Item", {})


def stored_spec(table: str, item: Mapping[str, Any]) -> StoredSpec:
    """The spec in an item. Raises SpecError, naming table and key, for one that is wrong."""
    plain = _deserialized(item)
    origin = _origin(table, plain[PARTITION_KEY], plain[SORT_KEY])
    for name in plain:
        if name not in _ATTRIBUTES:
            raise SpecError(
                f"{origin}: unknown attribute {shown(name)}, {nearest(name, _ATTRIBUTES)}"
            )
    spec = parse_spec(plain.get("spec"), origin)
    if _keys(spec.key) != {key: plain[key] for key in (PARTITION_KEY, SORT_KEY)}:
        raise SpecError(
            f"{origin}: holds the JobSpec of {spec.project_name} {_sort_key(spec.key)}; put it again with "
            "`ndr spec put`"
        )
    return StoredSpec(spec, plain.get("revision", 1), plain.get("updated_at", ""))


def _origin(table: str, project_name: str, sort_key: str) -> str:
    return f"table {table}, {project_name} {sort_key}"


def _keys(key: JobKey) -> dict[str, str]:
    return {PARTITION_KEY: key.project_name, SORT_KEY: _sort_key(key)}


def _sort_key(key: JobKey) -> str:
    return f"{key.job_name}#{key.feature_spec_version}"


def _serialized(values: Mapping[str, Any]) -> dict[str, Any]:
    serialize = TypeSerializer().serialize
    return {name: serialize(value) for name, value in values.items()}


def _deserialized(item: Mapping[str, Any]) -> dict[str, Any]:
    deserialize = TypeDeserializer().deserialize
    return {name: _without_decimals(deserialize(value)) for name, value in item.items()}


def _as_decimals(value: Any) -> Any:
    """Floats as DynamoDB keeps them: decimals of their shortest text."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {key: _as_decimals(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_decimals(item) for item in value]
    return value


def _without_decimals(value: Any) -> Any:
    """Decimals as int where they are whole, else as float."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {key: _without_decimals(item) for key, item in value.items()}
    if isinstance(value, list | set):
        return [_without_decimals(item) for item in value]
    return value
