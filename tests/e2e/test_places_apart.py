"""Input and output lie apart: a run that would read what runs publish is refused before any work."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.cli import Answer, ndr, run, snapshot, write_spec
from tests.makers import flow, write_batch
from tests.support import objects, upload

WITHOUT_SPARK = True


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write_spec(tmp_path / "job.json", delta={"measures": ["sessions_cnt"]})


def must_be_refused(answer: Answer, source: object, target: object) -> None:
    """One line that names both places, and wrong usage."""
    assert answer.exit_code == 2, answer.errors
    lines = [line for line in answer.errors.splitlines() if line.startswith("ndr:")]
    assert len(lines) == 1
    assert str(source).rstrip("/") in lines[0]
    assert str(target).rstrip("/") in lines[0]


def by_link(batch: Path) -> Path:
    link = batch.parent / "link"
    link.symlink_to(batch, target_is_directory=True)
    return link / "out"


TARGETS: dict[str, Callable[[Path], str]] = {
    "the same": str,
    "the same with a slash": lambda batch: f"{batch}/",
    "below": lambda batch: f"{batch}/some/out",
    "hidden below": lambda batch: f"{batch}/_out",
    "around": lambda batch: str(batch.parent),
    "by two dots": lambda batch: f"{batch}/../other/../in/out",
    "by a link": lambda batch: str(by_link(batch)),
    "relative": lambda batch: os.path.relpath(batch / "out"),
    "as a file address": lambda batch: f"file://{batch}/out",
}


@pytest.mark.parametrize("name", list(TARGETS))
def test_an_output_in_or_around_the_input_folder_is_refused_however_it_is_spelled(
    name: str, spec: Path, tmp_path: Path
) -> None:
    batch = write_batch(tmp_path / "batches" / "in", [[flow()]])
    target = TARGETS[name](batch)
    before = snapshot(tmp_path)

    answer = ndr("run", "--spec", spec, "--input", batch, "--output", target)

    must_be_refused(answer, batch, target.removeprefix("file://"))
    assert snapshot(tmp_path) == before
    assert list(tmp_path.rglob("_lock")) == []


def test_an_input_in_the_home_folder_is_found_in_the_output(
    spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_batch(tmp_path / "in", [[flow()]])
    monkeypatch.setenv("HOME", str(tmp_path))

    answer = run(spec, Path("~/in"), tmp_path)

    must_be_refused(answer, tmp_path / "in", tmp_path)


def test_a_file_of_the_output_is_no_input(spec: Path, tmp_path: Path) -> None:
    batch, output = write_batch(tmp_path / "in", [[flow(), "bad"]]), tmp_path / "out"
    assert run(spec, batch, output, "--quiet").exit_code == 0
    rejected = next((output / "quarantine").rglob("*.gz"))

    answer = run(spec, rejected, output)

    must_be_refused(answer, rejected, output)


def test_a_link_in_the_input_that_leads_into_the_output_is_refused(
    spec: Path, tmp_path: Path
) -> None:
    batch, output = write_batch(tmp_path / "in", [[flow(), "bad"]]), tmp_path / "out"
    assert run(spec, batch, output, "--quiet").exit_code == 0
    (batch / "more").symlink_to(output / "quarantine", target_is_directory=True)
    before = snapshot(output)

    answer = run(spec, batch, output)

    must_be_refused(answer, batch / "more", output)
    assert snapshot(output) == before


@pytest.mark.parametrize("target", ["in-2", "other", "in.out"])
def test_neighbours_are_apart(target: str, spec: Path, tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [[flow()]])

    assert run(spec, batch, tmp_path / target, "--quiet").exit_code == 0


@pytest.mark.parametrize(
    "target", ["s3://{}/in", "s3a://{}/in/", "s3a://{}/in/out", "s3://{}", "s3://{}/in/x/"]
)
def test_an_output_in_or_around_the_input_prefix_is_refused(
    target: str, bucket: str, spec: Path, tmp_path: Path
) -> None:
    source = upload(write_batch(tmp_path / "in", [[flow()]]), bucket, "in")
    before = objects(bucket)

    answer = ndr("run", "--spec", spec, "--input", source, "--output", target.format(bucket))

    must_be_refused(answer, source, target.format(bucket).replace("s3a:", "s3:").removesuffix("/"))
    assert objects(bucket) == before


def test_a_folder_that_is_mounted_twice_is_one_folder(spec: Path, tmp_path: Path) -> None:
    batch, mounted = write_batch(tmp_path / "in", [[flow()]]), tmp_path / "mounted"
    mounted.mkdir()
    if subprocess.run(["mount", "--bind", batch, mounted], capture_output=True).returncode != 0:
        pytest.skip("folders can't be mounted here")
    try:
        answer = run(spec, batch, mounted / "out")
    finally:
        subprocess.run(["umount", mounted], check=True)

    must_be_refused(answer, batch, mounted / "out")
