"""From logs to deltas, to the pair history, to windows: run, backfill, a late mini-batch, and what it makes stale."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from attrs import frozen

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_table
from ndr_core.history.tables import HISTORY_TABLES
from ndr_core.times import DAY_US, HOUR_US, MINUTE_US, iso_text
from ndr_core.windows.tables import BEACON, FG_A
from tests.e2e.cli import Answer, ndr, run, write_spec
from tests.makers import flow, us, write_batch
from tests.soak import only_in_soak

WITHOUT_SPARK = True

START = us("2025-03-01T00:00:00Z")
PARTS = 8
"""Mini-batches of 6 hours: two days."""
PART = 6 * HOUR_US
END = START + PARTS * PART
LABELS = {"w_6h": "6h", "w_24h": "6h"}


@frozen
class Place:
    """An output of deltas with the specs of its jobs."""

    folder: Path

    @property
    def output(self) -> Path:
        return self.folder / "out"

    @property
    def spec(self) -> Path:
        return self.folder / "fg_a.json"

    def deltas(
        self, name: str, start: int, flows: list[dict[str, Any]], length: int = PART
    ) -> None:
        """Publish a mini-batch whose span is so long, us."""
        batch = write_batch(self.folder / "logs" / name, [flows])
        bounds = ("--slice-start", iso_text(start), "--slice-end", iso_text(start + length))
        spec = self.folder / "delta.json"
        done = run(spec, batch, self.output, "--mini-batch-id", name, *bounds, "--quiet")
        assert done.exit_code == 0, done.errors

    def features(self, command: str, *options: object, spec: Path | None = None) -> Answer:
        return ndr("features", command, "--spec", spec or self.spec, "-o", self.output, *options)

    def stale(self, *options: object) -> list[str]:
        """The runs that are out of date."""
        return [row["run"] for row in self.features("stale", "--json", *options).json()]


def write_specs(folder: Path, labels: dict[str, str] = LABELS) -> None:
    write_spec(folder / "delta.json")
    windows = {"windows": {"labels": labels}} if labels else {}
    fg_a = {"kind": "fg_a", "project_name": "test", **windows}
    (folder / "fg_a.json").write_text(json.dumps(fg_a))
    (folder / "history.json").write_text(
        json.dumps({"kind": "pair_history", "project_name": "test"})
    )


def flows_of(start: int, seed: int) -> list[dict[str, Any]]:
    """Some sessions of 6 hours: of three hosts with peers that change, one of them in step."""
    return [
        flow(
            source_ip=f"10.0.0.{host}",
            destination_ip=f"203.0.113.{(host * 7 + seed * number) % 9 + 1}",
            destination_port=443 if number % 3 else 22,
            source_bytes=100 + number,
            event_start=iso_text(start + minute * 60_000_000),
            event_end=iso_text(start + minute * 60_000_000 + 1_000_000),
        )
        for host in (1, 2, 3)
        for number, minute in enumerate(range(host, 360, 24))
    ]


def flows_between(since: int, until: int) -> list[dict[str, Any]]:
    """The sessions of the two days that begin in a part of 6 hours."""
    number = (since - START) // PART
    flows = flows_of(START + number * PART, number)
    return [one for one in flows if iso_text(since) <= one["event_start"] < iso_text(until)]


def two_days(folder: Path) -> Place:
    folder.mkdir(exist_ok=True)
    write_specs(folder)
    place = Place(folder)
    for part in range(PARTS):
        start = START + part * PART
        place.deltas(f"part-{part}", start, flows_of(start, part))
    return place


def rows(features: Path) -> Iterator[tuple[str, list[str]]]:
    """The rows of each table of features, as texts, without the time of their publication."""
    for table in (FG_A, BEACON.name, *(table.name for table in HISTORY_TABLES)):
        frame = read_table(open_output(features), table).collect()
        known = frame.select(pl.exclude("published_at"))
        yield table, sorted(json.dumps(row, default=str) for row in known.to_dicts())


def built(
    place: Place, features: Path | None = None, engine: str = "polars"
) -> dict[str, list[str]]:
    """Build the history and all windows of the two days. Gives their rows."""
    target = features or place.output / "features"
    more = ("--features", target, "--engine", engine, "--quiet")
    history = place.features(
        "backfill", "--job", "history", "--from", "2025-03-01", "--to", "2025-03-02", *more
    )
    windows = place.features("backfill", "--from", iso_text(START), "--to", iso_text(END), *more)
    assert (history.exit_code, windows.exit_code) == (0, 0), windows.errors
    return dict(rows(target))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Two days of deltas, for tests that leave them as they are."""
    return two_days(tmp_path_factory.mktemp("features") / "place")


