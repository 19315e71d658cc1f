"""`~` is the home folder, wherever a path is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_deltas
from tests.e2e.cli import ndr, run, write_spec
from tests.makers import flow, write_batch


@pytest.mark.parametrize("engine", ["reference", "polars", "spark", "spark-sql"])
def test_spec_input_and_output_may_lie_in_the_home_folder(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, home = tmp_path / "here", tmp_path / "home"
    here.mkdir()
    write_batch(home / "in", [[flow(), "bad"]])
    write_spec(home / "job.json", delta={"measures": ["sessions_cnt"]})
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)

    answer = run(Path("~/job.json"), Path("~/in"), Path("~/out"), "--json", engine=engine)

    assert answer.json()["report"]["kept"] == 1
    assert (
        read_deltas(open_output("~/out")).collect().height
        == read_deltas(open_output(home / "out")).collect().height
        == 2
    )
    assert ndr("inspect", "~/out", "--json").exit_code == 0
    assert list(here.iterdir()) == []


def test_what_commands_write_may_lie_there_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, home = tmp_path / "here", tmp_path / "home"
    here.mkdir()
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)

    assert ndr("generate", "--records", 10, "--output", "~/made", "--quiet").exit_code == 0
    assert ndr("spec", "init", "--preset", "zeek", "--output", "~/job.yaml").exit_code == 0
    assert ndr("pipeline", "package", "--output", "~/package", "--without-wheels").exit_code == 0

    assert {path.name for path in home.iterdir()} == {"made", "job.yaml", "package"}
    assert list(here.iterdir()) == []
