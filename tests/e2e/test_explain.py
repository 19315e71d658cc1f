"""`ndr features explain` works a host's window out again from what is published, and shows what made it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_table
from tests.e2e.cli import Answer, ndr, run, write_spec
from tests.makers import flow, write_batch

WITHOUT_SPARK = True

HOST = "10.0.0.1"
HOUR = "w_1h@2025-03-10T11:00:00Z"


def record(start: str, **changes: Any) -> dict[str, Any]:
    return flow(event_start=start, event_end=start, **changes)


def days_of_one_peer() -> list[dict[str, Any]]:
    """Nine days on which the host meets one peer, and an hour in which it meets a new one, too."""
    known = [record(f"2025-03-{day:02}T09:00:00Z") for day in range(1, 10)]
    hour = [record(f"2025-03-10T10:{minute:02}:00Z") for minute in (5, 20, 50)]
    new = record("2025-03-10T10:30:00Z", destination_ip="203.0.113.9", source_bytes=5000)
    return [*known, *hour, new]


@frozen
class Place:
    """An output with deltas of nine days and one, and the history of the nine."""

    folder: Path

    @property
    def output(self) -> Path:
        return self.folder / "out"

    @property
    def deltas(self) -> Path:
        return write_spec(self.folder / "deltas.json")

    @property
    def windows(self) -> Path:
        spec = {"kind": "fg_a", "project_name": "test"}
        path = self.folder / "windows.json"
        path.write_text(json.dumps(spec))
        return path

    def add(self, name: str, records: list[dict[str, Any]], start: str, end: str) -> None:
        batch = write_batch(self.folder / name, [records])
        bounds = ("--slice-start", start, "--slice-end", end)
        answer = run(self.deltas, batch, self.output, "--mini-batch-id", name, *bounds)
        assert answer.exit_code == 0, answer.errors

    def features(self, command: str, *arguments: object) -> Answer:
        return ndr("features", command, *arguments, "--spec", self.windows, "-o", self.output)

    def explain(self, *arguments: object, host: str = HOST, window: str = HOUR) -> Answer:
        return self.features("explain", host, window, *arguments)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The place with its windows of 11:00 on the tenth day published."""
    place = Place(tmp_path_factory.mktemp("explained"))
    place.add("days", days_of_one_peer(), "2025-03-01T00:00:00Z", "2025-03-10T12:00:00Z")
    history = ("--job", "history", "--from", "2025-03-01", "--to", "2025-03-09")
    assert place.features("backfill", *history).exit_code == 0
    answer = place.features("run", "--end", "2025-03-10T11:00:00Z", "--label", "w_1h")
    assert answer.exit_code == 0, answer.errors
    return place


def columns(explained: dict[str, Any], role: str = "outbound") -> dict[str, dict[str, Any]]:
    (row,) = (row for row in explained["rows"] if row["role"] == role)
    return {one["column"]: one for one in row["columns"]}


def test_an_explanation_names_slices_history_and_the_run_that_published_the_row(
    built: Place,
) -> None:
    found = built.explain("--json").json()

    assert (found["host_ip"], found["window_label"]) == (HOST, "w_1h")
    assert (found["window_start"], found["window_end"]) == (
        "2025-03-10T10:00:00Z",
        "2025-03-10T11:00:00Z",
    )
    assert [one["slice_start"] for one in found["slices"]] == [
        f"2025-03-10T10:{minute}:00Z" for minute in ("00", "15", "30", "45")
    ]
    assert all(one["is_published"] for one in found["slices"])
    assert {each["mini_batch"] for one in found["slices"] for each in one["contributions"]} == {
        "days"
    }
    assert (found["history"]["day"], found["history"]["rows_of"]) == ("2025-03-10", "2025-03-09")
    assert found["history"]["slices"] == [
        {"since": "2025-03-10T00:00:00Z", "until": "2025-03-10T10:00:00Z"}
    ]
    assert found["published"]["rows"] == [{"role": "outbound", "differs": {}}]
    assert found["stale"] == []