@pytest.mark.parametrize(
    ("minutes", "labels"),
    [
        pytest.param(360, LABELS, id="quarters of a day"),
        pytest.param(15, {}, id="quarters of an hour", marks=only_in_soak),
    ],
)
def test_a_backfill_builds_what_was_built_while_slices_came(
    minutes: int, labels: dict[str, str], tmp_path: Path
) -> None:
    online = Place(tmp_path)
    write_specs(tmp_path, labels)
    part = minutes * MINUTE_US
    for start in range(START, END, part):
        online.deltas(f"part-{start}", start, flows_between(start, start + part), part)
        done = online.features("run", "--end", iso_text(start + part), "--quiet")
        assert done.exit_code == 0, done.errors
        if (start + part) % DAY_US == 0:
            day = iso_text(start)[:10]
            done = online.features("run", "--job", "history", "--day", day, "--quiet")
            assert done.exit_code == 0, done.errors

    step_by_step = dict(rows(online.output / "features"))

    # By now all slices are there, also those after the end of a window.
    at_once = built(online, tmp_path / "at_once")
    assert step_by_step == at_once
    assert all(at_once[table] for table in at_once), "no table is without rows"


def test_engines_build_the_same(published: Place, tmp_path: Path) -> None:
    assert built(published, tmp_path / "polars") == built(
        published, tmp_path / "reference", "reference"
    )


def test_a_late_mini_batch_makes_stale_what_a_rebuild_changes(tmp_path: Path) -> None:
    place = two_days(tmp_path / "place")
    before = built(place)
    assert place.stale() == []
    late = flow(
        source_ip="10.0.0.1",
        destination_ip="198.51.100.7",
        event_start="2025-03-01T13:00:00Z",
        event_end="2025-03-01T13:00:01Z",
    )

    place.deltas("late", START + 2 * PART, [late])
    stale = place.stale()
    renewed = place.features("run", "--stale", "--json").json()

    after = dict(rows(place.output / "features"))
    changed = {
        f"{row['dt']}T{row['hh']}{row['mm']}00Z"
        for row in map(json.loads, set(after[FG_A]) ^ set(before[FG_A]))
    }
    assert "2025-03-01T180000Z" in changed
    assert changed <= set(stale)
    assert stale[:2] == ["2025-03-01", "2025-03-02"]
    assert [one["mini_batch_id"] for one in renewed["runs"]] == stale
    assert renewed["left_out"] == []
    assert place.stale() == []
    assert after == built(place, tmp_path / "anew")


def test_deltas_and_features_are_verified_each_by_itself(published: Place) -> None:
    built(published)

    for output in (published.output, published.output / "features"):
        assert ndr("verify", output).exit_code == 0


def test_features_are_neither_compacted_nor_mixed_with_deltas(
    published: Place, tmp_path: Path
) -> None:
    built(published)
    features = published.output / "features"

    compacted = ndr("compact", features, "--before", "2025-03-09T00:00:00Z")
    mixed = published.features("run", "--end", iso_text(END), "--features", published.output)
    among = published.features(
        "run", "--end", iso_text(END), "--features", published.output / "delta"
    )
    into = run(
        published.folder / "delta.json",
        write_batch(tmp_path / "logs", [[flow()]]),
        features,
    )

    assert [one.exit_code for one in (compacted, mixed, among, into)] == [2, 2, 2, 2]
    assert "holds features" in compacted.errors
    assert "holds the deltas" in mixed.errors
    assert "only the folder features is free" in among.errors
    assert "holds features" in into.errors


def test_missing_slices_are_told_and_partial_windows_are_built(
    published: Place, tmp_path: Path
) -> None:
    to = ("--features", tmp_path / "features")
    end = iso_text(END + PART)

    missing = published.features("run", "--end", end, *to, "--json")
    partial = published.features("run", "--end", end, *to, "--partial", "--json")

    assert missing.exit_code == 1
    assert json.loads(missing.output)["exit_code"] == 1
    assert "2025-03-03T00:00:00Z to 2025-03-03T00:15:00Z and 23 more" in missing.errors
    assert partial.json()["runs"][0]["rows"]["fg_a"] == {"outbound": 3}


