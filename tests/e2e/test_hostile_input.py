"""Input that somebody made to stop a run: it costs little, and what it holds is judged like any other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cli import Answer, run, write_spec
from tests.support import flow, write_batch

ENGINES = ["reference", "polars", "spark"]


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def report(answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()["report"]
    return found


def test_a_line_of_very_many_keys_is_a_line_like_others(tmp_path: Path, engine_name: str) -> None:
    wide = flow() | {f"unknown_{number}": number for number in range(5000)}
    batch = write_batch(tmp_path / "in", [[wide, flow(), wide]])

    answer = run(
        write_spec(tmp_path / "job.json"), batch, tmp_path / "out", "--json", engine=engine_name
    )

    assert report(answer)["kept"] == 3


def test_lines_that_have_no_key_in_common_are_read(tmp_path: Path, engine_name: str) -> None:
    lines = [flow() | {f"k{line}.{key}": 0 for key in range(60)} for line in range(300)]
    batch = write_batch(tmp_path / "in", [lines])

    answer = run(
        write_spec(tmp_path / "job.json"), batch, tmp_path / "out", "--json", engine=engine_name
    )

    assert report(answer)["kept"] == 300


def test_a_message_names_some_of_very_many_columns_only(tmp_path: Path) -> None:
    record = {f"{'long' * 50}{number}": 0 for number in range(3000)}
    batch = write_batch(tmp_path / "in", [[record]])

    answer = run(write_spec(tmp_path / "job.json"), batch, tmp_path / "out")

    assert answer.exit_code == 2
    assert "no record of the input has a column 'source_ip'" in answer.errors
    assert len(answer.errors) < 5000


def test_an_integer_that_no_double_holds_is_no_time(tmp_path: Path, engine_name: str) -> None:
    start = {"column": "event_start", "format": "epoch_s"}
    spec = write_spec(
        tmp_path / "job.json", input={"preset": "paloalto", "fields": {"event_start": start}}
    )
    lines = [flow(event_start=value) for value in (1740823200, 10**309, -(10**400))]
    batch = write_batch(tmp_path / "in", [[json.dumps(line) for line in lines]])

    answer = run(spec, batch, tmp_path / "out", "--json", engine=engine_name)

    assert (report(answer)["kept"], report(answer)["rejected"]["malformed_json"]) == (1, 2)
