"""`ndr features explain` leads a departure back to the baseline, to what that is made of, and to the window."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import frozen

from tests.e2e.cli import Answer, ndr, run, write_spec
from tests.makers import flow, write_batch

WITHOUT_SPARK = True

HOST: Final = "10.0.0.1"
WINDOW: Final = "w_6h@2025-03-13T12:00:00Z"
SPEC: Final = {
    "kind": "fg_a",
    "project_name": "test",
    "windows": {"labels": {"w_6h": "6h"}},
    # All hours of a working day are of one band, so that four windows a day make enough samples in a week.
    "calendar": {"work_from": 0, "work_until": 24, "off_until": 24},
}
USUAL: Final = 1_000_000
LEAVES: Final = 500_000_000


def sessions(day: int, hour: int, sent: int, peer: str = "203.0.113.7") -> dict[str, Any]:
    start = f"2025-03-{day:02}T{hour:02}:30:00Z"
    return flow(
        source_ip=HOST,
        destination_ip=peer,
        source_bytes=sent,
        event_start=start,
        event_end=start,
    )


def days_as_usual_and_a_leak() -> list[dict[str, Any]]:
    """Two weeks on which the host sends as much in each window, and a window in which it sends 500 times that."""
    usual = [sessions(day, hour, USUAL) for day in range(1, 14) for hour in (3, 9, 15, 21)]
    return [*usual, sessions(13, 10, LEAVES, "203.0.113.99")]


@frozen
class Place:
    folder: Path

    @property
    def output(self) -> Path:
        return self.folder / "out"

    @property
    def windows(self) -> Path:
        path = self.folder / "windows.json"
        path.write_text(json.dumps(SPEC))
        return path

    def features(self, command: str, *arguments: object) -> Answer:
        return ndr("features", command, *arguments, "--spec", self.windows, "-o", self.output)

    def explain(self, *arguments: object) -> Answer:
        return self.features("explain", HOST, WINDOW, *arguments)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The place with history, windows, summaries and baselines of the thirteenth day."""
    place = Place(tmp_path_factory.mktemp("departures"))
    batch = write_batch(place.folder / "batch", [days_as_usual_and_a_leak()])
    bounds = ("--slice-start", "2025-03-01T00:00:00Z", "--slice-end", "2025-03-14T00:00:00Z")
    answer = run(write_spec(place.folder / "job.json"), batch, place.output, *bounds)
    assert answer.exit_code == 0, answer.errors
    for job, first, last in (
        ("history", "2025-03-01", "2025-03-12"),
        ("fg-a", "2025-03-04T00:00:00Z", "2025-03-13T12:00:00Z"),
        ("fg-b", "2025-03-04", "2025-03-12"),
    ):
        answer = place.features("backfill", "--job", job, "--from", first, "--to", last, "--quiet")
        assert answer.exit_code == 0, answer.errors
    return place


def test_a_z_is_led_back_to_the_baseline_and_to_the_bytes_that_left(built: Place) -> None:
    answer = built.explain("--column", "ext_bytes_sent_sum_z")

    assert answer.exit_code == 0, answer.errors
    text = answer.output
    baseline, _, window = text.partition(
        f"{HOST}, w_6h: 2025-03-13T06:00:00Z to 2025-03-13T12:00:00Z"
    )
    assert "Baselines of 2025-03-13, on which the window begins" in baseline
    assert "OUTBOUND, baseline of 7d" in baseline
    assert "baseline of ext_bytes_sent_sum, in bytes" in baseline
    assert "2025-03-04T00:00:00Z" in baseline, "the start of the horizon"
    assert "2025-03-11T00:00:00Z" in baseline, "its end"
    assert "ext_bytes_sent_sum_z = (x - median) / max(" in baseline
    assert "501000000" in baseline
    assert "203.0.113.99" in window
    assert "500,000,000" in window


def test_json_has_the_numbers_behind_a_z(built: Place) -> None:
    found = built.explain("--column", "ext_bytes_sent_sum_z", "--json").json()

    comparison = found["comparison"]
    assert comparison["baselines"]["name"] == "baseline-2025-03-13"
    rows = {(row["role"], row["horizon"]): row["columns"] for row in comparison["rows"]}
    (z,) = rows["outbound", "7d"]
    operands = {one["name"]: one["value"] for one in z["operands"]}
    assert operands["x"] == USUAL + LEAVES
    assert operands["median"] == pytest.approx(USUAL, rel=1e-3)
    scale = max(operands["median"] * 0.05, 1024)
    assert z["value"] == pytest.approx((operands["x"] - operands["median"]) / scale)
    (baseline,) = next(
        one["rows"] for one in z["evidence"] if one["title"].startswith("baseline of")
    )
    assert (baseline["scope"], baseline["n"], baseline["days"]) == ("host", 20, 7)
    assert baseline["scale"] == pytest.approx(scale)
    columns = [one["column"] for row in found["rows"] for one in row["columns"]]
    assert set(columns) == {"ext_bytes_sent_sum"}


def test_a_score_is_led_back_to_the_metric_that_made_it(built: Place) -> None:
    found = built.explain("--column", "exfil_score", "--json").json()

    rows = {(row["role"], row["horizon"]): row["columns"] for row in found["comparison"]["rows"]}
    (score,) = rows["outbound", "7d"]
    operands = {one["name"]: one["value"] for one in score["operands"]}
    share = operands["new_ext_bytes_sent"] / operands["ext_bytes_sent_sum"]
    z = operands["ext_bytes_sent_sum_z"]
    assert score["value"] == pytest.approx(z / (z + 6) * (share + 1) / 2)
    assert score["value"] > 0.99
    columns = {one["column"] for row in found["rows"] for one in row["columns"]}
    assert columns == {"ext_bytes_sent_sum", "new_ext_bytes_sent"}


def test_columns_of_windows_and_of_correlations_can_be_asked_for_together(built: Place) -> None:
    found = built.explain(
        "--column", "sessions_cnt_ratio", "--column", "drop_ratio", "--json"
    ).json()

    columns = {one["column"] for row in found["rows"] for one in row["columns"]}
    assert columns == {"sessions_cnt", "drop_ratio"}


def test_a_column_of_neither_is_an_error_that_names_the_nearest(built: Place) -> None:
    answer = built.explain("--column", "ext_bytes_sent_sum_zz")

    assert answer.exit_code == 2
    assert (
        "column: 'ext_bytes_sent_sum_zz' is no column of windows or of correlations"
        in answer.errors
    )
    assert "ext_bytes_sent_sum_z" in answer.errors


def test_a_jobspec_of_correlations_can_be_given(built: Place) -> None:
    other = built.folder / "fg_c.json"
    metrics = {"metrics": ["sessions_cnt", "ext_bytes_sent_sum"], "key_metrics": ["sessions_cnt"]}
    parts = {"baselines": metrics, "anomaly": {"key_metrics": ["sessions_cnt"]}}
    other.write_text(json.dumps(SPEC | {"kind": "fg_c"} | parts))

    answer = built.explain("--column", "anomaly_strength", "--with-spec", other)

    assert answer.exit_code == 2, "the baselines were made with other metrics"
    assert "baselines.metrics" in answer.errors
