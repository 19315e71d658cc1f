"""Which days of the history are out of date."""

from __future__ import annotations

from ndr_core.features.coverage import look_at_deltas
from ndr_core.features.stale import runs_of_job
from ndr_core.history.stale import HistoryNow, history_now
from ndr_core.times import day_of
from tests.unit.core.features.world import FIRST_DAY, World, at, days


def built(world: World, *numbers: int) -> World:
    for day in numbers:
        world.contribute(f"day-{day}", days(day))
        world.build_day(day)
    return world


def now(world: World) -> HistoryNow:
    runs = runs_of_job(world.features, "v1", "pair_history", None)
    deltas = look_at_deltas(world.deltas, "v1", 0, at(days(90)))
    return history_now("pair_history", deltas, {day_of(start): run for start, run in runs.items()})


def stale(world: World) -> dict[str, tuple[str, ...]]:
    """Date -> why it is out of date."""
    return {one.mini_batch_id: one.reasons for one in now(world).stale}


def test_nothing_is_out_of_date_where_nothing_was_built_or_nothing_has_changed() -> None:
    assert now(World()) == now(World())
    assert stale(World()) == {}
    assert stale(built(World(), 0, 1)) == {}


def test_a_late_contribution_to_a_day_makes_it_and_the_29_days_after_it_stale() -> None:
    world = built(World(), *range(31))

    world.contribute("late", 5)

    why = ("the pairs of 2025-03-01 have changed",)
    assert stale(world) == {run.facts.mini_batch_id: why for run in world.features.runs[:30]}


def test_a_mini_batch_that_was_run_again_with_other_content_makes_its_days_stale() -> None:
    world = built(World(), 0)

    world.contribute("day-0", 0)
    assert stale(world) == {}

    world.contribute("day-0", 0, content="other")
    assert stale(world) == {"2025-03-01": ("the pairs of 2025-03-01 have changed",)}


def test_a_contribution_that_is_gone_makes_its_days_stale() -> None:
    world = built(World(), 0)

    world.contribute("day-0", 0, rows=[])

    assert stale(world) == {"2025-03-01": ("the pairs of 2025-03-01 have changed",)}


def test_a_day_that_was_built_again_is_up_to_date_and_makes_no_other_day_stale() -> None:
    world = built(World(), 0, 1, 2)
    world.contribute("late", 5)

    for day in range(3):
        world.build_day(day)
    world.build_day(1)

    assert stale(world) == {}


def test_a_day_between_others_that_was_not_built_is_named() -> None:
    world = built(World(), 0, 2)

    assert stale(world) == {"2025-03-02": ("not built",)}
    assert now(world).available == {FIRST_DAY, FIRST_DAY + 1, FIRST_DAY + 2}


def test_pruned_days_are_never_out_of_date_and_change_nothing() -> None:
    world = built(World(), 0, 1, 3)

    world.prune(days(2) + 1)

    assert stale(world) == {}


def test_a_day_that_was_built_without_a_pruned_day_is_stale_once_that_is_there() -> None:
    world = World()
    world.contribute("day-1", days(1))
    world.prune(days(1))
    world.build_day(1, allows_missing=True)
    assert stale(world) == {}

    world.prune(0)

    assert stale(world) == {"2025-03-02": ("the pairs of 2025-03-01 were left out, and are there",)}
    assert now(world).stale[0].allows_missing
