"""A job as it is deployed: its JobSpec in a table of DynamoDB, a mini-batch in S3."""

from __future__ import annotations

import json
import subprocess
import uuid
from pathlib import Path
from typing import Any, Protocol

from attrs import define, field

from ndr_adapters.aws.clients import dynamodb_client
from ndr_adapters.dynamodb.job_specs import JobSpecTable
from ndr_core.deltas.spec import JobSpec
from tests.e2e.cli import SLICE
from tests.makers import flow, make_spec, write_batch
from tests.support import upload

SMALL = {"measures": ["sessions_cnt", "bytes_sent_sum", "peer_ip_nunique"]}


class Deployed(Protocol):
    """A job that is deployed for one project."""

    @property
    def bucket(self) -> str: ...

    @property
    def table(self) -> str:
        """Name of the table of JobSpecs."""
        ...

    @property
    def spec(self) -> JobSpec:
        """The JobSpec of its deltas."""
        ...


@define
class Deployment:
    """A JobSpec in a table, and a mini-batch where the spec expects it."""

    bucket: str
    table: str
    spec: JobSpec
    source: str
    changes: dict[str, str] = field(factory=dict)

    def arguments(self, **changes: str) -> list[str]:
        """Give the arguments of the job."""
        options = {
            "project-name": "test",
            "job-name": "delta_builder",
            "mini-batch-s3-prefix": self.source,
            "feature-spec-version": "v1",
            "run-id": "run-1",
            "mini-batch-id": "mb",
            "job-spec-ddb-table-name": self.table,
            "slice-start-ts": SLICE[1],
            "slice-end-ts": SLICE[3],
        } | {name.replace("_", "-"): value for name, value in changes.items()}
        return [part for name, value in options.items() for part in (f"--{name}", value)]

    def change_spec(self, **parts: Any) -> None:
        """Put another JobSpec in place of the first, with the same places."""
        storage = {
            "input_prefix": str(self.spec.storage.input()),
            "output_prefix": str(self.spec.storage.output()),
        }
        self.spec = make_spec(**{"delta": SMALL, "storage": storage, **parts})
        JobSpecTable(dynamodb_client(), self.table).put(self.spec)

    @property
    def target(self) -> str:
        return str(self.spec.storage.output())


def deploy(folder: Path, bucket: str) -> Deployment:
    """Deploy a job with a batch of two small files, one bad line among them, made in a folder."""
    spec = make_spec(
        delta=SMALL,
        storage={
            "input_prefix": f"s3://{bucket}/landing/demo",
            "output_prefix": f"s3://{bucket}/deltas/demo",
        },
    )
    table = f"specs-{uuid.uuid4().hex[:8]}"
    JobSpecTable(dynamodb_client(), table).create()
    JobSpecTable(dynamodb_client(), table).put(spec)
    batch = write_batch(folder / "in", [[flow(), flow(source_port=1), "bad"], [flow()]])
    return Deployment(bucket, table, spec, upload(batch, bucket, "landing/demo/mb"))


def said(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """What a run wrote to standard output: nothing but JSON lines."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def stages_of(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    """Stage -> the line of a run that succeeded which says that it is done."""
    assert done.returncode == 0, done.stdout + done.stderr
    return {line["stage"]: line for line in said(done) if "level" in line and "stage" in line}
