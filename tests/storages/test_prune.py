"""`ndr prune` of a folder: old slices go whenever it dies, and nobody looks at them from its first step on."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ndr_adapters.local.manifests import read_manifests
from ndr_adapters.local.prune import prune_folder
from ndr_adapters.local.pruned import read_pruned
from ndr_core.errors import NdrError, UsageError
from ndr_core.publishing.pruning import PrunedError
from tests.e2e.cli import ndr, rows, snapshot
from tests.makers import us, write_batch
from tests.soak import SOAK
from tests.storages.folder_run import publish
from tests.storages.folder_runs import die_before, publish_unbound, run_apart
from tests.storages.noting_log import NotingLog
from tests.storages.test_compaction import at, compact, is_whole

WITHOUT_SPARK = True

BEFORE = us("2025-03-01T10:30:00Z")
STAYS = datetime(2025, 3, 1, 10, 30, tzinfo=UTC)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Mini-batches with old slices only, with both, and with new ones only; a stopped run of either time."""
    batches: dict[str, list[Any]] = {
        "old": [at("2025-03-01T10:00:00Z"), at("2025-03-01T10:20:00Z", source_bytes=7), "bad"],
        "both": [at("2025-03-01T10:29:00Z"), at("2025-03-01T10:30:00Z"), "bad"],
        "new": [at("2025-03-02T00:10:00Z"), "bad"],
    }
    for name, records in batches.items():
        publish_unbound(write_batch(tmp_path / name, [records]), tmp_path / "out", name)
    for name, moment in (("then", BEFORE), ("since", BEFORE + 10**6)):
        kept = tmp_path / "out" / "failed" / "mb" / name / "report.json"
        kept.parent.mkdir(parents=True)
        kept.write_text("{}")
        os.utime(kept, (moment / 1e6 - 0.5, moment / 1e6 - 0.5))
    return tmp_path / "out"


def prune(output: Path, before: int = BEFORE) -> Any:
    return prune_folder(output, before, print)


def new_rows(output: Path) -> Any:
    return tuple([row for row in found if row["slice_start_ts"] >= STAYS] for found in rows(output))


def test_slices_that_end_by_the_moment_go_with_the_runs_that_have_no_others(output: Path) -> None:
    before, left = snapshot(output), new_rows(output)

    removed = prune(output)

    assert rows(output) == left
    assert is_whole(output)
    assert {one.facts.mini_batch_id for one in read_manifests(output)} == {"both", "new"}
    after = snapshot(output)
    gone = {path for path in before if path not in after and not path.startswith("_manifests")}
    tables = {path for path in gone if path.startswith(("delta/", "pair/"))}
    assert {path.split("/")[3:5][1] for path in tables} == {"mm=00", "mm=15"}
    assert sorted(path.partition("/")[0] for path in gone - tables) == [
        *("failed", "quality", "quarantine")
    ]
    assert (removed.slices, removed.runs, removed.failed) == (2, 1, 1)
    assert removed.files == len(gone) - 1
    assert not list((output / "delta").rglob("dt=2025-03-01/hh=10/mm=00"))


@pytest.mark.parametrize("moment", ["2025-03-01T10:44:59Z", "2025-03-01T10:30:00Z"])
def test_a_slice_that_ends_later_stays(output: Path, moment: str) -> None:
    prune(output, us(moment))

    assert min(row["slice_start_ts"] for row in rows(output)[0]) == STAYS


def test_a_dry_run_says_the_same_and_does_nothing(output: Path) -> None:
    before = snapshot(output)

    told = prune_folder(output, BEFORE, print, dry_run=True)

    assert snapshot(output) == before
    assert told == prune(output)


def test_pruning_again_removes_nothing_and_an_earlier_moment_does_not_go_back(output: Path) -> None:
    prune(output)
    before = snapshot(output)

    again, earlier = prune(output), prune(output, BEFORE - 3600 * 10**6)

    assert (again.files, again.runs, earlier.files) == (0, 0, 0)
    assert snapshot(output) == before
    assert read_pruned(output).firsts == {"v1": BEFORE}


def test_one_marker_is_left_of_several_prunings(output: Path) -> None:
    prune(output)
    prune(output, us("2025-03-02T00:00:00Z"))

    assert [path.name for path in (output / "_pruned").rglob("*") if path.is_file()] == [
        f"{us('2025-03-02T00:00:00Z'):016}"
    ]
    assert {one.facts.mini_batch_id for one in read_manifests(output)} == {"new"}


