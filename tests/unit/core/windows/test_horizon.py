"""Which slices features still need."""

from __future__ import annotations

import pytest
from attrs import evolve

from ndr_core.errors import UsageError
from ndr_core.windows.horizon import needed_from, refuse_needed
from tests.unit.core.features.world import World, at, days


def test_without_features_nothing_is_needed() -> None:
    assert needed_from([]) is None
    assert needed_from([World().contribute("a", 0)]) is None
    refuse_needed([], at(days(99)), "out/features")


def test_the_history_of_the_next_day_may_be_made_of_the_30_days_before() -> None:
    world = World()
    for day in (40, 41):
        world.build_day(day)

    # Day 42 is made of days 12 to 41: of the 30 days before it, and of the day itself, which comes first.
    assert needed_from(world.features.runs) == at(days(12))


def test_windows_need_the_day_in_which_they_start_and_the_one_before() -> None:
    world = World()
    world.contribute("a", days(10), days(10) + 8)
    world.build_windows(days(10) + 4)

    assert needed_from(world.features.runs) == at(days(8))


def test_the_earliest_slice_that_any_of_them_needs_is_kept() -> None:
    world = World()
    world.contribute("a", days(10), days(10) + 8)
    world.build_windows(days(10) + 4)
    world.build_day(37)
    assert needed_from(world.features.runs) == at(days(8))

    world.build_day(9)
    world.features.runs = world.features.runs[-1:] + world.features.runs[:1]

    assert needed_from(world.features.runs) == at(days(9 + 1 - 30))


def test_a_run_without_a_span_needs_nothing() -> None:
    world = World()
    world.build_day(0)
    (run,) = world.features.runs

    assert needed_from([evolve(run, facts=evolve(run.facts, bounds=None))]) is None


def test_a_prune_of_what_is_needed_is_refused() -> None:
    world = World()
    world.build_day(41)

    refuse_needed(world.features.runs, at(days(12)), "out/features")
    with pytest.raises(UsageError) as refused:
        refuse_needed(world.features.runs, at(days(12)) + 1, "out/features")

    assert str(refused.value) == (
        "before: 2025-03-13T00:00:00.000001Z is too late; the features in out/features may still be made of slices "
        "from 2025-03-13T00:00:00Z on. Give that time or an earlier one, or --force"
    )
