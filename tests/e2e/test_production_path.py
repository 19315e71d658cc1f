"""The deployed job: JobSpec from DynamoDB, records from S3, Spark, deltas to S3; and what it says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.parse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from ndr_adapters.aws.clients import dynamodb_client
from ndr_adapters.dynamodb.job_specs import JobSpecTable
from tests.credentials import SESSION_TOKEN
from tests.e2e.cli import ndr
from tests.e2e.deployment import Deployed, Deployment, said, stages_of
from tests.makers import flow, make_spec, us, write_batch
from tests.planted_secrets import objects_with_secrets
from tests.soak import only_in_soak
from tests.stand_in import Request, proxy
from tests.storages.s3_run import FAST_START, publish, rows
from tests.storages.test_deploy import allowed, several
from tests.support import objects, upload
from tests.template import statements

ROOT = Path(__file__).parents[2]
AT_ONCE_SPREAD = {"one_machine_bytes": 0}
"""Of a JobSpec: any batch is too large for one machine."""


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ndr_entrypoints.run_delta_builder", *arguments],
        cwd=ROOT,
        env={**os.environ, **FAST_START, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def only_error(done: subprocess.CompletedProcess[str], exit_code: int) -> str:
    """The one message of a run that failed."""
    assert done.returncode == exit_code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    (line,) = [line for line in said(done) if line.get("level") == "ERROR"]
    assert line["exit_code"] == exit_code
    assert [line["RunFailed"] for line in said(done) if "RunFailed" in line] == [1]
    message: str = line["message"]
    return message


def test_the_job_runs_as_it_is_deployed_and_logs_what_it_did(deployment: Deployment) -> None:
    s3a = deployment.source.replace("s3://", "s3a://")
    done = run(*deployment.arguments(mini_batch_s3_prefix=s3a))
    assert done.returncode == 0, done.stdout + done.stderr
    publish(deployment.source, f"s3://{deployment.bucket}/polars", spec=deployment.spec)
    assert rows(deployment.target) == rows(f"s3://{deployment.bucket}/polars")

    lines, stages = said(done), stages_of(done)
    assert list(stages) == ["look", "start", "build", "publish"]
    assert all(line["run_id"] == "run-1" and line["seconds"] >= 0 for line in stages.values())
    assert (stages["look"]["files"], stages["build"]["kept"]) == (2, 3)
    assert stages["start"]["engine"] == "polars"
    assert "packed bytes are at most" in stages["start"]["because"]
    assert stages["publish"]["rows"] == stages["build"]["rows"] == 4
    assert stages["publish"]["bytes"] > 0

    metrics = [line for line in lines if "_aws" in line]
    for line in metrics:  # each metric and dimension that a directive names is a member of its line
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        named = [metric["Name"] for metric in directive["Metrics"]]
        assert all(isinstance(line[name], int | float) for name in named)
        assert all(isinstance(line[name], str) for name in directive["Dimensions"][0])
    totals = metrics[0]
    assert (totals["RecordsRead"], totals["RecordsKept"], totals["RunFailed"]) == (4, 3, 0)
    assert totals["DeltaRows"] == 2
    rejected = {line["rule"]: line["RecordsRejected"] for line in metrics if "rule" in line}
    assert rejected["malformed_record"] == 1
    assert {line["stage"] for line in metrics if "stage" in line} == set(stages)


def test_empty_bounds_are_none_and_an_empty_name_is_wrong_usage(deployment: Deployment) -> None:
    done = run(*deployment.arguments(slice_start_ts="", slice_end_ts="", run_id=""))
    assert done.returncode == 2
    assert "--run-id" in done.stderr
    assert "is empty" in done.stderr
    half = only_error(run(*deployment.arguments(slice_end_ts="")), 2)
    assert "give both slice-start and slice-end" in half


def test_what_is_missing_is_one_clear_line_and_exit_code_2(deployment: Deployment) -> None:
    arguments = deployment.arguments
    assert "table nowhere: no such table" in only_error(
        run(*arguments(job_spec_ddb_table_name="nowhere")), 2
    )
    assert "has no JobSpec for project_name='test'" in only_error(
        run(*arguments(feature_spec_version="v9")), 2
    )
    nothing = f"s3://{deployment.bucket}/landing/demo/nothing"
    assert "no files there; check the prefix" in only_error(
        run(*arguments(mini_batch_s3_prefix=nothing)), 2
    )
    assert "'now' is no ISO-8601 time" in only_error(run(*arguments(slice_start_ts="now")), 2)
    assert "may hold letters" in only_error(run(*arguments(mini_batch_id="a/b")), 2)


def test_the_job_keeps_to_the_prefixes_of_its_spec(deployment: Deployment) -> None:
    for elsewhere in ("s3://other-bucket/landing/demo/mb", f"s3://{deployment.bucket}/landing"):
        message = only_error(run(*deployment.arguments(mini_batch_s3_prefix=elsewhere)), 2)
        assert "lies outside storage.input_prefix" in message
    JobSpecTable(dynamodb_client(), deployment.table).put(make_spec())
    assert "storage.input_prefix: missing" in only_error(run(*deployment.arguments()), 2)


def test_a_forbidden_bucket_is_told_before_spark_starts(deployment: Deployment, aws: str) -> None:
    def forbid(request: Request) -> str | None:
        return "403" if request.writes and "/deltas/" in request.path else None

    with proxy(aws, forbid) as server:
        done = run(*deployment.arguments(), AWS_ENDPOINT_URL=server.address)
    assert "PutObject is not allowed (AccessDenied)" in only_error(done, 2)
    assert "start" not in [line.get("stage") for line in said(done)]


def test_a_failed_threshold_is_exit_code_1_and_debug_shows_the_trace(
    deployment: Deployment,
) -> None:
    deployment.change_spec(quality={"max_rejected_fraction": 0.1})
    assert "max_rejected_fraction" in only_error(run(*deployment.arguments()), 1)
    assert {path.split("/")[2] for path in objects(deployment.bucket, "deltas/")} == {"failed"}
    assert "Traceback" in run(*deployment.arguments(run_id="a/b"), "--debug").stderr


def test_a_job_that_is_stopped_says_so_and_counts_as_failed(deployment: Deployment) -> None:
    """While it starts Spark, which takes so long that the signal comes in time."""
    deployment.change_spec(engine=AT_ONCE_SPREAD)
    process = subprocess.Popen(
        [sys.executable, "-m", "ndr_entrypoints.run_delta_builder", *deployment.arguments()],
        cwd=ROOT,
        env={**os.environ, **FAST_START},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    begun = iter(process.stdout.readline, "")
    assert any(json.loads(line).get("stage") == "look" for line in begun)

    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)

    lines = [json.loads(line) for line in out.splitlines()]
    assert process.returncode == 143
    (error,) = [line for line in lines if line.get("level") == "ERROR"]
    assert error["message"] == "stopped by SIGTERM; nothing was published"
    assert error["exit_code"] == 143
    assert [line["RunFailed"] for line in lines if "RunFailed" in line] == [1]
    assert objects(deployment.bucket, "deltas/") == {}


def needed(request: Request, bucket: str) -> tuple[str, str, str | None]:
    """Action, resource and prefix that a request to S3 or DynamoDB stands for."""
    target = request.headers.get("X-Amz-Target")
    if target is not None:
        return f"dynamodb:{target.rpartition('.')[2]}", "table", None
    url = urllib.parse.urlsplit(request.path)
    query = urllib.parse.parse_qs(url.query)
    key = urllib.parse.unquote(url.path).strip("/").partition("/")[2]
    resource = f"arn:aws:s3:::{bucket}/{key}"
    if request.method == "GET" and not key:
        return "s3:ListBucket", f"arn:aws:s3:::{bucket}", query.get("prefix", [""])[0]
    if request.method in ("GET", "HEAD"):
        return "s3:GetObject", resource, None
    if request.method == "DELETE" or "delete" in url.query:
        return "s3:DeleteObject", resource, None
    return "s3:PutObject", resource, None


def refused_by_policy(
    deployment: Deployed, requests: Iterable[Request]
) -> list[tuple[str, str, str | None]]:
    """What requests asked for that the job's policy does not allow."""
    policy = statements(
        "JobRole",
        ProjectName=deployment.spec.project_name,
        LandingBucket=deployment.bucket,
        DeltasBucket=deployment.bucket,
        JobSpecTable=deployment.table,
    )

    def may(action: str, resource: str, prefix: str | None) -> bool:
        if action.startswith("dynamodb:"):  # table and key are in the body
            table = f"arn:aws:dynamodb:eu-west-1:123456789012:table/{deployment.table}"
            own = deployment.spec.project_name
            return allowed(policy, action, table, dynamodb__LeadingKeys=[own])
        if action == "s3:DeleteObject" and resource.endswith("/"):  # many, named in the body
            return allowed(policy, action, f"{resource}deltas/demo/any")
        return allowed(policy, action, resource, **({"s3__prefix": prefix} if prefix else {}))

    asked = {needed(request, deployment.bucket) for request in requests}
    return [item for item in sorted(asked, key=str) if not may(*item)]