def test_a_compacted_day_keeps_its_new_slices_and_goes_as_a_whole(output: Path) -> None:
    compact(output)
    left = new_rows(output)

    prune(output)

    assert rows(output) == left
    assert is_whole(output)
    assert compact(output) == []
    names = {path.partition("/")[0] for path in snapshot(output)}
    reports = [path for path in snapshot(output) if path.startswith("quality/")]
    assert "_compacted" in names
    assert ["mini_batch_id=old" in path for path in reports] == [False, False]
    prune(output, us("2025-03-02T00:00:00Z"))
    assert is_whole(output)
    assert [one.day for one in read_manifests(output)] == ["2025-03-02"]
    assert len([path for path in snapshot(output) if path.startswith("_compacted/")]) == 1


def test_a_pruned_day_can_be_compacted(output: Path) -> None:
    prune(output)
    left = rows(output)

    made = compact(output)

    assert [one.day for one in made] == ["2025-03-01", "2025-03-02"]
    assert rows(output) == left
    assert is_whole(output)


def test_a_rerun_publishes_only_what_is_new_and_says_so(tmp_path: Path, output: Path) -> None:
    prune(output)
    before = rows(output)
    log = NotingLog()

    publish_unbound(tmp_path / "both", output, "both", log=log)

    assert rows(output) == before
    assert is_whole(output)
    (notice,) = log.notices
    assert notice.startswith("1 slices with 4 rows are older than 2025-03-01T10:30:00Z")


def test_a_run_whose_bounds_begin_in_what_was_pruned_is_refused_before_work(
    tmp_path: Path, output: Path
) -> None:
    prune(output)
    before = snapshot(output)

    with pytest.raises(UsageError, match=r"slice-start: 2025-03-01T10:00:00Z lies in what"):
        publish(tmp_path / "old", output)

    assert snapshot(output) == before


def test_a_run_that_has_pruned_slices_only_is_refused_when_it_publishes(
    tmp_path: Path, output: Path
) -> None:
    prune(output)
    before = snapshot(output)

    with pytest.raises(PrunedError, match=r"marker in _pruned\), and it has no others"):
        publish_unbound(tmp_path / "old", output, "old")

    assert snapshot(output) == before


def test_a_moment_to_come_and_a_folder_that_is_no_output_are_refused(
    tmp_path: Path, output: Path
) -> None:
    with pytest.raises(UsageError, match="is yet to come"):
        prune(output, us("2112-01-01T00:00:00Z"))
    with pytest.raises(UsageError, match="holds no published run"):
        prune(tmp_path / "old")


def test_a_marker_of_another_version_is_named(output: Path) -> None:
    prune(output)
    (output / "_pruned" / "feature_spec_version=v1" / "other").touch()

    with pytest.raises(NdrError, match=r"_pruned/feature_spec_version=v1/other: is no marker"):
        rows(output)


def test_the_command_says_what_it_removes(output: Path) -> None:
    told = ndr("prune", output, "--before", "2025-03-01T10:30Z", "--dry-run", "--json").json()
    answer = ndr("prune", output, "--before", "2025-03-01T10:30Z")

    assert told["dry_run"] is True
    assert told["firsts"] == {"v1": "2025-03-01T10:30:00Z"}
    assert f"2 slices, {told['files']} files, {told['bytes']:,} bytes, 1 manifests" in answer.output
    assert ndr("verify", output).exit_code == 0


@pytest.mark.parametrize("compacted", [False, True])
def test_a_pruning_that_is_killed_at_any_step_is_finished_by_the_next_one(
    tmp_path: Path, output: Path, compacted: bool
) -> None:
    before = BEFORE
    if compacted:
        compact(output)
        before = us("2025-03-02T00:00:00Z")
    every = rows(output)
    whole = tmp_path / "whole"
    shutil.copytree(output, whole)
    prune_folder(whole, before, print)
    finished, left = snapshot(whole), rows(whole)
    died: int | None = 9
    pruned: list[bool] = []
    for step in range(0, 1000, 1 if SOAK else 3):
        copy = tmp_path / f"out-{step}"
        shutil.copytree(output, copy)
        died = run_apart(_killed, copy, before, step)
        pruned.append(bool(read_pruned(copy).firsts))
        assert rows(copy) == (left if pruned[-1] else every)
        assert is_whole(copy)
        prune_folder(copy, before, print)
        assert snapshot(copy) == finished
        if died == 0:
            break
    assert died == 0
    assert pruned == sorted(pruned)
    assert pruned.count(True) > 3


def _killed(output: Path, before: int, step: int) -> None:
    die_before(step)  # in a process of its own, which is forked for that
    prune_folder(output, before, print)
