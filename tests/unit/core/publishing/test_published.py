"""Readers see live files only, in the slices they ask for, and only files that are whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from attrs import define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.errors import NdrError, UsageError
from ndr_core.publishing.entry import entry_of
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.ownership import live_files
from ndr_core.publishing.published import (
    GoneSlicesWarning,
    SliceRange,
    entries_to_read,
    readable_files,
    readable_runs,
)
from tests.unit.core.publishing.makers import VERSION, folder, published
from tests.unit.core.publishing.makers import bounds as span

TEN = datetime(2025, 3, 1, 10, tzinfo=UTC)


def path(minute: int, moment: int) -> str:
    """The file of a slice that the run of that moment published."""
    return f"{folder(minute)}/part-00000-{moment:012x}.parquet"


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


def test_of_a_slice_to_which_two_mini_batches_contribute_the_files_of_both_are_read() -> None:
    one, other = published(2, 0, mini_batch_id="a"), published(1, 0, 15, mini_batch_id="b")
    tables = MemoryTables([[one, other]])

    found = readable_files(tables, "delta")

    assert [file.path for file in found.files] == [path(0, 1), path(0, 2), path(15, 1)]
    assert found.by_run == (other.files, one.files)
    assert (found.root, found.table) == ("memory:/out", "delta")


def test_a_run_whose_files_were_all_replaced_has_none() -> None:
    tables = MemoryTables([[published(1, 0, 15), published(2, 0)]])

    assert [file.path for file in readable_files(tables, "delta").files] == [path(0, 2)]
    assert len(readable_files(tables, "delta").by_run) == 1


def test_a_run_without_files_in_the_range_is_none_of_those_that_have_any() -> None:
    tables = MemoryTables([[published(1, 0, mini_batch_id="a"), published(2, 15)]])

    found = readable_files(tables, "delta", SliceRange(since=TEN + timedelta(minutes=15)))

    assert [len(files) for files in found.by_run] == [1]


def test_files_of_another_table_are_not_read() -> None:
    tables = MemoryTables([[published(1, 0, table="pair")]])

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
    tables = MemoryTables([[published(1, 0, 15, 30)]])
    bounds = [None if bound is None else TEN + bound for bound in (since, until)]

    found = paths(tables, SliceRange(*bounds))

    assert found == [path(minute, 1) for minute in minutes]
    assert tables.asked == [tuple(bounds)]


def test_a_bound_may_be_of_any_time_zone() -> None:
    tables = MemoryTables([[published(1, 0, 15)]])
    there = timezone(timedelta(hours=5, minutes=45))

    found = paths(tables, SliceRange(since=datetime(2025, 3, 1, 16, tzinfo=there)))

    assert found == [path(15, 1)]


@pytest.mark.parametrize("name", ["since", "until"])
def test_a_bound_without_a_time_zone_is_wrong_usage(name: str) -> None:
    with pytest.raises(UsageError, match=f"^{name}: 2025-03-01 10:00:00 has no time zone"):
        SliceRange(**{name: datetime(2025, 3, 1, 10)})


def with_more(manifest: Manifest) -> Manifest:
    """The run with a second file in each of its slices."""
    more = [
        evolve(one, path=one.path.replace("part-00000", "part-00001")) for one in manifest.files
    ]
    return evolve(manifest, files=(*manifest.files, *more))


def test_a_file_that_is_missing_is_named_with_the_mini_batch_to_run_again() -> None:
    lost = path(0, 1)
    tables = MemoryTables([[with_more(published(1, 0, mini_batch_id="mb-7"))]], missing={lost})

    with pytest.raises(NdrError) as failed:
        readable_files(tables, "delta")

    assert str(failed.value) == (
        f"memory:/out/{lost}: is missing (its manifest says 10 bytes); restore it, "
        "or run mini-batch 'mb-7' again"
    )


def test_of_several_missing_files_one_is_named_and_the_others_are_counted() -> None:
    manifest = published(1, 0, 15, 30)
    tables = MemoryTables([[with_more(manifest)]], missing={file.path for file in manifest.files})

    with pytest.raises(NdrError, match=r"mm=00/part-00000-0{11}1.* \(and 2 more files\)$"):
        readable_files(tables, "delta")


def test_slices_whose_folders_are_gone_are_told_and_left_out() -> None:
    manifest = with_more(published(1, 0, 15, 30))
    lost = {file.path for file in manifest.files if "mm=30" not in file.path}
    tables = MemoryTables([[manifest, published(2, 45, mini_batch_id="b")]], missing=lost)

    with pytest.warns(GoneSlicesWarning) as told:
        found = readable_files(tables, "delta").files

    assert {file.slice for file in found} == {
        f"dt=2025-03-01/hh=10/mm={minute}" for minute in (30, 45)
    }
    assert [str(one.message) for one in told] == [
        "memory:/out: 2 slices are left out, since their folders were removed: "
        f"{VERSION}/dt=2025-03-01/hh=10/mm=00, {VERSION}/dt=2025-03-01/hh=10/mm=15; restore them, "
        "or remove old slices with `ndr prune`"
    ]


def test_of_a_slice_without_its_pairs_the_deltas_are_left_out_too_where_both_are_asked_for() -> (
    None
):
    pairs = published(1, 0, 15, table="pair")
    tables = MemoryTables(
        [[pairs, published(2, 0, 15, mini_batch_id="b")]], missing={pairs.files[0].path}
    )

    with pytest.warns(GoneSlicesWarning, match="1 slices are left out"):
        runs = readable_runs(tables, ["delta", "pair"])

    assert [file.path for file in runs.files("delta").files] == [path(15, 2)]


def test_many_slices_that_are_gone_are_counted() -> None:
    manifest = published(1, *range(0, 180, 15))
    tables = MemoryTables([[manifest]], missing={file.path for file in manifest.files})

    with pytest.warns(GoneSlicesWarning, match="12 slices are .*mm=15 and 2 more; restore"):
        assert readable_files(tables, "delta").files == []


def test_a_file_that_is_missing_beside_a_slice_that_is_gone_is_an_error() -> None:
    manifest, gone = with_more(published(1, 0)), published(2, 15, mini_batch_id="b")
    lost = {manifest.files[0].path, gone.files[0].path}

    with pytest.raises(NdrError, match=f"{manifest.files[0].path}: is missing .* again$"):
        readable_files(MemoryTables([[manifest, gone]], missing=lost), "delta")


def test_a_file_of_another_size_is_damaged() -> None:
    manifest = published(1, 0)
    short = evolve(manifest, files=(evolve(manifest.files[0], bytes=1234),))

    with pytest.raises(NdrError, match="has 10 bytes, its manifest says 1,234 bytes"):
        readable_files(MemoryTables([[short]]), "delta")


def test_a_damaged_file_that_nobody_asks_for_does_not_matter() -> None:
    pairs = published(1, 0, table="pair")
    tables = MemoryTables(
        [[pairs, published(2, 15, mini_batch_id="b")]], missing={pairs.files[0].path}
    )

    assert paths(tables) == [path(15, 2)]


def test_a_file_that_a_run_has_just_replaced_is_looked_up_once_more() -> None:
    old, new = published(1, 0), published(2, 0)
    tables = MemoryTables([[old], [old, new]], missing={old.files[0].path})

    runs = readable_runs(tables, ["delta", "pair"])

    assert runs.manifests == (old, new)
    assert [file.path for file in runs.files("delta").files] == [new.files[0].path]


def test_runs_that_are_published_faster_than_they_can_be_read_end_in_an_error() -> None:
    looks = [[published(number, 0)] for number in range(1, 9)]
    tables = MemoryTables(
        list(looks), missing={file.path for (manifest,) in looks for file in manifest.files}
    )

    with pytest.raises(NdrError, match=r"^memory:/out: runs are published faster"):
        readable_files(tables, "delta")

    assert len(tables.asked) == 5


@pytest.mark.parametrize(
    "zone", [UTC, timezone(timedelta(hours=-12)), timezone(timedelta(hours=14))]
)
def test_the_ends_of_the_calendar_are_bounds_as_others(zone: timezone) -> None:
    first, last = (one.replace(tzinfo=zone) for one in (datetime.min, datetime.max))

    def found(since: datetime | None, until: datetime | None) -> list[str]:
        return paths(MemoryTables([[published(1, 0)]]), SliceRange(since, until))

    assert found(first, last) == [path(0, 1)]
    assert found(last, None) == found(None, first) == []


# Which manifests have to be read for a range.


def moments_to_read(
    manifests: Iterable[Manifest], since: datetime | None, until: datetime | None
) -> list[int]:
    entries = [entry_of(manifest) for manifest in manifests]
    return [entry.published_at for entry in entries_to_read(iter(entries), since, until)]


def test_without_a_range_all_manifests_are_read() -> None:
    runs = [published(1, 0), published(2, 15, mini_batch_id="b"), published(3)]

    assert moments_to_read(runs, None, None) == [1, 2, 3]


def test_a_mini_batch_of_other_slices_is_passed_over() -> None:
    runs = [published(1, 0), published(2, 120, mini_batch_id="b")]

    assert moments_to_read(runs, TEN, TEN + timedelta(hours=1)) == [1]
    assert moments_to_read(runs, TEN + timedelta(hours=1), None) == [2]


def test_a_rerun_that_left_the_range_is_read_since_it_replaced_what_lies_there() -> None:
    runs = [published(1, 0), published(2, 120), published(3)]

    assert moments_to_read(runs, TEN, TEN + timedelta(hours=1)) == [1, 2, 3]


def test_equal_mini_batches_of_two_versions_are_not_one_owner() -> None:
    runs = [published(1, 0), published(2, 120, feature_spec_version="v2")]

    assert moments_to_read(runs, TEN, TEN + timedelta(hours=1)) == [1]


SPANS = st.none() | st.builds(
    lambda first, length: span(first, first + length), st.integers(-90, 90), st.integers(1, 120)
)
SECONDS = st.none() | st.integers(-100 * 60, 100 * 60)


@st.composite
def outputs(draw: st.DrawFn) -> list[Manifest]:
    """Runs of few mini-batches over few slices, some replaced, some with a span, in any order."""
    owners = st.tuples(st.sampled_from(["v1", "v2"]), st.sampled_from(["a", "b", "c"]))
    minutes = st.lists(st.sampled_from(range(-60, 61, 15)), unique=True, max_size=3)
    runs = draw(st.lists(st.tuples(owners, minutes, SPANS), max_size=8))
    made = [
        published(
            moment,
            *slices,
            feature_spec_version=version,
            mini_batch_id=batch,
            bounds=bounds,
        )
        for moment, ((version, batch), slices, bounds) in enumerate(runs)
    ]
    return draw(st.permutations(made))


RANGES = st.tuples(SECONDS, SECONDS).map(
    lambda ends: tuple(None if end is None else TEN + timedelta(seconds=end) for end in ends)
)


def live_in(
    manifests: Iterable[Manifest], since: datetime | None, until: datetime | None
) -> list[str]:
    """The live files of slices that start in [since, until), by what their paths spell."""
    found = []
    for file in live_files(manifests):
        text = "{dt} {hh} {mm}".format(**file.partition)
        start = datetime.strptime(text, "%Y-%m-%d %H %M").replace(tzinfo=UTC)
        if (since is None or start >= since) and (until is None or start < until):
            found.append(file.path)
    return found


@settings(deadline=None)
@given(outputs(), RANGES)
def test_what_is_chosen_for_a_range_tells_what_is_live_there_as_all_manifests_do(
    runs: list[Manifest], slices: tuple[datetime | None, datetime | None]
) -> None:
    chosen = moments_to_read(runs, *slices)

    found = live_in((run for run in runs if run.published_at in chosen), *slices)

    assert found == live_in(runs, *slices)


@settings(deadline=None)
@given(outputs(), RANGES)
def test_readers_see_the_live_files_of_the_slices_that_start_in_their_range(
    runs: list[Manifest], slices: tuple[datetime | None, datetime | None]
) -> None:
    assert paths(MemoryTables([runs]), SliceRange(*slices)) == live_in(runs, *slices)


def test_files_of_a_table_come_with_what_their_runs_say_they_mean_each_once() -> None:
    runs = [
        published(1, 0, mini_batch_id="a", meaning={"x": 1}),
        published(2, 0, mini_batch_id="b", meaning={"x": 1}),
        published(3, 0, mini_batch_id="c", meaning={"x": 1, "y": 2}),
    ]
    tables = MemoryTables([runs])

    assert readable_files(tables, "delta").meanings == ({"x": 1}, {"x": 1, "y": 2})
    assert readable_files(tables, "nothing").meanings == ()
