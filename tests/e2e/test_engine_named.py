"""A run says which engine builds, and why that one."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from ndr_adapters.cloudwatch.json_log import JsonLog
from ndr_adapters.local.manifests import read_manifests
from ndr_core.jobs.run import Stage
from tests.e2e.cli import ndr, run, write_spec
from tests.e2e.terminal import shown_on_terminal
from tests.makers import flow, write_batch

WHY = "there is one machine"


@pytest.fixture
def places(tmp_path: Path) -> tuple[object, ...]:
    """Arguments of a run that leave the engine open."""
    batch = write_batch(tmp_path / "in", [[flow()]])
    spec = write_spec(tmp_path / "job.json", delta={"measures": ["sessions_cnt"]})
    return ("run", "--spec", spec, "--input", batch, "--output", tmp_path / "out")


@pytest.mark.parametrize("columns", [80, 140])
def test_a_terminal_shows_it(columns: int, places: tuple[object, ...]) -> None:
    shown = shown_on_terminal(*places, columns=columns)

    assert f"engine polars, because {WHY}" in " ".join(shown.split())


def test_lines_say_it(places: tuple[object, ...], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert ndr(*places).exit_code == 0

    assert f"starting the engine: engine polars, because {WHY} in " in caplog.text


@pytest.mark.parametrize("engine", ["polars", "spark", "reference"])
def test_an_engine_that_is_asked_for_is_the_one_that_builds(
    engine: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    batch = write_batch(tmp_path / "in", [[flow()]])
    spec = write_spec(
        tmp_path / "job.json",
        delta={"measures": ["sessions_cnt"]},
        engine={"one_machine_bytes": 0},
    )

    with caplog.at_level(logging.INFO):
        assert run(spec, batch, tmp_path / "out", engine=engine).exit_code == 0

    assert f"starting the engine: engine {engine}, because it was asked for in " in caplog.text
    (manifest,) = read_manifests(tmp_path / "out")
    assert manifest.facts.engine == engine


def test_an_engine_that_does_not_exist_is_wrong_usage(places: tuple[object, ...]) -> None:
    answer = ndr(*places, "--engine", "sparky")

    assert answer.exit_code == 2
    assert "'sparky' is not one of" in answer.errors


def test_a_deployed_job_says_it_in_json() -> None:
    stream = io.StringIO()

    JsonLog({"run_id": "r"}, stream).done(Stage.START, 0.25, engine="spark", because="it is much")

    said: dict[str, Any] = json.loads(stream.getvalue())
    assert said["stage"] == "start"
    assert (said["engine"], said["because"]) == ("spark", "it is much")