def unused_of_policy(deployment: Deployed, requests: Iterable[Request]) -> set[str]:
    """Actions on S3 and DynamoDB that the job's policy allows and no request asked for."""
    granted = {
        action
        for statement in statements("JobRole")
        for action in several(statement["Action"])
        if action.startswith(("s3:", "dynamodb:"))
    }
    return granted - {needed(request, deployment.bucket)[0] for request in requests}


@pytest.mark.parametrize(("engine", "settings"), [("polars", {}), ("spark", AT_ONCE_SPREAD)])
def test_the_jobs_policy_covers_all_that_the_job_asks_of_s3_and_dynamodb(
    engine: str, settings: dict[str, Any], deployment: Deployment, aws: str
) -> None:
    deployment.change_spec(engine=settings)
    with proxy(aws, lambda _: None) as server:
        token = {"AWS_SESSION_TOKEN": SESSION_TOKEN}
        done = run(*deployment.arguments(), AWS_ENDPOINT_URL=server.address, **token)

    assert stages_of(done)["start"]["engine"] == engine
    assert len({needed(request, deployment.bucket) for request in server.requests}) > 25
    assert refused_by_policy(deployment, server.requests) == []
    assert unused_of_policy(deployment, server.requests) == {"s3:AbortMultipartUpload"}
    assert objects_with_secrets(objects(deployment.bucket, "deltas/")) == []