@pytest.mark.parametrize(
    ("command", "options", "message"),
    [
        ("run", (), "end: is missing; give --end, or --stale"),
        ("run", ("--end", "2025-03-01T00:10:00Z"), "is the end of no window that is asked for"),
        ("run", ("--end", "2025-03-01"), "slices are not published"),
        ("run", ("--end", "2025-03-02", "--label", "w_6x"), "label: 'w_6x' is no window"),
        ("run", ("--end", "2025-03-02", "--day", "2025-03-01"), "day: leave it out; windows are"),
        ("run", ("--job", "history"), "day: is missing; give --day, or --stale"),
        ("run", ("--job", "history", "--day", "noon"), "day: 'noon' is no ISO-8601 time"),
        ("run", ("--job", "history", "--day", "2025-03-01T10:00:00Z"), "is no day such as"),
        ("run", ("--job", "history", "--end", "2025-03-01"), "end: leave it out; a history is"),
        ("run", ("--end", "2025-03-02", "--since", "2025-03-01"), "since: is for --stale"),
        ("run", ("--stale", "--end", "2025-03-02"), "end: leave it out; --stale says itself"),
        ("backfill", ("--from", "2025-03-02", "--to", "2025-03-01"), "nothing to build lies"),
        ("backfill", ("--from", "2025-04-01", "--to", "2025-04-02"), "slices are not published"),
    ],
)
def test_what_can_not_be_done_is_told(
    published: Place, tmp_path: Path, command: str, options: tuple[str, ...], message: str
) -> None:
    answer = published.features(command, *options, "--features", tmp_path / "features")

    assert answer.exit_code == (1 if "not published" in message else 2)
    assert message in answer.errors


def test_a_spec_of_the_history_alone_builds_the_history(published: Place, tmp_path: Path) -> None:
    to = ("--features", tmp_path / "features")
    spec = published.folder / "history.json"

    done = published.features("run", "--day", "2025-03-01", *to, spec=spec)
    windows = published.features("run", "--job", "fg-a", "--end", iso_text(END), *to, spec=spec)
    deltas = published.features(
        "run", "--end", iso_text(END), *to, spec=published.folder / "delta.json"
    )

    assert done.exit_code == 0
    assert "pair_history" in done.output
    assert [windows.exit_code, deltas.exit_code] == [2, 2]
    assert "is of another kind of job; windows need one with kind: fg_a" in windows.errors


def test_people_are_shown_what_was_built_and_what_is_out_of_date(tmp_path: Path) -> None:
    place = two_days(tmp_path / "place")

    first = place.features("run", "--end", iso_text(START + PART))
    place.features("run", "--end", iso_text(START + 2 * PART), "--quiet")
    nothing = place.features("stale")
    place.deltas("late", START, [flow(event_start="2025-03-01T01:00:00Z", event_end=None)])
    listed = place.features("stale")
    renewed = place.features("stale", "--rebuild")
    again = place.features("run", "--stale")

    assert "w_24h" in first.output, "what was left out is shown"
    assert nothing.output == "nothing is out of date\n"
    assert (
        "mini-batch late of job delta_builder in dt=2025-03-01/hh=01/mm=00 is new" in listed.output
    )
    assert "2025-03-01T060000Z" in renewed.output
    assert again.output == "nothing is out of date\n"


def test_slices_that_features_may_still_be_made_of_are_not_pruned_unless_forced(
    tmp_path: Path,
) -> None:
    place = two_days(tmp_path / "place")
    built(place)
    before = ("--before", "2025-03-02T00:00:00Z", "--json")

    refused = ndr("prune", place.output, *before)
    of_features = ndr("prune", place.output / "features", *before)
    elsewhere = ndr("prune", place.output, "--features", tmp_path / "none", *before, "--dry-run")
    forced = ndr("prune", place.output, *before, "--force")

    assert [one.exit_code for one in (refused, of_features)] == [2, 2]
    assert "may still be made of slices from 2025-02-01T00:00:00Z on" in refused.errors
    assert elsewhere.json()["slices"] > 0
    assert forced.json()["slices"] > 0
    assert place.stale() == [], "what was pruned changes nothing"


@pytest.mark.parametrize(
    "job", [("--end", iso_text(END)), ("--job", "history", "--day", "2025-03-02")]
)
def test_a_published_file_that_can_not_be_read_is_one_clear_line(
    job: tuple[str, ...], tmp_path: Path
) -> None:
    place = two_days(tmp_path / "place")
    file = min(place.output.glob("pair/*/dt=2025-03-02/**/role=outbound/*.parquet"))
    file.write_bytes(b"x" * file.stat().st_size)

    failed = place.features("run", *job, "--quiet")

    assert failed.exit_code == 1
    (line,) = failed.errors.splitlines()
    assert line.startswith(f"ndr: a published file of {place.output}")
    assert "`ndr verify` names it" in line
