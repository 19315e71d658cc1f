"""The history job: what a day is built from, and what it is refused for."""

from __future__ import annotations

import re

import pytest
from attrs import evolve

from ndr_core.errors import SpecError, UsageError
from ndr_core.features.days import date_of, own_digest, read_of
from ndr_core.features.networks import Hosts
from ndr_core.features.running import NotPublishedError
from ndr_core.history.engine import HistoryInputs
from ndr_core.publishing.manifest import OutputFile
from ndr_core.publishing.pinned import PinnedTables
from ndr_core.publishing.published import PublishedTables
from ndr_core.publishing.read_facts import DELTAS, FEATURES
from ndr_core.windows.history_spec import history_spec_of
from tests.unit.core.features.world import FIRST_DAY, World, at, days, place


def pinned(tables: PublishedTables | None) -> list[str]:
    """Mini-batches of the runs that an engine may read."""
    if tables is None:
        return []
    assert isinstance(tables, PinnedTables)
    return [run.facts.mini_batch_id for run in tables.manifests(None, None)]


def seen(world: World) -> HistoryInputs:
    """What the engine was given last."""
    found = world.history_engine.seen[-1]
    assert isinstance(found, HistoryInputs)
    return found


def date(day: int) -> str:
    return date_of(FIRST_DAY + day)


def test_a_day_is_built_from_its_slices_and_the_day_before() -> None:
    world = World()
    world.contribute("first", 0)
    world.contribute("second", days(1))

    world.build_day(0)
    world.build_day(1)

    inputs = seen(world)
    assert pinned(inputs.day_pairs) == ["second"]
    assert pinned(inputs.former) == [date(0)]
    assert (inputs.tiles, inputs.slice_days) == (None, ())


def test_without_the_day_before_a_day_is_built_from_the_slices_of_all_its_days() -> None:
    world = World()
    world.contribute("first", 0)
    world.contribute("third", days(2))

    world.build_day(2)

    inputs = seen(world)
    assert pinned(inputs.day_pairs) == ["first", "third"]
    assert (inputs.former, inputs.tiles, inputs.slice_days) == (None, None, (FIRST_DAY,))


def test_where_what_the_day_before_was_made_from_has_changed_a_day_is_built_anew_of_tiles() -> None:
    world = World()
    for day in range(3):
        world.contribute(f"day-{day}", days(day))
        world.build_day(day)
    world.contribute("late", 1)
    world.contribute("day-3", days(3))

    world.build_day(3)

    inputs = seen(world)
    assert inputs.former is None
    assert pinned(inputs.tiles) == [date(1), date(2)]
    assert inputs.slice_days == (FIRST_DAY,)
    assert pinned(inputs.day_pairs) == ["day-0", "day-1", "day-2", "late", "day-3"]


def test_a_day_that_was_built_again_of_the_same_is_gone_on_from() -> None:
    world = World()
    for day in range(2):
        world.contribute(f"day-{day}", days(day))
        world.build_day(day)
    world.build_day(0)
    world.contribute("day-2", days(2))

    world.build_day(2)

    assert pinned(seen(world).former) == [date(1)]


def test_the_day_that_leaves_the_history_is_given_as_its_tile() -> None:
    world = World()
    world.contribute("first", 0)
    for day in range(31):
        world.build_day(day)

    inputs = seen(world)

    assert pinned(inputs.former) == [date(29)]
    assert pinned(inputs.tiles) == [date(0)]


def test_where_the_tile_that_leaves_is_another_one_the_day_is_built_anew() -> None:
    world = World()
    world.contribute("first", 0)
    for day in range(30):
        world.build_day(day)
    world.contribute("late", 1)
    world.build_day(0)

    world.build_day(30)

    inputs = seen(world)
    assert (inputs.former, inputs.tiles, inputs.slice_days) == (None, None, ())


def test_a_manifest_says_what_a_day_was_made_from() -> None:
    world = World()
    world.contribute("first", 0)
    world.contribute("second", days(1))
    world.build_day(0)

    read = read_of(world.build_day(1).manifest)

    assert [(one.output, one.mini_batch_id) for one in read.contributions] == [
        (FEATURES, date(0)),
        (DELTAS, "second"),
    ]
    assert [one.date for one in read.days] == [date(0), date(1)]
    assert not read.allows_missing


def test_a_day_without_contributions_has_a_history_and_no_digest() -> None:
    world = World()
    world.contribute("first", 0)
    world.build_day(0)

    made = world.build_day(1).manifest

    assert own_digest(made) is None
    assert [one.date for one in read_of(made).days] == [date(0)]


def test_a_day_is_owned_by_its_job_and_a_later_run_replaces_it() -> None:
    world = World()
    world.contribute("first", 0)

    world.build_day(0)
    again = world.build_day(0).manifest

    assert again.replaced is not None
    assert [run.facts.run_id for run in world.features.manifests(None, None)] == ["history-0"]
    assert again.facts.bounds is not None
    assert (again.facts.bounds.start, again.facts.bounds.end) == (at(0), at(days(1)))