@only_in_soak
def test_a_real_day_through_s3_is_the_same_from_all_engines(zeek_day: Path, bucket: str) -> None:
    """By slices of an hour: those of a quarter, which a test over folders makes, are some hundred files."""
    source = upload(zeek_day, bucket, "in/zeek")
    spec = make_spec("zeek", delta={"slice_minutes": 60})
    reports = []
    for engine in ("polars", "spark", "spark-sql"):
        target = f"s3://{bucket}/{engine}"
        day = (us("2024-04-19T00:00:00Z"), us("2024-04-20T00:00:00Z"))
        done = publish(source, target, start=day[0], end=day[1], engine=engine, spec=spec)
        reports.append(done.report)
    assert (reports[0].read, reports[0].kept, reports[0].late) == (31_367, 31_367, 2)
    assert reports[0] == reports[1] == reports[2]
    expected = rows(f"s3://{bucket}/polars")
    assert rows(f"s3://{bucket}/spark") == expected
    assert rows(f"s3://{bucket}/spark-sql") == expected


@only_in_soak
def test_a_made_batch_through_s3_is_the_same_from_all_engines(tmp_path: Path, bucket: str) -> None:
    options = ("--records", 20_000, "--bad-fraction", 0.05, "--files", 5, "--quiet")
    hour = ("--slice-start", "2025-03-01T10:00:00Z", "--slice-end", "2025-03-01T11:00:00Z")
    assert ndr("generate", "--output", tmp_path / "in", *options, *hour).exit_code == 0
    source = upload(tmp_path / "in", bucket, "in/made")
    done = {
        engine: publish(
            source, f"s3://{bucket}/{engine}", start=None, engine=engine, spec=make_spec()
        )
        for engine in ("polars", "spark", "spark-sql")
    }
    assert done["polars"].report == done["spark"].report == done["spark-sql"].report
    assert sum(done["spark"].report.rejected.values()) > 400
    assert len(done["spark"].manifest.slices()) >= 4
    expected = rows(f"s3://{bucket}/polars")
    assert rows(f"s3://{bucket}/spark") == expected
    assert rows(f"s3://{bucket}/spark-sql") == expected


def test_file_names_are_names_not_patterns_or_escapes(tmp_path: Path, bucket: str) -> None:
    odd = ["a b", "p%20q", "x+y", "[z]", "q?", "h#h", "ä", "st*r", "{b}", "a=b", "c,d"]
    write_batch(tmp_path / "in", [[flow(source_port=number)] for number in range(len(odd))])
    for name, path in zip(odd, sorted((tmp_path / "in").iterdir()), strict=True):
        path.rename(path.with_name(f"{name}.json.gz"))
    source = upload(tmp_path / "in", bucket, "in/odd")
    for engine in ("polars", "spark", "spark-sql"):
        done = publish(source, f"s3://{bucket}/{engine}", engine=engine)
        assert done.report.kept == len(odd), engine
