"""From windows to baselines and correlations: online, in a backfill, after late records, and what prune must keep."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from attrs import frozen

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_table
from ndr_core.baselines.tables import (
    BASELINE,
    BASELINE_ROWS,
    BASELINE_TABLES,
    SUMMARY,
    SUMMARY_TABLES,
)
from ndr_core.correlations.tables import FG_C
from ndr_core.times import DAY_US, HOUR_US, iso_text
from ndr_core.windows.tables import FG_A
from tests.e2e.cli import Answer, ndr, run, write_spec
from tests.makers import flow, us, write_batch

WITHOUT_SPARK = True

START = us("2025-03-01T00:00:00Z")
DAYS = 5
END = START + DAYS * DAY_US
PART = 6 * HOUR_US
WINDOW = 2 * HOUR_US
COMPARED_FROM = START + 2 * DAY_US
"""From then on windows are compared: before, no baselines can hold anything."""
USUAL, MANY = 10, 100
"""Sessions of a host in a window: on all days, and in one window of the last day."""
LOUD = START + 4 * DAY_US + 8 * HOUR_US
"""Start of that window."""

# Saturday, Sunday and Wednesday are of one band: the first two days are the baseline of the last one.
CALENDAR = {"weekend_days": [6, 7, 3]}
WINDOWS = {"labels": {"w_2h": "2h", "w_24h": "12h"}}
TABLES = (FG_A, FG_C, *(table.name for table in (*SUMMARY_TABLES, *BASELINE_TABLES)))


@frozen
class Place:
    """An output of deltas with the specs of its jobs."""

    folder: Path

    @property
    def output(self) -> Path:
        return self.folder / "out"

    @property
    def features(self) -> Path:
        return self.output / "features"

    def deltas(self, name: str, start: int, flows: list[dict[str, Any]], length: int) -> None:
        """Publish a mini-batch whose span is so long, us."""
        batch = write_batch(self.folder / "logs" / name, [flows])
        bounds = ("--slice-start", iso_text(start), "--slice-end", iso_text(start + length))
        spec = self.folder / "delta.json"
        done = run(spec, batch, self.output, "--mini-batch-id", name, *bounds, "--quiet")
        assert done.exit_code == 0, done.errors

    def ask(self, command: str, *options: object, spec: str = "fg_a") -> Answer:
        file = self.folder / f"{spec}.json"
        return ndr("features", command, "--spec", file, "-o", self.output, *options)

    def do(self, command: str, *options: object, to: Path | None = None) -> None:
        """Build features, with nothing left out."""
        place = () if to is None else ("--features", to)
        done = self.ask(command, *options, *place, "--json")
        assert done.exit_code == 0, done.errors
        assert done.json()["left_out"] == []

    def stale(self, *options: object) -> list[str]:
        """Job and run of what is out of date."""
        rows = self.ask("stale", "--json", *options).json()
        return [f"{row['job']} {row['run']}" for row in rows]


def write_specs(folder: Path) -> None:
    write_spec(folder / "delta.json")
    shared = {"project_name": "test", "windows": WINDOWS, "calendar": CALENDAR}
    for kind in ("fg_a", "fg_b", "fg_c"):
        (folder / f"{kind}.json").write_text(json.dumps({"kind": kind, **shared}))


def flows_of(start: int) -> list[dict[str, Any]]:
    """The sessions of a window: ten of each of two hosts, and a hundred of one in the loud one."""
    return [
        flow(
            source_ip=f"10.0.0.{host}",
            destination_ip=f"203.0.113.{number % 7 + 1}",
            source_bytes=1000 + number,
            event_start=iso_text(start + number * 60_000_000),
            event_end=iso_text(start + number * 60_000_000 + 1_000_000),
        )
        for host in (1, 2)
        for number in range(MANY if (start, host) == (LOUD, 1) else USUAL)
    ]


def windows_between(since: int, until: int) -> tuple[str, ...]:
    return "--from", iso_text(since), "--to", iso_text(until)


def date(day: int) -> str:
    return iso_text(START + day * DAY_US)[:10]


def some_days(folder: Path) -> Place:
    """Five days, with all features built as the slices came."""
    folder.mkdir(exist_ok=True)
    write_specs(folder)
    place = Place(folder)
    for start in range(START, END, PART):
        flows = [one for window in range(start, start + PART, WINDOW) for one in flows_of(window)]
        place.deltas(f"part-{iso_text(start)[:13]}", start, flows, PART)
        span = windows_between(start, start + PART)
        place.do("backfill", *span)
        if (start + PART) % DAY_US == 0:
            place.do("run", "--job", "history", "--day", iso_text(start)[:10])
            place.do("run", "--job", "fg-b", "--day", iso_text(start)[:10])
        if start >= COMPARED_FROM:
            place.do("backfill", "--job", "fg-c", *span)
    return place


def backfill(place: Place, to: Path) -> None:
    """Build all features of the five days from nothing."""
    days = ("--from", date(0), "--to", date(DAYS - 1))
    place.do("backfill", "--job", "history", *days, to=to)
    place.do("backfill", *windows_between(START, END), to=to)
    place.do("backfill", "--job", "fg-b", *days, to=to)
    place.do("backfill", "--job", "fg-c", *windows_between(COMPARED_FROM, END), to=to)


def rows(features: Path) -> Iterator[tuple[str, list[str]]]:
    """The rows of each table, as texts, without the time of their publication."""
    for table in TABLES:
        frame = read_table(open_output(features), table).collect()
        known = frame.select(pl.exclude("published_at"))
        yield table, sorted(json.dumps(row, default=str) for row in known.to_dicts())


def table(place: Place, name: str, *conditions: pl.Expr) -> list[dict[str, Any]]:
    return read_table(open_output(place.features), name).filter(*conditions).collect().to_dicts()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Five days, for tests that leave them as they are."""
    return some_days(tmp_path_factory.mktemp("baselines") / "place")


