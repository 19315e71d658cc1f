"""The policy of the job's role is enough for what people run over its output beside the jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.cli import SLICE, ndr, write_spec
from tests.e2e.deployment import SMALL, Deployment
from tests.e2e.test_production_path import refused_by_policy, unused_of_policy
from tests.planted_secrets import objects_with_secrets
from tests.stand_in import proxy
from tests.support import objects

WITHOUT_SPARK = True

DAY_AFTER = ("--before", "2025-03-02T00:00:00Z")


def test_the_jobs_policy_covers_all_that_commands_ask_of_an_output_in_s3(
    deployment: Deployment, aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = deployment.target
    spec = write_spec(tmp_path / "job.json", delta=SMALL)
    batch = ("--input", deployment.source, "--mini-batch-id", "mb", *SLICE)
    commands: dict[str, list[object]] = {
        "run": ["--spec", spec, "--output", output, *batch],
        **{name: [output] for name in ("inspect", "runs", "verify", "quarantine")},
        "compact": [output, *DAY_AFTER],
        "prune": [output, *DAY_AFTER],
    }
    asked = {}

    with proxy(aws, lambda _: None) as server, monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", server.address)
        for name, arguments in commands.items():
            before = len(server.requests)
            answer = ndr(name, *arguments)
            assert answer.exit_code == 0, answer.errors
            asked[name] = len(server.requests) - before

    assert min(asked.values()) > 0, asked
    assert refused_by_policy(deployment, server.requests) == []
    unused = unused_of_policy(deployment, server.requests)
    assert unused == {"s3:AbortMultipartUpload", "dynamodb:GetItem"}
    assert objects_with_secrets(objects(deployment.bucket, "deltas/")) == []
