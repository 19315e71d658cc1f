"""`ndr watch --features`: what follows is what the feature commands build of the same deltas."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_table
from ndr_core.baselines.tables import BASELINE_TABLES, SUMMARY_TABLES
from ndr_core.correlations.tables import FG_C
from ndr_core.history.tables import HISTORY_TABLES
from ndr_core.times import iso_text
from ndr_core.windows.tables import BEACON, FG_A
from tests.e2e.cli import ndr, write_spec
from tests.e2e.test_features import START, flows_of
from tests.makers import write_batch
from tests.soak import only_in_soak

WITHOUT_SPARK = True

HOUR = 3_600_000_000
PARTS = 12
"""Mini-batches of 6 hours: three days."""
PATTERN = r"(?P<Y>\d{4})(?P<m>\d\d)(?P<d>\d\d)T(?P<H>\d\d)-(?P<H2>\d\d)"
AHEAD = frozenset(one.name for one in BASELINE_TABLES)
"""Tables of which a watcher makes a day more than a backfill, before it is needed."""
TABLES = (
    FG_A,
    BEACON.name,
    FG_C,
    *(one.name for one in (*HISTORY_TABLES, *SUMMARY_TABLES, *BASELINE_TABLES)),
)


def name_of(part: int) -> str:
    day, hour = divmod(6 * part, 24)
    return f"2025030{day + 1}T{hour:02}-{(hour + 6) % 24:02}"


def land(landing: Path, parts: Iterable[int]) -> None:
    for part in parts:
        flows = flows_of(START + part * 6 * HOUR, part)
        write_batch(landing / name_of(part), [flows])


@pytest.fixture
def specs(tmp_path: Path) -> tuple[Path, Path]:
    """The JobSpecs of deltas and of windows."""
    windows = tmp_path / "windows.json"
    labels = {"w_6h": "6h", "w_24h": "6h"}
    windows.write_text(
        json.dumps({"kind": "fg_a", "project_name": "test", "windows": {"labels": labels}})
    )
    return write_spec(tmp_path / "job.json", quality={"allowed_lateness": "6h"}), windows


def watched(tmp_path: Path, specs: tuple[Path, Path], *more: object) -> Any:
    """One round with features."""
    answer = ndr(
        *("watch", tmp_path / "landing", "--spec", specs[0], "-o", tmp_path / "out", "--once"),
        *("--settle", "0s", "--span-from-name", PATTERN, "--no-compact", "--json"),
        *("--features", "--features-spec", specs[1], *more),
    )
    return answer.json()


def rows(features: Path) -> dict[str, list[str]]:
    """The rows of each table, as texts, without the time of their publication."""
    found = {}
    for table in TABLES:
        frame = read_table(open_output(features), table).select(pl.exclude("published_at"))
        if table in AHEAD:
            frame = frame.filter(pl.col("dt") <= "2025-03-04")
        found[table] = sorted(json.dumps(row, default=str) for row in frame.collect().to_dicts())
    return found


def backfilled(tmp_path: Path, windows: Path, parts: int = PARTS) -> dict[str, list[str]]:
    """What the feature commands build of the same deltas, from nothing, to an output apart."""
    target, whole = tmp_path / "apart", parts // 4
    places = ("--spec", windows, "-o", tmp_path / "out", "--features", target, "--quiet")
    days = ("--from", "2025-03-01", "--to", f"2025-03-0{whole}")
    times = ("--from", "2025-03-01T00:00:00Z", "--to", iso_text(START + parts * 6 * HOUR))
    for job, span in (("history", days), ("fg-a", times), ("fg-b", days), ("fg-c", times)):
        done = ndr("features", "backfill", "--job", job, *places, *span)
        assert done.exit_code == 0, done.errors
    return rows(target)


def stale(tmp_path: Path, windows: Path) -> list[str]:
    answer = ndr("features", "stale", "--spec", windows, "-o", tmp_path / "out", "--json")
    return [row["run"] for row in answer.json()]


def ends(tmp_path: Path) -> list[tuple[str, str, int]]:
    """Windows that are built: their ends, labels, and whether slices were missing."""
    frame = read_table(open_output(tmp_path / "out" / "features"), FG_A)
    chosen = frame.select("window_end_ts", "window_label", "is_partial").unique().collect()
    return sorted((f"{end:%dT%H}", label, partial) for end, label, partial in chosen.iter_rows())


@pytest.mark.parametrize("parts", [5, pytest.param(PARTS, marks=only_in_soak)])
def test_features_follow_each_mini_batch_and_are_those_of_a_backfill(
    parts: int, specs: tuple[Path, Path], tmp_path: Path
) -> None:
    built = []
    for part in range(parts):
        land(tmp_path / "landing", [part])
        done = watched(tmp_path, specs)
        assert done["failed"] == {}
        built.append({end for end, *_ in ends(tmp_path)})

    assert built[0] == {"01T06"}
    assert [len(one) for one in built] == list(range(1, parts + 1))
    followed, expected = rows(tmp_path / "out" / "features"), backfilled(tmp_path, specs[1], parts)
    assert {table: len(found) for table, found in followed.items()} == {
        table: len(found) for table, found in expected.items()
    }
    assert followed == expected
    assert stale(tmp_path, specs[1]) == []


@only_in_soak
def test_features_of_what_is_caught_up_with_are_those_of_a_backfill(
    specs: tuple[Path, Path], tmp_path: Path
) -> None:
    land(tmp_path / "landing", range(PARTS))

    assert watched(tmp_path, specs)["failed"] == {}

    assert rows(tmp_path / "out" / "features") == backfilled(tmp_path, specs[1])
    assert stale(tmp_path, specs[1]) == []


@only_in_soak
def test_windows_wait_for_slices_as_long_as_these_may_come_and_are_renewed_when_they_do(
    specs: tuple[Path, Path], tmp_path: Path
) -> None:
    landing = tmp_path / "landing"
    land(landing, [0, 2])
    watched(tmp_path, specs)
    waiting = ends(tmp_path)
    land(landing, [3, 4])
    watched(tmp_path, specs)
    partial = [one for one in ends(tmp_path) if one[2]]
    land(landing, [1])
    watched(tmp_path, specs)
    land(landing, range(5, PARTS))
    watched(tmp_path, specs)

    assert waiting == [("01T06", "w_6h", 0), ("01T18", "w_6h", 0)]
    assert partial == [("02T00", "w_24h", 1)]
    assert [one for one in ends(tmp_path) if one[2]] == []
    assert stale(tmp_path, specs[1]) == []
    assert rows(tmp_path / "out" / "features") == backfilled(tmp_path, specs[1])


def test_the_spec_of_the_deltas_implies_those_of_features(
    specs: tuple[Path, Path], tmp_path: Path
) -> None:
    first = [one for one in flows_of(START, 0) if one["event_start"] < "2025-03-01T01"]
    write_batch(tmp_path / "landing" / "20250301T00-01", [first])
    answer = ndr(
        *("watch", tmp_path / "landing", "--spec", specs[0], "-o", tmp_path / "out", "--once"),
        *("--settle", "0s", "--span-from-name", PATTERN, "--features"),
    )

    assert answer.exit_code == 0, answer.errors
    assert ("01T01", "w_1h", 0) in ends(tmp_path)


def test_specs_of_features_that_do_not_fit_are_refused(
    specs: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "landing").mkdir()
    options = ("watch", tmp_path / "landing", "--spec", specs[0], "-o", tmp_path / "out", "--once")
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"kind": "fg_a", "project_name": "other"}))

    strange = ndr(*options, "--features", "--features-spec", other)
    alone = ndr(*options, "--features-spec", specs[1])

    assert (strange.exit_code, alone.exit_code) == (2, 2)
    assert "project_name: is test for the deltas" in strange.errors
    assert "features-spec: is for --features" in alone.errors
