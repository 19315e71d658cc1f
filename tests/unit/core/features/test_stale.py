"""How what a run read differs from what there is now."""

from __future__ import annotations

from attrs import evolve

from ndr_core.features.stale import changed_contributions, changed_days, few, runs_of_job
from ndr_core.publishing.read_facts import (
    DELTAS,
    FEATURES,
    DayRead,
    ReadContribution,
    ReadFacts,
)
from tests.unit.core.features.world import World, at, days, place

OLD = ReadContribution(DELTAS, "job", "a", place(1), "1")
FIRST = place(0)


def read(*contributions: ReadContribution) -> ReadFacts:
    return ReadFacts(contributions)


def test_contributions_that_are_new_changed_or_gone_are_told() -> None:
    same = evolve(OLD, mini_batch_id="same")
    gone = evolve(OLD, mini_batch_id="gone")
    new = evolve(OLD, mini_batch_id="new")

    found = changed_contributions(
        read(OLD, same, gone), read(evolve(OLD, digest="2"), same, new), FIRST
    )

    name = f"of job job in {place(1)}"
    assert found == [
        f"mini-batch a {name} has changed",
        f"mini-batch new {name} is new",
        f"mini-batch gone {name} is gone",
    ]


def test_neither_features_nor_earlier_slices_count() -> None:
    run = ReadContribution(FEATURES, "history", "2025-03-01", "dt=2025-03-01", "1")

    assert changed_contributions(read(run), read(OLD), place(2)) == []


def test_days_that_differ_are_told_but_for_those_that_nobody_knows() -> None:
    before = ReadFacts(days=(DayRead("2025-03-01", "1"), DayRead("2025-03-02", "1")))
    now = ReadFacts(days=(DayRead("2025-03-01", "2"), DayRead("2025-03-03", "1")))

    assert changed_days(before, now, ["2025-03-03"]) == [
        "the pairs of 2025-03-01 have changed",
        "the pairs of 2025-03-02 have changed",
    ]
    assert changed_days(before, before, []) == []


def test_of_many_reasons_the_first_are_told() -> None:
    assert few(["a", "b", "c"]) == ("a", "b", "c")
    assert few(["a", "b", "c", "d", "e"]) == ("a", "b", "c", "and 2 more")


def test_the_runs_of_a_job_are_found_by_their_start() -> None:
    world = World()
    world.contribute("a", 0)
    world.build_day(0)
    world.build_windows(1)
    bare = world.features.runs[0]
    world.features.runs += [
        evolve(bare, facts=evolve(bare.facts, mini_batch_id="unread", read=None)),
        evolve(bare, facts=evolve(bare.facts, mini_batch_id="unbound", bounds=None)),
        evolve(bare, facts=evolve(bare.facts, feature_spec_version="v2")),
    ]

    assert list(runs_of_job(world.features, "v1", "pair_history", None)) == [at(0)]
    assert list(runs_of_job(world.features, "v1", "fg_a", at(days(-1)))) == [at(1)]
