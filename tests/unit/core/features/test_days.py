"""Days of pairs, each by the digest of what was contributed to it."""

from __future__ import annotations

import pytest

from ndr_core.features.coverage import look_at_deltas
from ndr_core.features.days import (
    LiveDays,
    date_of,
    day_digest,
    day_of_date,
    history_digest,
    history_runs,
    live_days,
    own_digest,
    read_of,
    read_run,
)
from ndr_core.publishing.read_facts import (
    DELTAS,
    FEATURES,
    DayRead,
    ReadContribution,
    ReadFacts,
)
from tests.unit.core.features.world import FIRST_DAY, World, at, days, place

ONE = ReadContribution(DELTAS, "job", "a", place(0), "1")
OTHER = ReadContribution(DELTAS, "job", "b", place(0), "2")


def live(world: World, count: int = 3) -> LiveDays:
    runs = history_runs(world.features, "v1", "pair_history", range(FIRST_DAY, FIRST_DAY + count))
    deltas = look_at_deltas(world.deltas, "v1", at(0), at(days(count)))
    return live_days(deltas, runs, range(FIRST_DAY, FIRST_DAY + count))


def test_a_day_is_written_as_its_date_and_read_back() -> None:
    assert date_of(FIRST_DAY) == "2025-03-01"
    assert day_of_date("2025-03-01") == FIRST_DAY
    assert day_of_date("1970-01-01") == 0
    with pytest.raises(ValueError, match="Invalid isoformat string"):
        day_of_date("first")


def test_the_digest_of_a_day_is_that_of_its_contributions_in_whatever_order() -> None:
    assert day_digest([ONE, OTHER]) == day_digest([OTHER, ONE])
    assert len({day_digest(found) for found in ([], [ONE], [OTHER], [ONE, OTHER])}) == 4


def test_the_digest_of_a_history_is_that_of_the_days_behind_it() -> None:
    first, second = DayRead("2025-03-01", "1"), DayRead("2025-03-02", "2")

    digests = {history_digest(ReadFacts(days=found)) for found in [(), (first,), (first, second)]}

    assert len(digests) == 3
    assert history_digest(ReadFacts((ONE,), (first,))) == history_digest(ReadFacts(days=(first,)))


def test_days_without_contributions_have_no_digest() -> None:
    world = World()
    world.contribute("a", 0)
    world.contribute("silent", days(1), days(2), rows=[])

    assert list(live(world).digests) == [FIRST_DAY]
    assert live(world).read(FIRST_DAY, FIRST_DAY + 3) == (
        DayRead("2025-03-01", live(world).digests[FIRST_DAY]),
    )


def test_the_runs_of_a_history_are_found_by_their_days() -> None:
    world = World()
    world.contribute("a", 0)
    for day in range(2):
        world.build_day(day)

    found = history_runs(world.features, "v1", "pair_history", [FIRST_DAY + 1, FIRST_DAY + 2])

    assert {day: run.facts.run_id for day, run in found.items()} == {FIRST_DAY + 1: "history-1"}
    assert history_runs(world.features, "v2", "pair_history", [FIRST_DAY]) == {}
    assert history_runs(world.features, "v1", "other", [FIRST_DAY]) == {}


def test_a_pruned_day_is_as_its_history_knew_it_or_unknown() -> None:
    world = World()
    world.contribute("a", 0, days(3), rows=[0, 1, days(1), days(2)])
    world.build_day(0)
    before = live(world)

    world.prune(days(1) + 1)

    after = live(world)
    assert after.digests[FIRST_DAY] == before.digests[FIRST_DAY]
    assert after.unknown == {FIRST_DAY + 1}
    assert after.digests[FIRST_DAY + 2] == before.digests[FIRST_DAY + 2]


def test_a_pruned_day_in_which_nothing_was_has_no_digest_either() -> None:
    world = World()
    world.build_day(0)

    world.prune(days(1))

    assert live(world, 1) == LiveDays({}, frozenset())


def test_a_history_run_is_read_by_the_digest_of_what_it_was_made_from() -> None:
    world = World()
    world.contribute("a", 0)
    made = world.build_day(0).manifest

    assert read_run(made) == ReadContribution(
        FEATURES, "pair_history", "2025-03-01", "dt=2025-03-01", history_digest(read_of(made))
    )
    assert own_digest(made) == live(world).digests[FIRST_DAY]


def test_a_run_that_says_nothing_of_what_it_read_has_read_nothing() -> None:
    assert read_of(World().contribute("a", 0)) == ReadFacts()
