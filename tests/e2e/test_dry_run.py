"""`ndr run --dry-run` reads and judges as a run does, and leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ndr_adapters.scratch import scratch_folder
from tests.e2e.cli import ndr, run, snapshot, write_spec
from tests.makers import flow, write_batch
from tests.support import upload

LINES: list[Any] = [flow(), flow(source_ip="nobody"), "", "bad", flow(source_ip="10.0.0.2")]


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write_spec(tmp_path / "job.json")


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    return write_batch(tmp_path / "in", [LINES, [flow(source_ip="10.0.0.3")]])


def dry(spec: Path, batch: object, *more: object) -> Any:
    return ndr("run", "--spec", spec, "--input", batch, "--dry-run", *more)


def other_folders() -> list[str]:
    """What lies beside a scratch folder of our own."""
    with scratch_folder() as own:
        return [path.name for path in own.parent.iterdir() if path.is_dir() and path != own]


@pytest.mark.parametrize("engine", ["auto", "polars", "reference", "spark", "spark-sql"])
def test_the_report_is_that_of_a_run_by_each_engine(
    spec: Path, batch: Path, tmp_path: Path, engine: str
) -> None:
    before = other_folders()

    answer = dry(spec, batch, "--engine", engine, "--json").json()

    published = run(spec, batch, tmp_path / "out", "--json").json()
    assert answer["report"] == published["report"]
    assert answer["dry_run"] is True
    assert other_folders() == before


def test_the_report_is_shown_and_that_nothing_was_published(spec: Path, batch: Path) -> None:
    answer = dry(spec, batch)

    assert answer.exit_code == 0
    assert "malformed_ip" in answer.output
    assert "nothing was published" in answer.output


def test_an_output_is_looked_at_and_not_touched(spec: Path, batch: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(spec, batch, out, "--mini-batch-id", "a")
    before = snapshot(out)

    again = dry(spec, batch, "-o", out, "--mini-batch-id", "b")
    same = dry(spec, batch, "-o", out, "--mini-batch-id", "a")

    assert again.exit_code == 2
    assert "mini-batch a of job delta_builder holds the same bytes already" in again.errors
    assert same.exit_code == 0
    assert snapshot(out) == before


def test_an_output_that_is_not_there_is_not_made(spec: Path, batch: Path, tmp_path: Path) -> None:
    assert dry(spec, batch, "-o", tmp_path / "none").exit_code == 0
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("engine", ["auto", "polars", "reference", "spark"])
def test_a_limit_leaves_the_first_records(batch: Path, tmp_path: Path, engine: str) -> None:
    quality = {"min_records": 4, "max_rejected_fraction": 1}
    spec = write_spec(tmp_path / "job.json", quality=quality)

    answer = dry(spec, batch, "--limit", 3, "--engine", engine, "--json")

    report = answer.json()["report"]
    assert (report["read"], report["kept"], report["blank_lines"]) == (3, 1, 1)
    assert "note: only the first 3 records are read, of 1 of 2 files" in answer.errors


def test_a_limit_is_refused_where_it_can_not_be_kept(
    spec: Path, batch: Path, tmp_path: Path
) -> None:
    by_itself = run(spec, batch, tmp_path / "out", "--limit", 3)
    by_spark = dry(spec, batch, "--limit", 3, "--engine", "spark-sql")

    assert (by_itself.exit_code, by_spark.exit_code) == (2, 2)
    assert by_itself.errors == "ndr: limit: is for a dry run; add --dry-run\n"
    assert "spark-sql reads whole files" in by_spark.errors
    assert not (tmp_path / "out").exists()


def test_a_run_that_would_fail_shows_its_report_and_why(batch: Path, tmp_path: Path) -> None:
    spec = write_spec(tmp_path / "strict.json", quality={"max_rejected_fraction": 0.1})

    told = dry(spec, batch)
    as_json = dry(spec, batch, "--json")

    assert (told.exit_code, as_json.exit_code) == (1, 1)
    assert "malformed_ip" in told.output
    assert "ndr: a run would fail: quality.max_rejected_fraction: 0.4000 of 5" in told.errors
    found = json.loads(as_json.output)
    assert found["report"]["kept"] == 3
    assert found["exit_code"] == 1
    assert found["error"].startswith("quality.max_rejected_fraction")


def test_quietly_the_exit_code_is_all(spec: Path, batch: Path) -> None:
    answer = dry(spec, batch, "--quiet")

    assert (answer.exit_code, answer.output, answer.errors) == (0, "", "")


def test_a_run_that_publishes_needs_an_output(spec: Path, batch: Path) -> None:
    answer = ndr("run", "--spec", spec, "--input", batch)

    assert answer.exit_code == 2
    assert "Missing option '-o' / '--output'" in answer.errors


def test_a_mini_batch_in_s3_is_judged_where_it_lies(spec: Path, batch: Path, bucket: str) -> None:
    answer = dry(spec, upload(batch, bucket, "in"), "--limit", 2, "--json")

    assert answer.json()["report"]["read"] == 2
