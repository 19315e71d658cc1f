"""A run is known by what it was made of: not by when, or by which way it came to it."""

from __future__ import annotations

from attrs import evolve

from ndr_core.features.lineage import digest_of, read_as, run_digest, runs_named
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.read_facts import (
    FEATURES,
    CoveredWindows,
    ReadContribution,
    ReadFacts,
    SettingRead,
)
from tests.unit.core.features.world import World, days


def with_windows(*, has_history: bool) -> Manifest:
    """A run of windows that begin on the third day, with rows of the history of the second, or its slices."""
    world = World()
    for day in range(3):
        world.contribute(f"day-{day}", days(day), days(day + 1))
    world.build_day(0)
    if has_history:
        world.build_day(1)
    return world.build_windows(days(2) + 4, names=("w_15m", "w_1h")).manifest


def test_a_run_that_is_done_again_of_the_same_has_the_same_digest() -> None:
    world = World()
    world.contribute("a", 0, 4)
    first = world.build_windows(4).manifest

    again = world.build_windows(4).manifest

    assert again.published_at > first.published_at
    assert run_digest(again) == run_digest(first)


def test_a_run_of_other_contributions_has_another_digest() -> None:
    world = World()
    world.contribute("a", 0, 4)
    first = world.build_windows(4).manifest
    world.contribute("late", 3)

    assert run_digest(world.build_windows(4).manifest) != run_digest(first)


def test_a_history_read_from_its_rows_or_from_slices_gives_the_same_digest() -> None:
    from_rows, from_slices = with_windows(has_history=True), with_windows(has_history=False)

    assert from_rows.facts.read != from_slices.facts.read
    assert run_digest(from_rows) == run_digest(from_slices)


def test_slices_that_came_after_the_rows_of_their_day_give_another_digest() -> None:
    world = World()
    for day in range(2):
        world.contribute(f"day-{day}", days(day), days(day + 1))
    world.build_day(0)
    before = world.build_windows(days(1) + 4).manifest
    world.contribute("late", days(1) - 1)

    after = world.build_windows(days(1) + 4).manifest

    assert before.facts.read is not None
    assert after.facts.read is not None
    assert after.facts.read.days == before.facts.read.days
    assert run_digest(after) != run_digest(before)


def test_all_that_makes_a_difference_makes_another_digest() -> None:
    read = ReadFacts()
    others = [
        evolve(
            read, contributions=(ReadContribution(FEATURES, "fg_a", "x", "dt=2025-03-01", "d"),)
        ),
        evolve(read, covered=(CoveredWindows("we", "w_1h", 3),)),
        evolve(read, settings=(SettingRead("names", "d"),)),
        evolve(read, without_baseline=("w_1h",)),
        evolve(read, without_history=("w_1h",)),
        evolve(read, unpublished=("dt=2025-03-01/hh=00/mm=00",)),
        evolve(read, built=("w_1h",)),
    ]

    digests = [digest_of({}, one) for one in (read, *others)] + [digest_of({"hosts": "all"}, read)]

    assert len(set(digests)) == len(digests)
    assert digest_of({}, evolve(read, left_out=("w_8h",))) == digest_of({}, read)


def test_a_manifest_is_read_back_with_the_same_digest() -> None:
    run = with_windows(has_history=True)

    assert run_digest(Manifest.from_json(run.to_json())) == run_digest(run)


def test_a_run_is_read_as_a_contribution_to_its_slice() -> None:
    run = with_windows(has_history=True)

    found = read_as(run, "dt=2025-03-03/hh=01/mm=00")

    assert (found.output, found.job_name, found.mini_batch_id) == (
        FEATURES,
        "fg_a",
        "2025-03-03T010000Z",
    )
    assert (found.slice, found.digest) == ("dt=2025-03-03/hh=01/mm=00", run_digest(run))


def test_runs_are_found_by_their_names() -> None:
    world = World()
    world.contribute("a", 0, 4)
    made = world.build_windows(4).manifest

    found = runs_named(world.features, "v1", "fg_a", ["2025-03-01T010000Z", "2025-03-01T020000Z"])

    assert found == {"2025-03-01T010000Z": made}
    assert runs_named(world.features, "v2", "fg_a", ["2025-03-01T010000Z"]) == {}
