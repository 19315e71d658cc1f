"""A command that fails says so in one line and, where JSON was asked for, in one object."""

from __future__ import annotations

import json
import socket
import urllib.request
import uuid
from pathlib import Path

import pytest

from ndr_adapters.stand_ins.server import stand_ins
from ndr_core.errors import UsageError
from tests.e2e.cli import Answer, ndr, run, write_spec
from tests.makers import flow, write_batch

ROLE = "arn:aws:iam::123456789012:role/ndr-job"
PIPELINE = ("--role-arn", ROLE, "--code-prefix", "s3://code-bucket/ndr")


def one_line(answer: Answer, exit_code: int = 2) -> str:
    assert answer.exit_code == exit_code, answer.errors
    (line,) = answer.errors.splitlines()
    return line


@pytest.mark.parametrize("command", ["definition", "upsert"])
@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--instance-type", "big", "Invalid SageMaker instance type: big"),
        ("--role-arn", "ndr-job", "role-arn: 'ndr-job' is no ARN of a role"),
        ("--name", "a_b", "name: 'a_b'"),
        ("--instance-count", "0", "instance-count: 0 is below 1"),
        ("--volume-gb", "0", "volume-gb: 0 is below 1"),
        ("--max-runtime-seconds", "-1", "max-runtime-seconds: -1 is below 1"),
        ("--security-group", "sg-1", "security-group: needs --subnet"),
    ],
)
@pytest.mark.usefixtures("aws")
def test_a_wrong_setting_of_the_pipeline_is_wrong_usage(
    command: str, option: str, value: str, message: str
) -> None:
    assert message in one_line(ndr("pipeline", command, *PIPELINE, option, value))


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("storage", "message"),
    [
        ({}, "storage.input_prefix"),
        ({"input_prefix": "s3://bucket/in"}, "storage.output_prefix"),
        ({"output_prefix": "s3://bucket/out"}, "storage.input_prefix"),
        (
            {"input_prefix": "s3://bucket/in", "output_prefix": "s3://bucket/in/out"},
            "storage.output_prefix: must not lie in input_prefix",
        ),
    ],
)
def test_a_spec_that_the_job_must_refuse_is_not_stored(
    storage: dict[str, str], message: str, tmp_path: Path
) -> None:
    table = f"specs-{uuid.uuid4().hex[:8]}"
    file = write_spec(tmp_path / "job.yaml", storage=storage)
    put = one_line(ndr("spec", "put", file, "--table", table, "--create-table"))
    assert message in put
    assert str(file) in put
    assert "no such table" in one_line(ndr("spec", "list", "--table", table))


@pytest.mark.usefixtures("aws")
def test_a_table_without_specs_is_said_to_have_none(tmp_path: Path) -> None:
    table = f"specs-{uuid.uuid4().hex[:8]}"
    storage = {"input_prefix": "s3://bucket/in", "output_prefix": "s3://bucket/out"}
    file = write_spec(tmp_path / "job.yaml", storage=storage)
    assert ndr("spec", "put", file, "--table", table, "--create-table").exit_code == 0
    none = ndr("spec", "list", "--table", table, "--project-name", "other")
    assert none.output == ""
    assert one_line(none, 0) == f"table {table}: holds no JobSpec of project other"
    as_json = ndr("spec", "list", "--table", table, "--project-name", "other", "--json")
    assert as_json.json() == []


@pytest.mark.parametrize("place", ["file/job.yaml", "missing/job.yaml"])
def test_a_spec_that_can_not_be_written_is_wrong_usage(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    target = tmp_path / place
    line = one_line(ndr("spec", "init", "--preset", "zeek", "--output", target))
    assert line.startswith(f"ndr: {target}: can't be written: ")


def test_a_package_that_can_not_be_written_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    target = tmp_path / "file" / "package"
    line = one_line(ndr("pipeline", "package", "--output", target))
    assert line.startswith(f"ndr: {target}: can't be written: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--spec", "nowhere.yaml", "--input", "in", "--output", "out"],
        ["run", "--spec", "nowhere.yaml"],
        ["run", "--no-such-option"],
        ["inspect", "nowhere"],
        ["schema", "--spec", "nowhere.yaml"],
    ],
)
def test_wrong_usage_is_json_where_json_is_asked_for(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plain, answer = ndr(*arguments), ndr(*arguments, "--json")
    assert plain.output == ""
    found = json.loads(answer.output)
    assert answer.exit_code == found["exit_code"] == plain.exit_code == 2
    assert found["error"] in answer.errors
    assert answer.errors == plain.errors


def test_a_run_that_fails_is_json_where_json_is_asked_for(tmp_path: Path) -> None:
    spec = write_spec(tmp_path / "job.json", quality={"min_records": 9})
    batch = write_batch(tmp_path / "in", [[flow()]])
    answer = run(spec, batch, tmp_path / "out", "--json")
    found = json.loads(answer.output)
    assert answer.exit_code == found["exit_code"] == 1
    assert "min_records" in found["error"]
    assert answer.errors.splitlines()[-1] == f"ndr: {found['error']}"


def test_the_port_of_the_stand_ins_can_be_taken_again_at_once() -> None:
    with stand_ins(0) as environment:
        address = environment["AWS_ENDPOINT_URL"]
        port = int(address.rpartition(":")[2])
        # The server ends the connection, so that its side of it waits for a while.
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET /moto-api/ HTTP/1.0\r\n\r\n")
            while connection.recv(65536):
                pass
    with stand_ins(port), urllib.request.urlopen(f"{address}/moto-api/") as answer:
        assert answer.status == 200


def test_a_port_that_is_taken_is_wrong_usage() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with (
            pytest.raises(UsageError, match=f"port {port}: .*; choose another with --port"),
            stand_ins(port),
        ):
            pass
