"""Windows are what Feast needs, and its example joins them to labels at points in time."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest

from tests.e2e.cli import ndr, run, write_spec
from tests.makers import flow, write_batch

WITHOUT_SPARK = True

ROOT: Final = Path(__file__).parents[2]
EXAMPLE: Final = ROOT / "examples" / "feast"
FEAST: Final = ROOT / ".venv-feast" / "bin" / "python"
"""`make test` sets it up."""
HOST: Final = "10.0.0.1"


def record(start: str, **changes: Any) -> dict[str, Any]:
    return flow(source_ip=HOST, event_start=start, event_end=start, **changes)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example in a folder of its own, with exported windows: of two quarters, 3 sessions, then 1."""
    folder = tmp_path_factory.mktemp("feast")
    records = [record(f"2025-03-01T10:{minute}:00Z") for minute in ("01", "02", "03", "20")]
    batch = write_batch(folder / "batch", [records])
    bounds = ("--slice-start", "2025-03-01T10:00:00Z", "--slice-end", "2025-03-01T10:30:00Z")
    answer = run(write_spec(folder / "job.json"), batch, folder / "out", *bounds)
    assert answer.exit_code == 0, answer.errors
    windows = folder / "windows.json"
    windows.write_text(json.dumps({"kind": "fg_a", "project_name": "test"}))
    span = ("--from", "2025-03-01T10:00:00Z", "--to", "2025-03-01T10:30:00Z")
    answer = ndr("features", "backfill", "--spec", windows, "-o", folder / "out", *span)
    assert answer.exit_code == 0, answer.errors
    example = folder / "example"
    shutil.copytree(EXAMPLE, example, ignore=shutil.ignore_patterns("data"))
    python(sys.executable, example / "export.py", folder / "out" / "features", example / "data")
    return example


def python(interpreter: Path | str, *arguments: object) -> None:
    # The project is imported from where it is tested.
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [str(interpreter), *map(str, arguments)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_export_has_a_time_and_keys_in_each_row_and_a_type_for_each_column(
    exported: Path,
) -> None:
    rows = pl.read_parquet(exported / "data" / "fg_a.parquet")
    types = json.loads((exported / "data" / "fg_a.json").read_text())

    keys = ["host_ip", "role", "window_label", "window_end_ts"]
    assert rows.height > 0
    assert rows.schema["window_end_ts"] == rows.schema["published_at"] == pl.Datetime("us", "UTC")
    assert rows.select(keys).null_count().row(0) == (0,) * len(keys)
    assert rows.select(keys).is_duplicated().sum() == 0
    assert list(types) == rows.columns
    assert (types["sessions_cnt"], types["drop_ratio"]) == ("Int64", "Float64")
    assert (types["host_ip"], types["window_end_ts"]) == ("String", "UnixTimestamp")


@pytest.fixture(scope="module")
def training(exported: Path) -> list[dict[str, str]]:
    """Labels of one host at several moments, with the features that Feast gives for them."""
    if not FEAST.exists():
        assert "CI" not in os.environ, "make test sets up .venv-feast"
        pytest.skip("there is no .venv-feast: make test sets it up")
    labels = exported / "labels.csv"
    with labels.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["host_ip", "role", "window_label", "event_timestamp"])
        for time in ("10:14", "10:20", "10:31", "11:31"):
            writer.writerow([HOST, "outbound", "w_15m", f"2025-03-01T{time}:00Z"])
    python(FEAST, exported / "training.py", labels, exported / "training.csv")
    with (exported / "training.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_label_gets_the_last_window_that_had_ended_at_its_moment(
    training: list[dict[str, str]],
) -> None:
    sessions = {
        f"{datetime.fromisoformat(row['event_timestamp']):%H:%M}": row["sessions_cnt"]
        for row in training
    }

    assert float(sessions["10:20"]) == 3
    assert float(sessions["10:31"]) == 1


def test_a_label_gets_nothing_of_a_window_that_ends_later_or_is_too_old(
    training: list[dict[str, str]],
) -> None:
    known = [row["event_timestamp"] for row in training if row["sessions_cnt"]]

    assert len(known) == 2
    assert not any("10:14" in moment or "11:31" in moment for moment in known)
