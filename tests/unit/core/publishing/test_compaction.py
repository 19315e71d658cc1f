"""A compacted day holds what many mini-batches contributed to it, and nothing else changes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from attrs import evolve

from ndr_core.publishing.compaction import (
    CompactedError,
    Compaction,
    Day,
    DayChangedError,
    check_unchanged,
    compacted_days,
    days_to_compact,
    refuse_compacted,
)
from ndr_core.publishing.manifest import (
    CompactedRun,
    Manifest,
    ManifestError,
    OutputFile,
    check_places,
)
from ndr_core.publishing.ownership import live_manifests
from tests.unit.core.publishing.makers import FACTS, bounds, compacted, folder, published

DAY = 24 * 60
"""Minutes."""
BEFORE = datetime(2025, 3, 4, tzinfo=UTC)


def days(*manifests: Manifest, before: datetime = BEFORE) -> list[tuple[str, str]]:
    return [(day.date, day.version) for day in days_to_compact(manifests, before)]


def whole(*manifests: Manifest, before: datetime = BEFORE) -> dict[str, list[Manifest]]:
    return {day.date: list(day.whole) for day in days_to_compact(manifests, before)}


def only_day(*manifests: Manifest, before: datetime = BEFORE) -> Day:
    [day] = days_to_compact(manifests, before)
    return day


# Which days are to be compacted.


def test_of_no_runs_no_day_is_to_be_compacted() -> None:
    assert days() == []


def test_each_day_of_each_version_in_which_mini_batches_count_is_to_be_compacted_by_itself() -> (
    None
):
    runs = [
        published(1, DAY, 0, mini_batch_id="a"),
        published(2, 0, 15, mini_batch_id="b"),
        published(3, 0, feature_spec_version="v0"),
    ]

    assert days(*reversed(runs)) == [
        ("2025-03-01", "v0"),
        ("2025-03-01", "v1"),
        ("2025-03-02", "v1"),
    ]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("2025-03-01T23:59:59+00:00", []),
        ("2025-03-02T00:00:00+00:00", ["2025-03-01"]),
        ("2025-03-02T00:30:00+01:00", []),
        ("2025-03-02T23:00:00+00:00", ["2025-03-01"]),
        ("2025-03-02T23:00:00-01:00", ["2025-03-01", "2025-03-02"]),
    ],
)
def test_only_days_that_have_ended_in_utc_before_the_moment_are_to_be_compacted(
    before: str, expected: list[str]
) -> None:
    found = days(published(1, 0, DAY), before=datetime.fromisoformat(before))

    assert [date for date, _ in found] == expected


def test_a_run_that_was_replaced_makes_no_day_to_compact() -> None:
    assert days(published(1, 0), published(2, DAY)) == [("2025-03-02", "v1")]


def test_a_run_without_rows_counts_in_the_last_day_of_its_span() -> None:
    run = published(1, bounds=bounds(0, DAY * 2 - 600))

    assert days(run) == [("2025-03-02", "v1")]
    assert whole(run) == {"2025-03-02": [run]}


def test_a_run_without_rows_and_span_counts_in_no_day() -> None:
    assert days(published(1)) == []


def test_a_mini_batch_is_held_whole_by_the_last_day_that_it_counts_in() -> None:
    both, one = published(1, 0, DAY, mini_batch_id="a"), published(2, 0, mini_batch_id="b")

    assert whole(both, one) == {"2025-03-01": [one], "2025-03-02": [both]}


def test_a_mini_batch_that_counts_in_a_day_that_goes_on_is_held_whole_by_none() -> None:
    run = published(1, 0, DAY)

    assert whole(run, before=datetime(2025, 3, 2, tzinfo=UTC)) == {"2025-03-01": []}


def test_a_mini_batch_whose_span_goes_on_is_held_whole_by_none() -> None:
    run = published(1, 0, bounds=bounds(0, DAY * 2))

    assert whole(run, before=datetime(2025, 3, 2, tzinfo=UTC)) == {"2025-03-01": []}


def test_a_day_that_was_compacted_is_not_to_be_compacted_again() -> None:
    runs = [published(1, 0, mini_batch_id="a"), published(2, 0, mini_batch_id="b")]

    assert days(*runs, compacted(3, only_day(*runs))) == []


def test_a_compacted_day_into_which_a_run_was_published_is_compacted_anew_together_with_it() -> (
    None
):
    run = published(1, 0, mini_batch_id="a")
    former, late = compacted(2, only_day(run)), published(3, 15, mini_batch_id="b")

    day = only_day(former, late)

    assert day == Day("v1", "2025-03-01", (former, late), (late,))
    assert day.former == former
    assert [one.mini_batch_id for one in day.contributions] == ["a", "b"]


def test_the_days_that_follow_hold_what_no_earlier_one_has_taken_over() -> None:
    run = published(1, 0, DAY)
    first, second = days_to_compact([run], BEFORE)
    one = compacted(2, first)

    assert days_to_compact([run, one], BEFORE) == [second]
    assert live_manifests([run, one]) == [run, one]
    assert live_manifests([run, one, compacted(3, second)])[0] == one


# A day.


def test_a_day_has_the_slices_from_midnight_to_midnight_in_utc() -> None:
    slices = Day("v1", "2025-03-01", (), ()).slices

    assert slices.since == datetime(2025, 3, 1, tzinfo=UTC)
    assert slices.until == datetime(2025, 3, 2, tzinfo=UTC)


def test_a_day_has_the_contributions_to_its_own_slices_in_the_order_of_time() -> None:
    late = published(1, 15, 0, -DAY, DAY, mini_batch_id="b")
    early = published(2, 0, mini_batch_id="a", job_name="k")

    day = Day("v1", "2025-03-01", (late, early), ())

    assert [one.key for one in day.contributions] == [
        ("j", "b", "dt=2025-03-01/hh=10/mm=00"),
        ("k", "a", "dt=2025-03-01/hh=10/mm=00"),
        ("j", "b", "dt=2025-03-01/hh=10/mm=15"),
    ]
    assert day.former is None


def test_a_day_is_unchanged_while_the_same_runs_count_in_it() -> None:
    run = published(1, 0, mini_batch_id="a")

    check_unchanged(only_day(run), [published(0, 0, mini_batch_id="a"), run])
    check_unchanged(only_day(run), [run, published(2, DAY, mini_batch_id="b")])
    check_unchanged(only_day(run), [run, published(2, 0, feature_spec_version="v2")])


@pytest.mark.parametrize(
    "new",
    [
        published(2, 0, mini_batch_id="b"),
        published(2, 0, mini_batch_id="a"),
        published(2, DAY, mini_batch_id="a"),
        compacted(2, only_day(published(1, 0, mini_batch_id="a"))),
    ],
    ids=["another run", "a rerun", "a rerun in another day", "a compaction"],
)
def test_a_day_is_changed_by_whatever_is_published_into_or_out_of_it(new: Manifest) -> None:
    run = published(1, 0, mini_batch_id="a")

    with pytest.raises(DayChangedError) as raised:
        check_unchanged(only_day(run), [run, new])

    assert str(raised.value) == (
        "2025-03-01: a run was published into the day while it was compacted"
    )


# What a compaction publishes.


def aside(run: Manifest, name: str) -> Manifest:
    """The run with a file in the quarantine."""
    batch = f"quarantine/feature_spec_version=v1/job_name=j/mini_batch_id={run.facts.mini_batch_id}"
    file = OutputFile(f"{batch}/{name}-{run.token}.json.gz", 1, 10, "00")
    return evolve(run, files=(*run.files, file))


def test_the_staged_files_of_a_compaction_go_where_those_of_tables_go() -> None:
    day = only_day(published(1, 0))

    [target] = Compaction(day, FACTS, {f"{folder(0)}/x": 7}).targets()

    assert target.placed("0123456789ab", 10, "00") == OutputFile(
        f"{folder(0)}/part-00000-0123456789ab.parquet", 7, 10, "00"
    )


def test_the_manifest_of_a_day_holds_the_contributions_and_the_runs_that_are_held_whole() -> None:
    stays, goes = published(1, 0, DAY, mini_batch_id="a"), published(2, 0, mini_batch_id="b")
    day = days_to_compact([stays, goes], BEFORE)[0]

    manifest = compacted(3, day)

    assert (manifest.day, manifest.owner) == ("2025-03-01", "v1//2025-03-01")
    assert manifest.contributions == (stays.contributions[0], *goes.contributions)
    assert manifest.runs == (CompactedRun(2, goes.facts),)
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_what_was_set_aside_goes_with_the_runs_that_are_held_whole_and_only_with_them() -> None:
    stays = aside(published(1, 0, DAY, mini_batch_id="a"), "rejected")
    goes = aside(published(2, 0, mini_batch_id="b"), "rejected")

    manifest = compacted(3, days_to_compact([stays, goes], BEFORE)[0])

    assert manifest.files == (*manifest.own_files, goes.files[-1])
    check_places(manifest)


def test_the_own_files_of_a_day_are_those_that_it_placed_and_others_lie_beside_tables_only() -> (
    None
):
    run = aside(published(1, 0), "rejected")
    manifest = compacted(2, only_day(run))

    manifest.must_be_exactly(json.loads(manifest.to_json()))
    assert manifest.own_files == manifest.files[:1]
    odd = evolve(manifest, files=(*manifest.files, run.files[0]))
    with pytest.raises(ManifestError, match="no file of its run"):
        odd.must_be_exactly(json.loads(odd.to_json()))


def test_a_day_that_is_compacted_anew_keeps_runs_and_what_was_set_aside() -> None:
    old, late = (
        aside(published(1, 0, mini_batch_id="a"), "old"),
        aside(published(9, 0, mini_batch_id="b"), "late"),
    )
    former = compacted(2, only_day(old))

    manifest = compacted(10, only_day(former, late))

    assert [file for file in manifest.files if file.slice is None] == [
        old.files[-1],
        late.files[-1],
    ]
    assert manifest.runs == (CompactedRun(1, old.facts), CompactedRun(9, late.facts))
    assert live_manifests([old, former, late, manifest]) == [manifest]


def test_a_day_that_is_compacted_anew_counts_as_published_later_whatever_the_clock_says() -> None:
    former, late = (
        compacted(50, only_day(published(1, 0, mini_batch_id="a"))),
        published(51, 0, mini_batch_id="b"),
    )

    assert compacted(7, only_day(former, late)).published_at == 51
    assert compacted(70, only_day(former, late)).published_at == 70


def test_the_columns_of_a_day_are_those_of_all_its_runs() -> None:
    one = evolve(published(1, 0, mini_batch_id="a"), columns={"delta": {"x": "int64"}, "pair": {}})
    other = evolve(published(2, 0, mini_batch_id="b"), columns={"delta": {"y": "string"}})

    assert compacted(3, only_day(one, other)).columns == {
        "delta": {"x": "int64", "y": "string"},
        "pair": {},
    }


# What can't be run again.


def test_a_run_of_which_nothing_was_compacted_is_not_refused() -> None:
    refuse_compacted([], FACTS)


def test_a_run_of_which_days_were_compacted_is_refused_by_their_names() -> None:
    with pytest.raises(CompactedError) as refused:
        refuse_compacted(iter(["2025-03-02", "2025-03-01"]), FACTS)

    assert str(refused.value) == (
        "mini-batch mb of job j: what it published of 2025-03-01, 2025-03-02 was compacted, and can't be told "
        "apart and replaced any more; to add other records, give them another --mini-batch-id"
    )


def test_the_days_that_hold_something_of_a_mini_batch_are_named_sorted() -> None:
    run = published(1, 0, DAY)
    first, second = days_to_compact([run], BEFORE)

    found = compacted_days([compacted(3, second), run, compacted(2, first)], run.facts)

    assert found == ["2025-03-01", "2025-03-02"]


def test_a_day_that_holds_a_run_without_rows_whole_is_named() -> None:
    run = published(1, bounds=bounds(0, 60))

    assert compacted_days([compacted(2, only_day(run))], run.facts) == ["2025-03-01"]


@pytest.mark.parametrize("part", ["feature_spec_version", "job_name", "mini_batch_id"])
def test_days_of_another_version_job_or_mini_batch_are_not_named(part: str) -> None:
    day = compacted(2, only_day(published(1, 0)))

    assert compacted_days([day], published(3, 0, **{part: "other"}).facts) == []
