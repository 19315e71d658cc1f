"""Compaction of days in a folder: rows stay as they are, whenever it dies and whoever publishes at the same time."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from polars.exceptions import PolarsError

from ndr_adapters.local.manifests import read_manifests
from ndr_adapters.local.published import FolderTables
from ndr_adapters.local.sink import FolderSink
from ndr_adapters.polars.compact import write_day
from ndr_adapters.polars.published import read_table
from ndr_adapters.polars.scan import count_rows
from ndr_adapters.polars.write import StagingRoot
from ndr_core.errors import UsageError
from ndr_core.publishing.compaction import (
    CompactedError,
    Compaction,
    DayChangedError,
    days_to_compact,
)
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.ownership import live, live_files
from ndr_core.publishing.verify import verify
from tests.e2e.cli import rows, snapshot
from tests.makers import flow, write_batch
from tests.soak import SOAK
from tests.storages.folder_runs import compactor, die_before, publish_unbound, run_apart

WITHOUT_SPARK = True

AFTER = datetime(2025, 3, 3, tzinfo=UTC)


def at(time: str, **fields: Any) -> dict[str, Any]:
    return flow(event_start=time, event_end=time, **fields)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Two mini-batches of one day, which meet in a slice; one goes on into the next day."""
    first: list[Any] = [
        at("2025-03-01T10:00:00Z"),
        at("2025-03-01T10:20:00Z", source_bytes=7),
        "bad",
    ]
    second: list[Any] = [
        at("2025-03-01T10:05:00Z", destination_ip="192.0.2.9"),
        at("2025-03-02T00:10:00Z"),
    ]
    publish_unbound(write_batch(tmp_path / "first", [first]), tmp_path / "out", "first")
    publish_unbound(write_batch(tmp_path / "second", [second]), tmp_path / "out", "second")
    return tmp_path / "out"


def compact(output: Path, before: datetime = AFTER) -> list[Manifest]:
    return list(compactor(output).run(before))


def is_whole(output: Path) -> bool:
    """Whether each live file is as its manifest says, and no other is there."""
    return not verify(FolderTables(output), lambda path: count_rows(str(output), path)).findings


def test_rows_are_read_as_before(output: Path) -> None:
    before = rows(output)

    made = compact(output)

    assert rows(output) == before
    assert is_whole(output)
    assert [manifest.day for manifest in made] == ["2025-03-01", "2025-03-02"]


def test_manifests_of_a_day_become_one_and_each_slice_has_one_file_for_table_and_role(
    output: Path,
) -> None:
    compact(output)

    manifests = read_manifests(output)
    assert {manifest.day for manifest in manifests} == {"2025-03-01", "2025-03-02"}
    folders = [path.rpartition("/")[0] for path in snapshot(output) if path.endswith(".parquet")]
    assert len(folders) == len(set(folders)) == 12


def test_contributions_and_reports_stay_what_they_were(output: Path) -> None:
    before = {one for manifest in read_manifests(output) for one in manifest.contributions}
    reports = {path: text for path, text in snapshot(output).items() if path.endswith(".json")}

    compact(output)

    after = read_manifests(output)
    assert {one for manifest in after for one in manifest.contributions} == before
    kept = {path: text for path, text in snapshot(output).items() if path.startswith("quality/")}
    assert kept == {path: text for path, text in reports.items() if path.startswith("quality/")}
    held = {run.facts.mini_batch_id: manifest.day for manifest in after for run in manifest.runs}
    assert held == {"first": "2025-03-01", "second": "2025-03-02"}


def test_only_whole_days_before_the_moment_are_compacted(output: Path) -> None:
    before = rows(output)

    made = compact(output, datetime(2025, 3, 2, 23, 59, tzinfo=UTC))

    assert [manifest.day for manifest in made] == ["2025-03-01"]
    assert rows(output) == before
    assert is_whole(output)
    assert {manifest.facts.mini_batch_id for manifest in read_manifests(output)} == {"", "second"}


def test_what_is_compacted_is_not_compacted_again(output: Path) -> None:
    compact(output)

    assert compact(output) == []


def test_a_later_batch_adds_to_a_compacted_day_which_can_be_compacted_again(
    tmp_path: Path, output: Path
) -> None:
    compact(output)
    late = write_batch(tmp_path / "late", [[at("2025-03-01T10:01:00Z", source_bytes=1000)]])
    publish_unbound(late, output, "late")
    with_late = rows(output)
    assert _sent(with_late, "10:00") == 1000 + 100 + 100

    made = compact(output)

    assert [manifest.day for manifest in made] == ["2025-03-01"]
    assert rows(output) == with_late
    assert is_whole(output)
    assert {run.facts.mini_batch_id for run in made[0].runs} == {"first", "late"}


def _sent(found: tuple[list[dict[str, Any]], list[dict[str, Any]]], time: str) -> int:
    """What the host of most flows sent in the slice from a time."""
    return sum(
        row["bytes_sent_sum"]
        for row in found[0]
        if row["role"] == "outbound" and f"{row['slice_start_ts']:%H:%M}" == time
    )


def test_a_compacted_batch_is_refused_before_work(tmp_path: Path, output: Path) -> None:
    compact(output)
    before = snapshot(output)

    with pytest.raises(UsageError, match=r"mini-batch first .* of 2025-03-01 was compacted"):
        publish_unbound(write_batch(tmp_path / "again", [[flow()]]), output, "first")

    assert snapshot(output) == before