def test_an_explanation_says_what_is_new_and_by_what_numbers(built: Place) -> None:
    found = columns(built.explain("--json").json())

    assert found["sessions_cnt"]["value"] == 4
    assert found["new_peer_cnt"]["value"] == 1
    assert [one["rows"] for one in found["new_peer_cnt"]["evidence"]] == [
        [{"peer_ip": "203.0.113.9", "sessions_cnt": 1, "bytes_sent_sum": 5000}]
    ]
    assert found["new_peer_ratio"]["worked"] == "1 / 2"
    assert found["history_days"]["value"] == 9


def test_an_explanation_reads_well(built: Place) -> None:
    text = built.explain("--column", "new_ext_bytes_sent").output

    for said in (
        "10.0.0.1, w_1h: 2025-03-10T10:00:00Z to 2025-03-10T11:00:00Z",
        "Up to date: it has read what is published now.",
        "Slices: 4 of 4 are published.",
        "History of the window, seen from 2025-03-10: the pair history of 2025-03-09 (published ",
        "and slices 2025-03-10T00:00:00Z to 2025-03-10T10:00:00Z, as one day.",
        "OUTBOUND",
        "The published row is what the slices give now.",
        "new_ext_bytes_sent = novelty:new_ext_bytes if history_days >= 7, else null",
        "new_ext_bytes_sent: new external peers",
        "203.0.113.9",
    ):
        assert said in text


def test_a_window_that_no_run_has_built_is_explained_too(built: Place) -> None:
    window = "w_15m@2025-03-10T10:30:00Z"

    found = built.explain("--json", window=window).json()

    assert found["published"] is None
    assert columns(found)["sessions_cnt"]["value"] == 1
    assert (
        "Not published: no run has built windows of this end" in built.explain(window=window).output
    )


def test_slices_that_are_missing_are_named(built: Place) -> None:
    found = built.explain("--json", window="w_8h@2025-03-10T13:00:00Z").json()
    text = built.explain(window="w_8h@2025-03-10T13:00:00Z").output

    missing = [one["slice_start"] for one in found["slices"] if not one["is_published"]]
    assert missing == [f"2025-03-10T12:{minute}:00Z" for minute in ("00", "15", "30", "45")]
    assert columns(found)["is_partial"]["value"] == 1
    assert "Slices: 28 of 32 are published." in text
    assert f"Missing: {', '.join(missing)}" in text


def test_a_host_without_sessions_has_no_row(built: Place) -> None:
    text = built.explain(host="10.9.9.9").output

    assert "The host has no session in the window: it has no row." in text
    assert built.explain("--json", host="10.9.9.9").json()["rows"] == []


