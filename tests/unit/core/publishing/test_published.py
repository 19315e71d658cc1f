"""Readers see live files only, in the slices they ask for, and only files that are whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from attrs import define, evolve, field

from ndr_core.errors import NdrError, UsageError
from ndr_core.publishing.manifest import Manifest, OutputFile, RunFacts
from ndr_core.publishing.published import SliceRange, readable_files, readable_runs

FACTS = RunFacts("p", "j", "v1", "00", "mb", "run", "memory", "test")
TEN = datetime(2025, 3, 1, 10, tzinfo=UTC)


def folder(minute: int, table: str = "delta") -> str:
    return f"{table}/feature_spec_version=v1/dt=2025-03-01/hh=10/mm={minute:02}"


def run(sequence: int, *minutes: int, table: str = "delta", batch: str = "mb") -> Manifest:
    """A run that published one file of 10 bytes in each of some slices."""
    folders = tuple(folder(minute, table) for minute in minutes)
    files = tuple(OutputFile(one, f"{one}/part-{sequence}.parquet", 1, 10, "00") for one in folders)
    return Manifest(sequence, f"{sequence:012}", evolve(FACTS, mini_batch_id=batch), folders, files)


@define
class MemoryTables:
    """An output whose manifests and files change from one look to the next."""

    looks: list[Sequence[Manifest]]
    missing: set[str] = field(factory=set)
    root: str = "memory:/out"
    asked: list[tuple[datetime | None, datetime | None]] = field(factory=list)

    def manifests(self, since: datetime | None, until: datetime | None) -> Sequence[Manifest]:
        self.asked.append((since, until))
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def sizes(self, paths: Iterable[str]) -> Mapping[str, int]:
        return {path: 10 for path in paths if path not in self.missing}


def paths(tables: MemoryTables, slices: SliceRange | None = None) -> list[str]:
    return [file.path for file in readable_files(tables, "delta", slices).files]


def test_of_a_slice_that_two_runs_published_the_later_files_are_read() -> None:
    tables = MemoryTables([[run(2, 0), run(1, 0, 15)]])

    found = readable_files(tables, "delta")

    assert [file.path for file in found.files] == [
        f"{folder(0)}/part-2.parquet",
        f"{folder(15)}/part-1.parquet",
    ]
    assert [len(files) for files in found.by_run] == [1, 1]
    assert (found.root, found.table) == ("memory:/out", "delta")


def test_a_run_whose_files_were_all_replaced_has_none() -> None:
    tables = MemoryTables([[run(1, 0), run(2, 0)]])

    assert len(readable_files(tables, "delta").by_run) == 1


def test_files_of_another_table_are_not_read() -> None:
    tables = MemoryTables([[run(1, 0, table="pair")]])

    assert paths(tables) == []


@pytest.mark.parametrize(
    ("since", "until", "minutes"),
    [
        (None, None, [0, 15, 30]),
        (timedelta(minutes=15), None, [15, 30]),
        (None, timedelta(minutes=15), [0]),
        (timedelta(minutes=15), timedelta(minutes=30), [15]),
        (timedelta(microseconds=1), None, [15, 30]),
        (timedelta(minutes=14, seconds=59), timedelta(minutes=15, seconds=1), [15]),
        (timedelta(hours=1), None, []),
    ],
)
def test_a_range_holds_the_slices_that_start_in_it(
    since: timedelta | None, until: timedelta | None, minutes: list[int]
) -> None:
    tables = MemoryTables([[run(1, 0, 15, 30)]])
    bounds = [None if bound is None else TEN + bound for bound in (since, until)]

    found = paths(tables, SliceRange(*bounds))

    assert found == [f"{folder(minute)}/part-1.parquet" for minute in minutes]
    assert tables.asked == [tuple(bounds)]


def test_a_bound_may_be_of_any_time_zone() -> None:
    tables = MemoryTables([[run(1, 0, 15)]])
    there = timezone(timedelta(hours=5, minutes=45))

    found = paths(tables, SliceRange(since=datetime(2025, 3, 1, 16, tzinfo=there)))

    assert found == [f"{folder(15)}/part-1.parquet"]


@pytest.mark.parametrize("name", ["since", "until"])
def test_a_bound_without_a_time_zone_is_wrong_usage(name: str) -> None:
    with pytest.raises(UsageError, match=f"^{name}: 2025-03-01 10:00:00 has no time zone"):
        SliceRange(**{name: datetime(2025, 3, 1, 10)})


def test_a_file_that_is_missing_is_named_with_the_mini_batch_to_run_again() -> None:
    lost = f"{folder(0)}/part-1.parquet"
    tables = MemoryTables([[run(1, 0, batch="mb-7")]], missing={lost})

    with pytest.raises(NdrError) as failed:
        readable_files(tables, "delta")

    assert str(failed.value) == (
        f"memory:/out/{lost}: is missing (its manifest says 10 bytes); restore it, "
        "or run mini-batch 'mb-7' again"
    )


def test_of_several_missing_files_one_is_named_and_the_others_are_counted() -> None:
    manifest = run(1, 0, 15, 30)
    tables = MemoryTables([[manifest]], missing={file.path for file in manifest.files})

    with pytest.raises(NdrError, match=r"mm=00/part-1.* \(and 2 more files\)$"):
        readable_files(tables, "delta")


def test_a_file_of_another_size_is_damaged() -> None:
    manifest = run(1, 0)
    short = evolve(manifest, files=(evolve(manifest.files[0], bytes=1234),))

    with pytest.raises(NdrError, match="has 10 bytes, its manifest says 1,234 bytes"):
        readable_files(MemoryTables([[short]]), "delta")


def test_a_damaged_file_that_nobody_asks_for_does_not_matter() -> None:
    pairs = run(1, 0, table="pair")
    tables = MemoryTables([[pairs, run(2, 15)]], missing={pairs.files[0].path})

    assert paths(tables) == [f"{folder(15)}/part-2.parquet"]


def test_a_file_that_a_run_has_just_replaced_is_looked_up_once_more() -> None:
    old, new = run(1, 0), run(2, 0)
    tables = MemoryTables([[old], [old, new]], missing={old.files[0].path})

    runs = readable_runs(tables, ["delta", "pair"])

    assert runs.manifests == (old, new)
    assert [file.path for file in runs.files("delta").files] == [new.files[0].path]


def test_runs_that_are_published_faster_than_they_can_be_read_end_in_an_error() -> None:
    looks = [[run(number, 0)] for number in range(1, 9)]
    tables = MemoryTables(
        list(looks), missing={file.path for (manifest,) in looks for file in manifest.files}
    )

    with pytest.raises(NdrError, match=r"^memory:/out: runs are published faster"):
        readable_files(tables, "delta")

    assert len(tables.asked) == 5
