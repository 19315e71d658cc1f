"""`ndr spec`, `ndr aws up`, `ndr run` and `ndr inspect` with places in AWS."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
import yaml

from tests.e2e.cli import SLICE, ndr, run, write_spec
from tests.makers import flow, write_batch
from tests.storages.s3_run import FAST_START, rows
from tests.support import objects, spark_session, upload

ROOT = Path(__file__).parents[2]


@pytest.mark.usefixtures("aws")
def test_specs_are_put_listed_and_got(tmp_path: Path) -> None:
    table = f"specs-{uuid.uuid4().hex[:8]}"
    storage = {"input_prefix": "s3://bucket/in", "output_prefix": "s3://bucket/out"}
    file = write_spec(tmp_path / "job.yaml", storage=storage, quality={"min_records": 3})
    missing = ndr("spec", "put", file, "--table", table)
    assert (missing.exit_code, missing.errors.count("\n")) == (2, 1)
    assert "no such table" in missing.errors
    put = ndr("spec", "put", file, "--table", table, "--create-table")
    assert put.exit_code == 0
    assert "test delta_builder#v1 is at revision 1" in put.errors
    write_spec(file, storage=storage, quality={"min_records": 4})
    assert "revision 2" in ndr("spec", "put", file, "--table", table).errors
    write_spec(file, storage=storage, quality={"min_records": 5})
    late = ndr("spec", "put", file, "--table", table, "--expect-revision", 1)
    assert late.exit_code == 2
    assert "is at revision 2, not 1" in late.errors
    (listed,) = ndr("spec", "list", "--table", table, "--json").json()
    assert (listed["project_name"], listed["revision"]) == ("test", 2)
    got = ndr("spec", "get", "--table", table, "--project-name", "test")
    assert yaml.safe_load(got.output)["quality"]["min_records"] == 4
    (tmp_path / "again.yaml").write_text(got.output)
    assert "revision 2" in ndr("spec", "put", tmp_path / "again.yaml", "--table", table).errors


@pytest.mark.usefixtures("aws")
def test_specs_of_feature_jobs_are_put_listed_and_got(tmp_path: Path) -> None:
    table = f"specs-{uuid.uuid4().hex[:8]}"
    file = tmp_path / "fg_a.yaml"
    file.write_text("kind: fg_a\nproject_name: test\n")
    common = ("--table", table, "--create-table")
    nowhere = ndr("spec", "put", file, *common)
    assert nowhere.exit_code == 2
    assert "storage.deltas_prefix: missing" in nowhere.errors
    assert "nothing was stored" in nowhere.errors

    with file.open("a") as stream:
        stream.write("storage: {deltas_prefix: 's3://bucket/out'}\n")
    assert "test fg_a#v1 is at revision 1" in ndr("spec", "put", file, *common).errors

    (listed,) = ndr("spec", "list", "--table", table, "--json").json()
    assert (listed["kind"], listed["job_name"]) == ("fg_a", "fg_a")
    key = ("--project-name", "test", "--job-name", "fg_a")
    got = yaml.safe_load(ndr("spec", "get", "--table", table, *key).output)
    assert got["kind"] == "fg_a"
    assert got["storage"] == {"deltas_prefix": "s3://bucket/out"}


@pytest.mark.parametrize("engine", ["polars", "reference"])
def test_a_run_goes_from_s3_to_s3_and_can_be_inspected(
    tmp_path: Path, bucket: str, engine: str
) -> None:
    spec = write_spec(tmp_path / "job.yaml")
    source = upload(write_batch(tmp_path / "in", [[flow(), "bad"]]), bucket, "in/mb")
    target = f"s3://{bucket}/out"
    answer = ndr(
        *("run", "--spec", spec, "--input", source.replace("s3:", "s3a:"), "--output", target),
        *("--engine", engine, *SLICE),
    )
    assert answer.exit_code == 0, answer.errors
    assert f"{target}/delta/feature_spec_version=v1/dt=2025-03-01/hh=10/mm=00" in answer.output
    found = ndr("inspect", target, "--json").json()
    assert found["quality"][0]["mini_batch_id"].startswith("mb-")
    assert [row["hosts"] for row in found["slices"]] == [1, 1]
    assert run(spec, tmp_path / "in", tmp_path / "out", *SLICE, engine=engine).exit_code == 0
    assert len(rows(target)[0]) == 2


def test_folders_and_s3_mix(tmp_path: Path, bucket: str) -> None:
    spec = write_spec(tmp_path / "job.yaml")
    source = upload(write_batch(tmp_path / "in", [[flow()]]), bucket, "in/mb")
    answer = ndr("run", "--spec", spec, "--input", source, "--output", tmp_path / "out")
    assert answer.exit_code == 0, answer.errors
    to_s3 = ndr("run", "--spec", spec, "--input", tmp_path / "in", "--output", f"s3://{bucket}/o")
    assert to_s3.exit_code == 0, to_s3.errors
    assert objects(bucket, "o/delta/")


def test_spark_reads_what_is_published_as_polars_does(tmp_path: Path, bucket: str) -> None:
    from datetime import UTC, datetime

    from ndr_adapters.outputs import open_output
    from ndr_adapters.spark.fanout.published import read_deltas, read_pairs
    from ndr_adapters.spark.sql.published import read_table

    spec = write_spec(tmp_path / "job.yaml")
    later = flow(event_start="2025-03-01T10:20:00Z", event_end=None)
    batches = [
        upload(write_batch(tmp_path / "in" / name, [records]), bucket, f"in/{name}")
        for name, records in {"one": [flow(), later], "two": [flow()]}.items()
    ]
    for target, scratch in (
        (f"s3://{bucket}/out", f"s3://{bucket}/scratch"),
        (str(tmp_path / "out[1] b"), None),
    ):
        for batch in batches:
            assert ndr("run", "--spec", spec, "--input", batch, "--output", target).exit_code == 0
        deltas, pairs = rows(target)
        session, output = spark_session(), open_output(target)

        found = read_deltas(session, output, scratch=scratch)

        assert found.columns == list(deltas[0])
        ordered = found.orderBy("slice_start_ts", "role", "host_ip").collect()
        hosts = [(row["host_ip"], row["mm"], row["bytes_sent_sum"]) for row in ordered]
        assert hosts == [(row["host_ip"], row["mm"], row["bytes_sent_sum"]) for row in deltas]
        assert len(hosts) == 4
        assert read_pairs(session, output, scratch=scratch).count() == len(pairs)
        half = datetime(2025, 3, 1, 10, 15, tzinfo=UTC)
        assert read_deltas(session, output, since=half).count() == 2
        # Rows as they lie in the files.
        assert read_table(session, output, "delta").count() == 6
    assert objects(bucket, "scratch/ndr-")


def test_the_local_stand_ins_run_the_commands_that_they_print() -> None:
    up = subprocess.Popen(
        [sys.executable, "-m", "ndr_entrypoints.cli", "aws", "up", "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert up.stdout is not None
        told = ""
        while "ndr spec list" not in told:
            line = up.stdout.readline()
            assert line, "ended early"
            told += line
        exports = dict(re.findall(r"(AWS_\w+)=(\S+)", told))
        lines = told.replace("\\\n", "").splitlines()
        commands = [shlex.split(line) for line in lines if line.startswith(("python -m", "ndr "))]
        assert len(commands) == 7
        for command in commands:
            done = subprocess.run(
                [str(Path(sys.executable).parent / command[0]), *command[1:]],
                cwd=ROOT,
                env={**os.environ, **FAST_START, **exports},
                capture_output=True,
                text=True,
                timeout=300,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            if "ndr_entrypoints.run_fg_a_builder" in command:
                assert '"Publications": 1' in done.stdout
        assert "demo" in done.stdout
    finally:
        up.send_signal(signal.SIGINT)
        assert up.wait(20) == 0