@pytest.fixture
def own(published: Place, tmp_path: Path) -> Place:
    """The same five days, for a test of its own."""
    shutil.copytree(published.folder, tmp_path / "own")
    return Place(tmp_path / "own")


def test_a_backfill_builds_what_was_built_while_slices_came(
    published: Place, tmp_path: Path
) -> None:
    backfill(published, tmp_path / "at_once")

    online, at_once = dict(rows(published.features)), dict(rows(tmp_path / "at_once"))

    assert online == at_once
    assert all(online[name] for name in TABLES), "no table is without rows"
    assert published.stale() == []


def test_a_window_is_compared_with_the_baseline_of_the_date_on_which_it_begins(
    published: Place,
) -> None:
    found = {
        (row["window_label"], str(row["window_end_ts"])[:16], str(row["baseline_ts"])[:10])
        for row in table(published, FG_C, pl.col("dt") == date(4))
    }

    # The window of two hours that ends as the date begins is of the date before.
    assert ("w_2h", f"{date(4)} 00:00", date(3)) in found
    assert ("w_2h", f"{date(4)} 02:00", date(4)) in found
    assert ("w_24h", f"{date(4)} 00:00", date(3)) in found
    assert ("w_24h", f"{date(4)} 12:00", date(3)) in found


def test_a_window_is_never_in_its_own_baseline(published: Place) -> None:
    found = {
        (row["dt"], row["horizon"], str(row["baseline_end_ts"])[:10])
        for row in table(published, BASELINE_ROWS.name)
    }

    # Before day 3 no summary is in a horizon; that of 30 days ends a week before the date.
    assert found == {(date(day), "7d", date(day - 2)) for day in (3, 4, 5)}


