"""Which slices are published, and who contributed what."""

from __future__ import annotations

from attrs import evolve

from ndr_core.features.coverage import (
    PublishedDeltas,
    first_slice_before,
    look_at_deltas,
    runs_of,
)
from ndr_core.publishing.compaction import days_to_compact
from ndr_core.publishing.read_facts import DELTAS, ReadContribution
from ndr_core.times import to_datetime
from tests.unit.core.features.world import World, at, days, place
from tests.unit.core.publishing.makers import compacted


def look(world: World, first: int = 0, end: int = 8) -> PublishedDeltas:
    return look_at_deltas(world.deltas, "v1", at(first), at(end))


def quarters(starts: frozenset[int]) -> list[int]:
    return [number for number in range(-days(1), days(2)) if at(number) in starts]


def test_a_slice_is_published_when_the_span_of_a_run_holds_it_with_rows_or_without() -> None:
    world = World()
    world.contribute("a", 0, 4, rows=[1, 3])

    assert quarters(look(world).published()) == [0, 1, 2, 3]


def test_rows_beyond_a_span_publish_no_slice() -> None:
    world = World()
    world.contribute("a", 2, 3, rows=[0, 2, 5])

    found = look(world)

    assert quarters(found.published()) == [2]
    assert [one.slice for one in found.contributed(at(0), at(8))] == [place(0), place(2), place(5)]


def test_without_bounds_the_slices_with_rows_are_published() -> None:
    world = World()
    world.contribute("a", 0, 6, rows=[1, 4], has_bounds=False)

    assert quarters(look(world).published()) == [1, 4]


def test_a_slice_is_published_when_each_of_the_sources_has_published_it() -> None:
    world = World()
    world.contribute("a", 0, 3, job_name="one")
    world.contribute("b", 2, 5, job_name="two")

    found = look(world)

    assert quarters(found.published()) == [0, 1, 2, 3, 4]
    assert quarters(found.published(["one"])) == [0, 1, 2]
    assert quarters(found.published(["one", "two"])) == [2]
    assert quarters(found.published(["one", "three"])) == []


def test_only_the_span_that_is_looked_at_is_known() -> None:
    world = World()
    world.contribute("a", 0, 8)

    found = look(world, 2, 4)

    assert quarters(found.published()) == [2, 3]
    assert [one.slice for one in found.contributed(at(0), at(8))] == [place(2), place(3)]


def test_pruned_slices_are_not_published() -> None:
    world = World()
    world.contribute("a", 0, 8)
    world.prune(5)

    found = look(world)

    assert quarters(found.published()) == [5, 6, 7]
    assert [one.slice for one in found.contributed(at(0), at(8))] == [place(5), place(6), place(7)]
    assert found.is_pruned(at(4))
    assert not found.is_pruned(at(5))


def test_deltas_of_another_version_are_not_looked_at() -> None:
    world = World()
    world.contribute("a", 0, 2, feature_spec_version="v2")

    assert quarters(look(world).published()) == []


def test_what_was_contributed_is_told_in_the_order_of_time_each_with_its_digest() -> None:
    world = World()
    world.contribute("b", 1)
    world.contribute("a", 0, 2, job_name="another")

    assert look(world).contributed(at(0), at(2)) == (
        ReadContribution(DELTAS, "another", "a", place(0), "a 0 "),
        ReadContribution(DELTAS, "another", "a", place(1), "a 1 "),
        ReadContribution(DELTAS, "delta_builder", "b", place(1), "b 1 "),
    )


def test_compaction_changes_neither_what_is_published_nor_what_was_contributed() -> None:
    world = World()
    whole = world.contribute("whole", 0, 4, rows=[0, 3])
    no_bounds = world.contribute("bare", 5, 7, has_bounds=False)
    before = look(world, 0, days(1))
    (day,) = days_to_compact([whole, no_bounds], to_datetime(at(days(1))))

    world.compact(compacted(100, day), whole, no_bounds)

    after = look(world, 0, days(1))
    assert [one.day for one in after.manifests] == ["2025-03-01"]
    assert len(runs_of(after.manifests[0])) == 2
    assert after.published() == before.published()
    assert after.contributions == before.contributions


def test_readers_are_given_the_runs_of_a_span_those_without_rows_too() -> None:
    world = World()
    early, silent, late, outside = (
        world.contribute("early", 0, rows=[0, 3]),
        world.contribute("silent", 2, 4, rows=[]),
        world.contribute("late", 4),
        world.contribute("bare", 5, has_bounds=False),
    )

    assert outside in look(world).pinned(at(5), at(6)).pinned
    assert look(world).pinned(at(2), at(4)).pinned == (early, silent)
    assert look(world).pinned(at(4), at(5)).pinned == (late,)


def test_slices_have_the_length_that_the_deltas_say() -> None:
    world = World()
    assert look(world).slice_minutes == 15

    made = world.contribute("a", 0, 4)
    world.deltas.runs = [
        evolve(made, facts=evolve(made.facts, meaning={"delta.slice_minutes": 60}))
    ]

    found = look(world)
    assert found.slice_minutes == 60
    assert quarters(found.published()) == [0]


def test_the_first_slice_that_was_ever_published() -> None:
    world = World()
    assert first_slice_before(world.deltas, "v1", at(8)) is None

    world.contribute("a", 3)
    world.contribute("b", 1, feature_spec_version="v2")

    assert first_slice_before(world.deltas, "v1", at(8)) == at(3)
    assert first_slice_before(world.deltas, "v1", at(3)) is None
    world.prune(4)
    assert first_slice_before(world.deltas, "v1", at(3)) == 0