def test_a_run_of_a_compacted_batch_that_is_under_way_is_refused_when_it_publishes(
    tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = FolderSink.standing

    def and_then_compact(sink: FolderSink, *arguments: Any) -> Any:
        found = standing(sink, *arguments)
        compact(output)
        return found

    monkeypatch.setattr(FolderSink, "standing", and_then_compact)

    with pytest.raises(CompactedError, match="was compacted"):
        publish_unbound(write_batch(tmp_path / "again", [[flow()]]), output, "first")

    assert is_whole(output)


def test_a_batch_of_which_one_slice_is_compacted_is_compacted(tmp_path: Path, output: Path) -> None:
    compact(output, datetime(2025, 3, 2, tzinfo=UTC))
    batch = write_batch(tmp_path / "again", [[at("2025-03-02T00:10:00Z")]])

    with pytest.raises(UsageError, match="of 2025-03-01 was compacted"):
        publish_unbound(batch, output, "second")


def test_a_run_that_is_published_into_the_day_meanwhile_is_not_lost(
    tmp_path: Path, output: Path
) -> None:
    late = write_batch(tmp_path / "late", [[at("2025-03-01T10:01:00Z", source_bytes=1000)]])
    (day, _) = days_to_compact(FolderTables(output).manifests(None, None), AFTER)
    sink = FolderSink(output)
    staging = sink.open_staging("compaction", (), print)
    staged = write_day(FolderTables(output), day, StagingRoot(staging.root))
    publish_unbound(late, output, "late")
    before = rows(output)

    with pytest.raises(DayChangedError, match="2025-03-01: a run was published into the day"):
        staging.publish_day(Compaction(day, _facts(output), staged))

    staging.close()
    assert rows(output) == before
    compact(output)
    assert rows(output) == before


def _facts(output: Path) -> Any:
    return evolve(read_manifests(output)[0].facts, job_name="", mini_batch_id="")


def _publish_day(compaction: Compaction, staged: Path, output: Path) -> None:
    """Publish a day that was staged elsewhere."""
    staging = FolderSink(output).open_staging("compaction", (), print)
    for name in compaction.rows:
        target = staging.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((staged / name).read_bytes())
    staging.publish_day(compaction)
    staging.close()


def _publish_day_and_die(compaction: Compaction, staged: Path, output: Path, step: int) -> None:
    die_before(step)  # in a process of its own, which is forked for that
    _publish_day(compaction, staged, output)


def test_a_compaction_that_is_killed_at_any_step_leaves_all_rows(
    tmp_path: Path, output: Path
) -> None:
    """Before each of its calls that sync, rename or delete, from its first folder to its last."""
    before = rows(output)
    (day, _) = days_to_compact(FolderTables(output).manifests(None, None), AFTER)
    staged = write_day(FolderTables(output), day, StagingRoot(str(tmp_path / "staged")))
    compaction = Compaction(day, _facts(output), staged)
    elsewhere = write_batch(tmp_path / "elsewhere", [[at("2025-03-05T10:01:00Z")]])
    died: int | None = 9
    compacted: list[bool] = []
    for step in range(0, 1000, 1 if SOAK else 6):
        copy = tmp_path / f"out-{step}"
        shutil.copytree(output, copy)
        died = run_apart(_publish_day_and_die, compaction, tmp_path / "staged", copy, step)
        compacted.append(any(manifest.day for manifest in read_manifests(copy)))
        live = _live_rows(copy)
        publish_unbound(elsewhere, copy, "elsewhere")
        assert _live_rows(copy) == live + 4
        assert is_whole(copy)
        assert list((copy / "_staging").iterdir()) == []
        assert list((copy / "_pending").iterdir()) == []
        if step % 4 == 0 or died == 0:
            found = rows(copy)
            assert [row for row in found[0] if row["slice_start_ts"].day < 5] == before[0]
            assert [row for row in found[1] if row["slice_start_ts"].day < 5] == before[1]
        if died == 0:
            break
    assert died == 0
    # There is one step before which no death compacts, and after which every one does.
    assert compacted == sorted(compacted)
    assert (compacted.count(False) > 2, compacted.count(True) > 3) == (True, True)


def _live_rows(output: Path) -> int:
    return sum(file.rows for file in live_files(read_manifests(output)) if file.slice is not None)


def test_a_reader_that_opened_a_day_before_it_was_compacted_is_told(output: Path) -> None:
    frame = read_table(FolderTables(output), "delta")
    compact(output)

    with pytest.raises((PolarsError, OSError), match=r"No such file|not found|os error 2"):
        frame.collect()


def test_a_run_that_comes_between_two_days_and_has_rows_in_both_keeps_all_of_them(
    tmp_path: Path, output: Path
) -> None:
    records = [at("2025-03-01T11:00:00Z", source_bytes=3), at("2025-03-02T11:00:00Z")]
    compactions = compactor(output).run(AFTER)
    first = next(compactions)
    publish_unbound(write_batch(tmp_path / "late", [records]), output, "late")
    before = rows(output)

    made = [first, *compactions]

    assert [manifest.day for manifest in made] == ["2025-03-01", "2025-03-01", "2025-03-02"]
    assert rows(output) == before
    assert is_whole(output)


def test_a_run_that_was_replaced_by_one_that_a_day_holds_whole_never_counts_again(
    tmp_path: Path, output: Path
) -> None:
    """As when the one that replaced it is deleted first, and the process dies then."""
    (former,) = [one for one in read_manifests(output) if one.facts.mini_batch_id == "first"]
    again = [at("2025-03-01T10:00:00Z", source_bytes=9)]
    publish_unbound(write_batch(tmp_path / "again", [again]), output, "first")
    compact(output)

    found = live([former, *read_manifests(output)])

    assert former not in found.manifests