def test_a_day_whose_slices_were_pruned_is_refused() -> None:
    world = World()
    world.contribute("first", 0, days(1))
    world.prune(1)

    with pytest.raises(UsageError, match=rf"^{date(0)}: slices of this day were pruned from"):
        world.build_day(0)


def test_pruned_days_are_known_by_their_tiles() -> None:
    world = World()
    for day in range(2):
        world.contribute(f"day-{day}", days(day))
        world.build_day(day)
    world.contribute("day-2", days(2))
    world.prune(days(2))

    made = world.build_day(2).manifest

    assert pinned(seen(world).former) == [date(1)]
    assert [one.date for one in read_of(made).days] == [date(0), date(1), date(2)]


def test_a_pruned_day_without_a_history_is_named_unless_it_may_be_missing() -> None:
    world = World()
    world.contribute("day-0", 0)
    world.contribute("day-1", days(1))
    world.prune(days(1))

    with pytest.raises(NotPublishedError, match=r"slices of this day were pruned .* by --partial$"):
        world.build_day(1)
    read = read_of(world.build_day(1, allows_missing=True).manifest)

    assert read.left_out[-1] == date(0)
    assert read.allows_missing


def test_what_a_day_was_built_without_stays_out_of_the_days_that_go_on_from_it() -> None:
    world = World()
    world.contribute("day-1", days(1))
    world.prune(days(1))
    first = read_of(world.build_day(1, allows_missing=True).manifest).left_out
    world.contribute("day-2", days(2))

    read = read_of(world.build_day(2).manifest)

    assert pinned(seen(world).former) == [date(1)]
    assert read.left_out == first[1:]


def test_a_day_that_went_on_from_one_keeps_what_that_knew_of_pruned_days() -> None:
    world = World()
    for day in range(2):
        world.contribute(f"day-{day}", days(day))
        world.build_day(day)
    world.features.runs = world.features.runs[1:]  # the first day went from the features
    world.contribute("day-2", days(2))
    world.prune(days(1))

    read = read_of(world.build_day(2).manifest)

    assert pinned(seen(world).former) == [date(1)]
    assert [one.date for one in read.days] == [date(0), date(1), date(2)]


def test_features_are_not_published_among_the_deltas() -> None:
    world = World()
    world.features.root = world.deltas.root

    with pytest.raises(UsageError, match=r"holds the deltas; publish features to an output of"):
        world.build_day(0)


def test_deltas_of_another_project_are_refused() -> None:
    world = World()
    world.contribute("first", 0, project_name="other")

    with pytest.raises(UsageError, match=r"^project_name: the deltas are of project other"):
        world.build_day(0)


def test_a_history_that_means_something_else_than_what_is_published_is_refused() -> None:
    world = World()
    world.contribute("first", 0)
    world.build_day(0)

    other = evolve(history_spec_of(world.spec), hosts=Hosts.ALL)

    with pytest.raises(SpecError, match=re.escape("hosts: is 'all' here, but 'internal' in")):
        world.build_day(1, spec=other)


@pytest.mark.parametrize("day", [-FIRST_DAY - 1, 60_000])
def test_a_day_that_no_record_can_have_is_refused(day: int) -> None:
    with pytest.raises(SpecError, match=r"^day: lies outside the times that records can have"):
        World().build_day(day)


def test_the_first_of_all_days_has_a_history() -> None:
    world = World()
    world.contribute("first", -days(FIRST_DAY))

    read = read_of(world.build_day(-FIRST_DAY).manifest)

    assert [one.date for one in read.days] == ["1970-01-01"]


def test_a_day_is_built_anew_where_the_day_before_left_out_what_is_known_by_now() -> None:
    world = World()
    for day in range(2):
        world.contribute(f"day-{day}", days(day))
    world.prune(days(1))
    world.build_day(1, allows_missing=True)
    world.prune(-days(40))

    world.build_day(2)

    inputs = seen(world)
    assert inputs.former is None
    assert pinned(inputs.tiles) == [date(1)]
    assert inputs.slice_days == (FIRST_DAY,)


def test_where_a_file_goes_away_while_it_is_read_the_run_looks_again() -> None:
    world = World()
    world.contribute("first", 0)
    world.history_engine.failures = 1
    world.history_engine.meanwhile = lambda: world.contribute("first", 0, content="new")

    read = read_of(world.build_day(0).manifest)

    assert len(world.history_engine.seen) == 2
    assert read.contributions[0].digest == "first 0 new"


def test_bytes_that_a_day_is_made_from_are_those_of_its_pairs_and_the_day_before() -> None:
    world = World()
    world.contribute("first", 0)
    world.build_day(0)
    former = world.features.runs[-1].files[0].bytes
    run = world.contribute("second", days(1))
    folder = f"pair/feature_spec_version=v1/{place(days(1))}/role=outbound"
    pairs = OutputFile(f"{folder}/part.parquet", 1, 100, "00")
    world.deltas.runs[-1] = evolve(run, files=(pairs,))

    found = world.history_runner(1).look(0)

    assert found.read_bytes == 100 + former


def test_a_first_day_of_pairs_without_files_is_made_from_no_bytes() -> None:
    world = World()
    world.contribute("first", 0)

    assert world.history_runner(0).look(0).read_bytes == 0
