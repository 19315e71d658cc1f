"""Whatever writes to S3, a command or a deployed job, its objects are encrypted by the key that is named."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from ndr_adapters.outputs import open_output
from ndr_core.times import HOUR_US, iso_text
from tests.e2e.cli import SLICE, ndr, write_spec
from tests.e2e.deployment import SMALL, Deployment
from tests.e2e.feature_deployment import (
    MIDNIGHT,
    FeatureDeployment,
    deploy_features,
    run_job,
    traffic,
)
from tests.e2e.test_production_path import refused_by_policy
from tests.kms import KEY, asked_key, made_without_key, makes_object, other_keys
from tests.stand_in import Proxy, Request, proxy
from tests.storages.test_deploy import allowed, several
from tests.template import statements

WITHOUT_SPARK = True

DAY_AFTER = ("--before", "2025-03-02T00:00:00Z")


@pytest.fixture
def recorded(aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The stand-in, which notes what it is asked."""
    with proxy(aws, lambda _: None) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        yield server


def test_commands_over_an_output_encrypt_what_they_write(
    deployment: Deployment, recorded: Proxy, tmp_path: Path
) -> None:
    output = deployment.target
    spec = write_spec(tmp_path / "job.json", delta=SMALL, storage={"kms_key": KEY})
    batch = ("--input", deployment.source, "--mini-batch-id", "mb", *SLICE)
    commands: dict[str, tuple[object, ...]] = {
        "run": ("--spec", spec, "--output", output, *batch),
        "replay": (output, "--spec", spec),
        "compact": (output, *DAY_AFTER, "--kms-key", KEY),
        "prune": (output, *DAY_AFTER, "--kms-key", KEY),
    }
    recorded.requests.clear()
    made, codes = {}, {}

    for name, arguments in commands.items():
        before = len(recorded.requests)
        codes[name] = ndr(name, *arguments).exit_code
        made[name] = [one for one in recorded.requests[before:] if makes_object(one)]
        assert other_keys(deployment.bucket, "deltas/") == []

    # The one rejected record can't be kept now either: what was replayed is set aside.
    assert codes == {**dict.fromkeys(commands, 0), "replay": 1}
    assert all(made.values()), made
    assert made_without_key(recorded.requests) == []


@pytest.mark.parametrize("command", ["compact", "prune", "migrate"])
def test_a_key_that_names_none_is_wrong_usage(command: str) -> None:
    before = () if command == "migrate" else DAY_AFTER

    answer = ndr(command, "s3://bucket/out", *before, "--kms-key", "ndr")

    assert answer.exit_code == 2
    assert "'ndr' is no key of KMS; give its ARN" in answer.errors


def needed_of_key(requests: Iterable[Request]) -> set[str]:
    """What S3 does with the key for requests: it makes a new data key for an object, and opens that of one it reads."""
    needed = {"kms:GenerateDataKey" for one in requests if asked_key(one) == KEY}
    reads = (one for one in requests if one.method == "GET" and ".parquet" in one.path)
    return needed | {"kms:Decrypt" for _ in reads}


def granted_of_key(service: str) -> set[str]:
    """What the role of the jobs may do with the key by way of a service."""
    policy = statements("KeyOfOutputs", KmsKeyArn=KEY)
    named = {action for one in policy for action in several(one["Action"])}
    return {one for one in named if allowed(policy, one, KEY, kms__ViaService=service)}


@pytest.fixture
def features(tmp_path: Path, bucket: str) -> FeatureDeployment:
    """Feature jobs whose JobSpecs name the key. The deltas of an hour are published, by the same key."""
    found = deploy_features(tmp_path, bucket, {"w_1h": "1h"}, kms_key=KEY)
    found.publish("hour", MIDNIGHT, 1, traffic(MIDNIGHT, 1))
    return found


def test_feature_commands_encrypt_what_they_write(
    features: FeatureDeployment, recorded: Proxy, tmp_path: Path
) -> None:
    spec = tmp_path / "windows.json"
    spec.write_text(json.dumps(features.windows.to_plain()))
    end = ("--end", "2025-03-02T01:00:00Z", "--partial")
    jobs: dict[str, tuple[str, ...]] = {
        "history": ("--day", "2025-03-02", "--partial"),
        "fg-a": end,
        "fg-b": ("--day", "2025-03-02", "--partial"),
        "fg-c": end,
    }
    recorded.requests.clear()

    for job, options in jobs.items():
        answer = ndr(
            *("features", "run", "--job", job, "--spec", spec, "--output", features.prefix),
            *options,
        )
        assert answer.exit_code == 0, answer.errors

    assert made_without_key(recorded.requests) == []
    assert other_keys(features.bucket, "deltas/") == []
    published = open_output(features.features).manifests(None, None)
    assert {run.facts.job_name for run in published} == {"fg_a", "pair_history", "fg_b", "fg_c"}


def test_deployed_jobs_encrypt_what_they_write_and_their_policies_let_them(
    features: FeatureDeployment, recorded: Proxy
) -> None:
    source = features.land("next", traffic(MIDNIGHT + HOUR_US, 1))
    start, end = (iso_text(MIDNIGHT + hours * HOUR_US) for hours in (1, 2))
    batch = {"mini_batch_id": "next", "mini_batch_s3_prefix": source}
    bounds = {"slice_start_ts": start, "slice_end_ts": end}
    jobs = {
        "run_delta_builder": features.arguments("delta_builder", **batch, **bounds),
        "run_fg_a_builder": features.of_mini_batch("next"),
    }
    recorded.requests.clear()

    for name, arguments in jobs.items():
        done = run_job(name, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    requests = list(recorded.requests)

    assert made_without_key(requests) == []
    assert other_keys(features.bucket, "deltas/") == []
    assert refused_by_policy(features, requests) == []
    assert needed_of_key(requests) == granted_of_key("s3.eu-west-1.amazonaws.com")
    assert granted_of_key("dynamodb.eu-west-1.amazonaws.com") == set()
