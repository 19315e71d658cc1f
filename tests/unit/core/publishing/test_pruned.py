"""What lies before a marker counts no more, whatever is left of it."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from ndr_core.errors import NdrError, UsageError
from ndr_core.publishing.compaction import days_to_compact
from ndr_core.publishing.manifest import Manifest, OutputFile, check_places
from ndr_core.publishing.pruned import PRUNED, Pruned, marker_name, pruned_of, refuse_pruned
from ndr_core.publishing.standing import Overrides, Standing, check_standing, standing_of
from ndr_core.times import to_datetime
from tests.unit.core.publishing.makers import (
    FACTS,
    after_ten,
    bounds,
    compacted,
    folder,
    published,
)

DAY = 24 * 60
"""Minutes."""
MIDNIGHT = 14 * 60
"""Minutes after 10:00 at which the day ends."""


def until(minutes: int, version: str = "v1") -> Pruned:
    """All before the slice that starts so many minutes after 10:00 is pruned."""
    return Pruned({version: after_ten(minutes)})


def left(pruned: Pruned, manifest: Manifest) -> Manifest | None:
    """What is left of a manifest; None where nothing is."""
    found = pruned.left([manifest])
    return found[0] if found else None


def place(minutes: int) -> str:
    return folder(minutes).partition("/")[2].partition("/")[2]


def with_aside(run: Manifest) -> Manifest:
    """The run with a report."""
    facts = run.facts
    path = (
        f"quality/feature_spec_version={facts.feature_spec_version}/job_name={facts.job_name}/"
        f"mini_batch_id={facts.mini_batch_id}/report-{run.token}.json"
    )
    return evolve(run, files=(*run.files, OutputFile(path, 0, 10, "00")))


def with_places(run: Manifest, place: str) -> Manifest:
    """The run with its rows in another slice or day."""
    (file,), (contribution,) = run.files, run.contributions
    path = f"daily/feature_spec_version=v1/{place}/role=inbound/part.parquet"
    return evolve(
        run,
        files=(evolve(file, path=path),),
        contributions=(evolve(contribution, slice=place),),
    )


def day_of(*runs: Manifest) -> Manifest:
    """The compaction of the first day of some runs."""
    end = to_datetime(after_ten(9 * DAY))
    return compacted(100, days_to_compact(runs, end)[0])


def reports(manifest: Manifest) -> list[str]:
    """The mini-batches of which it has reports."""
    return [file.partition["mini_batch_id"] for file in manifest.files if file.slice is None]


# Slices and files.


@pytest.mark.parametrize(
    ("minutes", "expected"), [(-DAY, True), (0, True), (15, False), (30, False)]
)
def test_slices_that_start_before_the_first_one_that_stays_are_pruned(
    minutes: int, expected: bool
) -> None:
    assert until(15).holds("v1", place(minutes)) is expected


def test_of_a_version_without_a_marker_nothing_is_pruned() -> None:
    assert not until(15, "v2").holds("v1", place(0))
    assert not Pruned().holds("v1", place(0))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"{folder(0)}/x.parquet", True),
        (f"{folder(0)}/role=inbound/x.parquet", True),
        (f"{folder(0, table='pair')}/x.parquet", True),
        (f"{folder(15)}/role=inbound/x.parquet", False),
        (f"{folder(0, version='v2')}/x.parquet", False),
        ("quality/feature_spec_version=v1/job_name=j/mini_batch_id=mb/report.json", False),
        ("delta/feature_spec_version=v1/dt=2025-03-01/x.parquet", False),
        ("delta/x", False),
        ("x", False),
    ],
)
def test_only_files_of_tables_lie_in_slices_that_may_be_pruned(path: str, expected: bool) -> None:
    assert until(15).of_file(path) is expected


# What is left of a run.


def test_a_run_without_slices_before_the_marker_is_left_as_it_is() -> None:
    run = published(1, 15, 30)

    assert left(until(15), run) == run


def test_a_run_of_a_version_without_a_marker_is_left_as_it_is() -> None:
    run = published(1, 0, feature_spec_version="v2")

    assert left(until(15), run) == run


def test_of_a_run_with_older_slices_the_newer_ones_and_what_was_set_aside_are_left() -> None:
    run, new = with_aside(published(1, 0, 15, 30)), published(1, 15, 30)

    found = left(until(15), run)

    assert found == evolve(run, contributions=new.contributions, files=(*new.files, run.files[-1]))
    check_places(found)


def test_nothing_is_left_of_a_run_that_has_older_slices_only() -> None:
    assert left(until(30), with_aside(published(after_ten(60), 0, 15))) is None


@pytest.mark.parametrize(("end", "stays"), [(14, False), (15, False), (16, True)])
def test_a_run_with_a_span_is_left_until_that_has_ended(end: int, stays: bool) -> None:
    moment, span = after_ten(60), bounds(0, end)
    empty, full = published(moment, bounds=span), published(moment, 0, bounds=span)

    assert (left(until(15), empty) is not None) is stays
    assert (left(until(15), full) is not None) is stays


def test_of_a_run_whose_span_goes_on_its_older_slices_are_not_left() -> None:
    found = left(until(15), published(1, 0, bounds=bounds(0, 30)))

    assert found == published(1, bounds=bounds(0, 30))


@pytest.mark.parametrize(("minutes", "stays"), [(14, False), (15, True), (16, True)])
def test_a_run_without_rows_and_span_is_as_old_as_its_publication(
    minutes: int, stays: bool
) -> None:
    run = published(after_ten(minutes))

    assert left(until(15), run) == (run if stays else None)


def test_runs_are_left_in_their_order() -> None:
    runs = [published(3, 15), published(1, 0), published(2, 30)]

    assert until(15).left(runs) == [runs[0], runs[2]]


# What is left of a compacted day.


@pytest.mark.parametrize(("minutes", "stays"), [(MIDNIGHT, False), (MIDNIGHT - 15, True)])
def test_a_compacted_day_goes_as_a_whole_when_it_has_ended(minutes: int, stays: bool) -> None:
    day = day_of(published(1, 0))

    assert (left(until(minutes), day) is not None) is stays


def test_a_compacted_day_without_older_slices_is_left_as_it_is() -> None:
    day = day_of(with_aside(published(1, 15)))

    assert left(until(15), day) == day


def test_of_a_compacted_day_newer_slices_are_left_with_the_runs_that_count_in_them() -> None:
    old, both, new = (
        with_aside(published(after_ten(60) + moment, *minutes, mini_batch_id=name))
        for moment, name, minutes in ((1, "old", [0]), (2, "both", [0, 15]), (3, "new", [15]))
    )
    day = day_of(old, both, new)

    found = left(until(15), day)

    assert found is not None
    assert [run.facts.mini_batch_id for run in found.runs] == ["both", "new"]
    assert reports(found) == ["both", "new"]
    assert [one.key[1:] for one in found.contributions] == [("both", place(15)), ("new", place(15))]
    assert [file.slice for file in found.files if file.slice] == [place(15)]
    check_places(found)
    found.must_be_exactly(json.loads(found.to_json()))


def test_a_run_without_rows_is_left_in_a_compacted_day_until_its_span_has_ended() -> None:
    ended, goes_on = (
        with_aside(published(after_ten(60) + moment, mini_batch_id=name, bounds=bounds(0, end)))
        for moment, name, end in ((1, "ended", 15), (2, "goes on", 30))
    )
    day = day_of(ended, goes_on, published(after_ten(61), 0, 15, mini_batch_id="rows"))

    found = left(until(15), day)

    assert found is not None
    assert [run.facts.mini_batch_id for run in found.runs] == ["goes on", "rows"]
    assert reports(found) == ["goes on"]


def test_a_run_of_the_same_mini_batch_of_another_job_does_not_keep_one_in_a_compacted_day() -> None:
    old, new = published(1, 0, job_name="j"), published(2, 15, job_name="k")

    found = left(until(15), day_of(old, new))

    assert found is not None
    assert [run.facts.job_name for run in found.runs] == ["k"]


# Markers.


def test_a_marker_names_the_version_and_the_first_slice_that_stays() -> None:
    assert marker_name("v1", 1_700_000_000_000_000) == "feature_spec_version=v1/1700000000000000"
    assert marker_name("v1", 0) == "feature_spec_version=v1/0000000000000000"


def test_markers_are_read_back_and_of_several_of_a_version_the_latest_counts() -> None:
    firsts = [("v1", 30), ("v1", 15), ("v2", 0)]
    names = [marker_name(version, after_ten(minutes)) for version, minutes in firsts]

    assert pruned_of(names) == Pruned({"v1": after_ten(30), "v2": after_ten(0)})
    assert pruned_of(reversed(names)) == pruned_of(names)
    assert pruned_of([]) == Pruned()


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "feature_spec_version=v1",
        "feature_spec_version=v1/1",
        "feature_spec_version=v1/a/0000000000000001",
        "feature_spec_version=v1/0000000000000001.json",
        "feature_spec_version=v1/000000000000000\u0661",
    ],
)
def test_a_marker_of_another_version_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(NdrError) as refused:
        pruned_of([marker_name("v1", 0), name])

    assert str(refused.value) == (
        f"{PRUNED}/{name}: is no marker of `ndr prune` that this version knows; use the version that wrote it, "
        "or remove it"
    )


# Runs that come late.


def test_a_run_whose_span_begins_in_what_was_pruned_is_refused_before_it_works() -> None:
    facts = evolve(FACTS, bounds=bounds(0, 60))

    with pytest.raises(UsageError) as refused:
        check_standing(Standing(pruned=until(15)), facts, {}, Overrides())

    assert str(refused.value) == (
        "slice-start: 2025-03-01T10:00:00Z lies in what `ndr prune` has removed of feature_spec_version v1, which "
        "is all before 2025-03-01T10:15:00Z (marker in _pruned); begin then, or choose another feature_spec_version"
    )


@pytest.mark.parametrize("pruned", [until(0), until(15, "v2"), Pruned()])
def test_a_run_whose_span_begins_after_what_was_pruned_is_not_refused(pruned: Pruned) -> None:
    refuse_pruned(pruned, evolve(FACTS, bounds=bounds(0, 60)))


def test_a_run_without_a_span_is_not_refused_before_it_works() -> None:
    refuse_pruned(until(15), FACTS)


def test_a_run_of_pruned_slices_alone_stands_in_nobodys_way() -> None:
    gone, stays = published(1, 0, mini_batch_id="a"), published(2, 15, mini_batch_id="b")

    standing = standing_of([gone, stays, published(0, 0)], FACTS, 0, pruned=until(15))

    assert (standing.former, standing.recent) == (None, (stays,))
    assert standing.pruned == until(15)


def test_a_day_is_left_while_it_is_not_over() -> None:
    day = with_places(published(100, 0, table="daily"), "dt=2025-03-01")

    before_its_end, at_its_end = until(MIDNIGHT - 15), until(MIDNIGHT)

    assert left(before_its_end, day) == day
    assert left(at_its_end, day) is None
    assert not before_its_end.holds("v1", "dt=2025-03-01")
    assert at_its_end.holds("v1", "dt=2025-03-01")
    assert at_its_end.of_file(day.files[0].path)
    assert not before_its_end.of_file(day.files[0].path)


def test_files_in_no_slice_are_never_those_of_a_pruned_one() -> None:
    pruned = until(MIDNIGHT)

    assert not pruned.of_file("daily/feature_spec_version=v1/role=inbound/x.parquet")
    assert not pruned.of_file("daily/version=v1/dt=2025-03-01/x.parquet")
    assert not pruned.of_file("daily")