def test_a_hundred_sessions_where_ten_are_usual_stand_out(published: Place) -> None:
    loud = pl.col("window_end_ts") == pl.lit(LOUD + WINDOW).cast(pl.Datetime("us", "UTC"))
    host = (pl.col("host_ip") == "10.0.0.1") & (pl.col("role") == "outbound")
    week = (pl.col("window_label") == "w_2h") & (pl.col("horizon") == "7d")

    (row,) = table(published, FG_C, loud, host, week)
    (quiet,) = table(published, FG_C, loud, week, pl.col("host_ip") == "10.0.0.2")

    assert row["sessions_cnt_scope"] == "host"
    assert row["sessions_cnt_z"] == MANY - USUAL
    assert row["anomaly_strength"] > 0.9
    assert quiet["sessions_cnt_z"] == 0.0
    assert quiet["anomaly_strength"] < row["anomaly_strength"]
    (usual,) = table(
        published,
        BASELINE.name,
        (pl.col("dt") == date(4)) & (pl.col("name") == "10.0.0.1"),
        (pl.col("metric") == "sessions_cnt") & (pl.col("time_band") == "we"),
        (pl.col("role") == "outbound") & week,
    )
    assert (usual["n"], usual["median"]) == (2 * DAY_US // WINDOW, USUAL)


def test_engines_build_the_same(published: Place, tmp_path: Path) -> None:
    to = tmp_path / "reference"
    shutil.copytree(published.features, to)
    for features in (published.features, to):
        engine = "polars" if features == published.features else "reference"
        more = ("--engine", engine)
        published.do("run", "--job", "fg-b", "--day", date(3), *more, to=features)
        end = iso_text(LOUD + WINDOW)
        published.do("run", "--job", "fg-c", "--end", end, *more, to=features)

    assert dict(rows(published.features)) == dict(rows(to))


def test_late_records_make_stale_what_a_rebuild_changes_down_to_the_correlations(
    own: Place, tmp_path: Path
) -> None:
    before = dict(rows(own.features))
    late = [
        flow(
            source_ip="10.0.0.1",
            destination_ip="198.51.100.7",
            event_start=iso_text(START + DAY_US + 9 * HOUR_US + number * 1_000_000),
            event_end=None,
        )
        for number in range(200)
    ]

    own.deltas("late", START + DAY_US + 9 * HOUR_US, late, 15 * 60 * 1_000_000)
    stale = own.stale()
    renewed = own.ask("run", "--stale", "--json").json()

    done = [f"{one['job_name']} {one['mini_batch_id']}" for one in renewed["runs"]]
    assert done == stale
    assert renewed["left_out"] == []
    assert own.stale() == []
    # Day 1 is in the baselines of day 4 on; windows of the days after it have another history.
    assert [one for one in stale if one.startswith("fg_b")] == [
        f"fg_b summary-{date(1)}",
        f"fg_b summary-{date(2)}",
        f"fg_b summary-{date(3)}",
        f"fg_b baseline-{date(4)}",
        f"fg_b summary-{date(4)}",
        f"fg_b baseline-{date(5)}",
    ]
    backfill(own, tmp_path / "anew")
    after = dict(rows(own.features))
    assert after == dict(rows(tmp_path / "anew"))
    # How many windows there were has not changed.
    changed = {name for name in TABLES if after[name] != before[name]}
    assert changed >= {FG_A, FG_C, SUMMARY.name, BASELINE.name}


def test_what_is_missing_is_named(published: Place, tmp_path: Path) -> None:
    to = ("--features", tmp_path / "features")
    end = iso_text(END)

    windows = published.ask("run", "--job", "fg-c", "--end", end, *to)
    summary = published.ask("run", "--job", "fg-b", "--day", date(1), *to)
    published.do("run", "--end", end, "--label", "w_2h", "--partial", to=tmp_path / "features")
    published.do("run", "--end", iso_text(START + WINDOW), to=tmp_path / "features")
    baselines = published.ask("run", "--job", "fg-c", "--end", end, *to)
    partial = published.ask("run", "--job", "fg-c", "--end", end, *to, "--partial", "--json")

    assert [one.exit_code for one in (windows, summary, baselines)] == [1, 1, 1]
    assert "are not built yet (by job fg_a)" in windows.errors
    assert "there are no windows of this date" in summary.errors
    assert f"baseline-{date(2)} is published" in summary.errors
    assert f"there are no baselines of {date(4)}" in baselines.errors
    # Two hosts and two horizons.
    assert partial.json()["runs"][0]["rows"]["fg_c"] == {"outbound": 4}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--job", "fg-b"), "day: is missing; give --day, or --stale"),
        (("--job", "fg-b", "--end", "2025-03-02"), "end: leave it out; baselines are built by --day"),
        (("--job", "fg-c"), "end: is missing; give --end, or --stale"),
        (("--job", "fg-c", "--day", "2025-03-02"), "day: leave it out; correlations are built by"),
        (
            ("--job", "fg-c", "--end", "2025-03-02", "--label", "w_2h"),
            "label: leave it out; all windows are compared that were built",
        ),
        (("--job", "fg-c", "--end", "2025-03-02T01:00:00Z"), "is the end of no window"),
        (("--with-spec", "fg_b.json", "--end", "2025-03-02"), "with-spec: is for --stale"),
    ],
)  # fmt: skip
def test_what_can_not_be_done_is_told(
    published: Place, options: tuple[str, ...], message: str
) -> None:
    answer = published.ask("run", *options)

    assert answer.exit_code == 2
    assert message in answer.errors


def test_a_spec_of_its_own_builds_its_job_and_stands_in_the_chain(own: Place) -> None:
    of_baselines, of_correlations = own.folder / "fg_b.json", own.folder / "fg_c.json"
    lunch = {"start": f"{date(1)}T12:00:00Z", "end": f"{date(1)}T13:00:00Z"}
    spec = json.loads(of_baselines.read_text())
    of_baselines.write_text(json.dumps({**spec, "excluded_periods": [lunch]}))

    stale = own.stale("--with-spec", of_baselines, "--with-spec", of_correlations)
    built = own.ask("run", "--day", date(1), "--json", spec="fg_b")
    wrong = own.ask("run", "--job", "fg-c", "--end", iso_text(END), spec="fg_b")
    twice = own.ask("stale", "--with-spec", own.folder / "fg_a.json")

    assert stale[0] == f"fg_b summary-{date(1)}"
    assert [one["mini_batch_id"] for one in built.json()["runs"]] == [
        f"summary-{date(1)}",
        f"baseline-{date(2)}",
    ]
    assert [wrong.exit_code, twice.exit_code] == [2, 2]
    assert "is of another kind of job; correlations need one with kind: fg_a" in wrong.errors
    assert "is a second one of windows" in twice.errors


def test_summaries_that_baselines_may_still_be_made_of_are_not_pruned_unless_forced(
    own: Place,
) -> None:
    before = ("--before", f"{date(1)}T00:00:00Z", "--json")

    features = ndr("prune", own.features, *before)
    forced = ndr("prune", own.features, *before, "--force")

    assert features.exit_code == 2
    assert "may still be made of" in features.errors
    assert forced.exit_code == 0
    assert own.stale() == [], "what was pruned changes nothing"