def test_a_late_mini_batch_shows_in_what_is_stale_and_in_what_differs(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.add("days", days_of_one_peer(), "2025-03-01T00:00:00Z", "2025-03-10T12:00:00Z")
    assert place.features("run", "--end", "2025-03-10T11:00:00Z", "--partial").exit_code == 0
    late = [record("2025-03-10T10:40:00Z", source_bytes=7)]
    place.add("late", late, "2025-03-10T10:30:00Z", "2025-03-10T10:45:00Z")

    found = place.explain("--json").json()
    text = place.explain().output

    assert any("late" in reason for reason in found["stale"])
    (row,) = found["published"]["rows"]
    assert row["differs"]["sessions_cnt"] == {"published": 4, "now": 5}
    assert row["differs"]["bytes_sent_sum"] == {"published": 5300, "now": 5307}
    assert "OUT OF DATE: " in text
    assert "The published row differs in " in text
    assert "sessions_cnt (published 4, now 5)" in text


def test_another_spec_than_that_of_the_run_is_told(built: Place, tmp_path: Path) -> None:
    spec = tmp_path / "other.json"
    spec.write_text(
        json.dumps({"kind": "fg_a", "project_name": "test", "port_sets": {"auth": [443]}})
    )

    answer = ndr("features", "explain", HOST, HOUR, "--spec", spec, "-o", built.output)

    assert "That run had another JobSpec" in answer.output


def test_a_window_in_s3_is_explained_as_one_in_a_folder(
    built: Place, bucket: str, tmp_path: Path
) -> None:
    place = Place(tmp_path)
    output = f"s3://{bucket}/out"
    batch = write_batch(tmp_path / "days", [days_of_one_peer()])
    bounds = ("--slice-start", "2025-03-01T00:00:00Z", "--slice-end", "2025-03-10T12:00:00Z")
    ran = ndr(
        *("run", "--spec", place.deltas, "-i", batch, "-o", output, "--engine", "polars"),
        *("--mini-batch-id", "days", *bounds),
    )
    assert ran.exit_code == 0, ran.errors
    places = ("--spec", place.windows, "-o", output)
    assert ndr("features", "run", "--job", "history", "--day", "2025-03-09", *places).exit_code == 0
    end = ("--end", "2025-03-10T11:00:00Z", "--label", "w_1h")
    assert ndr("features", "run", *end, *places).exit_code == 0

    found = ndr("features", "explain", HOST, HOUR, *places, "--json").json()

    there = built.explain("--json").json()
    assert found["published"]["rows"] == [{"role": "outbound", "differs": {}}]
    same = {"new_peer_cnt", "history_days", "bytes_sent_sum", "pair_rarity_max"}
    assert {name: columns(found)[name] for name in same} == {
        name: columns(there)[name] for name in same
    }


@pytest.mark.parametrize(
    ("host", "window", "more", "code", "said"),
    [
        ("10.0.0.x", HOUR, (), 2, "host: '10.0.0.x' is no address"),
        (HOST, "w_1h", (), 2, "window: 'w_1h' is no window; give its label, @ and its end"),
        (HOST, "w_1h@noon", (), 2, "window: 'noon' is no ISO-8601 time"),
        (HOST, "w_2h@2025-03-10T11:00:00Z", (), 2, "'w_2h' is no window of the spec"),
        (HOST, "w_8h@2025-03-10T11:15:00Z", (), 2, "is the end of no window"),
        ("192.0.2.7", HOUR, (), 2, "hosts: 192.0.2.7 is not internal"),
        (HOST, HOUR, ("--column", "new_peers_cnt"), 2, "did you mean 'new_peer_cnt'"),
        (HOST, "w_15m@2026-03-10T11:00:00Z", (), 1, "slices are not published yet"),
    ],
)
def test_what_can_not_be_explained_is_refused_by_name(
    built: Place, host: str, window: str, more: tuple[str, ...], code: int, said: str
) -> None:
    answer = built.explain(*more, host=host, window=window)

    assert answer.exit_code == code
    assert said in answer.errors


def test_the_rows_of_a_whole_network_are_what_their_explanations_give(tmp_path: Path) -> None:
    place = Place(tmp_path)
    logs = tmp_path / "scenario"
    assert ndr("generate", "--scenario", "--hosts", 50, "--days", 2, "-o", logs).exit_code == 0
    spec = logs / "job-spec.yaml"
    bounds = ("--slice-start", "2025-03-12T00:00:00Z", "--slice-end", "2025-03-14T00:00:00Z")
    assert run(spec, logs / "logs", place.output, "--mini-batch-id", "all", *bounds).exit_code == 0
    windows = tmp_path / "windows.json"
    windows.write_text(json.dumps({"kind": "fg_a", "project_name": "scenario"}))
    places = ("--spec", windows, "-o", place.output)
    history = ("--job", "history", "--day", "2025-03-12")
    assert ndr("features", "run", *history, *places).exit_code == 0
    end = "2025-03-14T00:00:00Z"
    assert ndr("features", "run", "--end", end, "--label", "w_24h", *places).exit_code == 0

    rows = read_table(open_output(place.output / "features"), "beacon").collect()
    hosts = rows.sort("beacon_threat", descending=True)["host_ip"].unique(maintain_order=True)
    for host in hosts.to_list()[:3]:
        found = ndr("features", "explain", host, f"w_24h@{end}", *places, "--json").json()

        published = found["published"]["rows"]
        assert {one["role"] for one in published} == {one["role"] for one in found["rows"]}
        assert [one["differs"] for one in published] == [{}] * len(published)
        assert columns(found)["beacon_threat_max"]["value"] > 0
        (outbound,) = (row for row in found["rows"] if row["role"] == "outbound")
        assert outbound["beacons_total"] == rows.filter(rows["host_ip"] == host).height
