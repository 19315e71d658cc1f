"""The FG-A job: what windows are built from, which are left out, and what they are refused for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve

from ndr_core.errors import NdrError, SpecError, UsageError
from ndr_core.features.days import read_of
from ndr_core.features.running import NotPublishedError
from ndr_core.publishing.manifest import Manifest, OutputFile
from ndr_core.publishing.pinned import PinnedTables
from ndr_core.publishing.published import PublishedTables
from ndr_core.publishing.read_facts import DELTAS, FEATURES
from ndr_core.windows.engine import WindowInputs
from ndr_core.windows.history_source import HistorySource
from ndr_core.windows.spec import FgASpec
from ndr_core.windows.spec_reader import parse_fg_a_spec
from tests.unit.core.features.world import FIRST_DAY, START, World, at, days, place


def spec(**parts: Any) -> FgASpec:
    return parse_fg_a_spec({"kind": "fg_a", "project_name": "test"} | parts)


def pinned(tables: PublishedTables) -> list[str]:
    """Mini-batches of the runs that an engine may read."""
    assert isinstance(tables, PinnedTables)
    return [run.facts.mini_batch_id for run in tables.manifests(None, None)]


def seen(world: World) -> WindowInputs:
    """What the engine was given last."""
    found = world.window_engine.seen[-1]
    assert isinstance(found, WindowInputs)
    return found


def history(world: World) -> Mapping[str, HistorySource]:
    return {label.name: source for label, source in seen(world).history.items()}


def with_hours(count: int, first: int = 0) -> World:
    """A world with a mini-batch of four quarters for each hour."""
    world = World()
    for hour in range(count):
        start = first + 4 * hour
        world.contribute(f"hour-{hour}", start, start + 4)
    return world


def changed(world: World, number: int, **changes: Any) -> None:
    """Change a published run of deltas."""
    run = world.deltas.runs[number]
    world.deltas.runs[number] = evolve(run, **changes)


def test_the_windows_of_an_anchor_whose_slices_are_published_are_built() -> None:
    world = with_hours(8)

    made = world.build_windows(32).manifest

    assert [label.name for label in seen(world).labels] == ["w_15m", "w_30m", "w_1h", "w_8h"]
    assert {label.name: slices for label, slices in seen(world).coverage.items()} == {
        "w_15m": 1,
        "w_30m": 2,
        "w_1h": 4,
        "w_8h": 32,
    }
    assert read_of(made).left_out == ("w_24h",)
    assert read_of(made).unpublished == ()


def test_only_windows_that_end_at_the_anchor_are_built() -> None:
    world = with_hours(9)

    read = read_of(world.build_windows(33).manifest)

    assert read.built == ("w_15m", "w_30m", "w_1h")
    assert read.left_out == ()


def test_only_windows_that_are_asked_for_are_built() -> None:
    world = with_hours(8)

    read = read_of(world.build_windows(32, names=("w_1h", "w_24h")).manifest)

    assert (read.built, read.left_out) == (("w_1h",), ("w_24h",))


def test_with_missing_slices_windows_are_built_of_what_there_is_where_that_is_allowed() -> None:
    world = with_hours(2)
    world.contribute("later", 11)

    read = read_of(world.build_windows(12, allows_missing=True).manifest)

    coverage = {label.name: slices for label, slices in seen(world).coverage.items()}
    assert coverage == {"w_15m": 1, "w_30m": 1, "w_1h": 1, "w_8h": 9, "w_24h": 9}
    assert read.built == ("w_15m", "w_30m", "w_1h", "w_8h", "w_24h")
    assert read.unpublished[-3:] == (place(8), place(9), place(10))
    assert len(read.unpublished) == 96 - 9
    assert read.allows_missing


def test_where_the_slices_of_no_window_are_published_the_run_says_which_are_missing() -> None:
    world = with_hours(1)

    with pytest.raises(NotPublishedError) as refused:
        world.build_windows(5)

    assert str(refused.value) == (
        "windows that end at 2025-03-01T01:15:00Z: slices are not published yet (by any delta job) in "
        "memory:/deltas: 2025-03-01T01:00:00Z to 2025-03-01T01:15:00Z; run it again when they are, or build what "
        "there is by --partial"
    )
    assert world.features.runs == []


def test_where_nothing_is_published_at_all_nothing_is_built_in_part_either() -> None:
    world = World(spec(windows={"labels": {"w_1h": "15m"}, "sources": ["one", "two"]}))

    with pytest.raises(
        NotPublishedError, match=r"\(by one, two\) .* and 3 more; run it again when they are$"
    ):
        world.build_windows(5, allows_missing=True)


def test_a_slice_counts_once_each_of_the_sources_has_published_it() -> None:
    world = World(spec(windows={"sources": ["one", "two"]}))
    world.contribute("a", 0, 4, job_name="one")
    world.contribute("b", 0, 2, job_name="two")

    assert read_of(world.build_windows(2).manifest).built == ("w_15m", "w_30m")
    with pytest.raises(NotPublishedError):
        world.build_windows(3)


def test_a_moment_at_which_no_window_ends_is_refused() -> None:
    runner = evolve(World().window_runner(1), anchor=at(1) + 1)

    with pytest.raises(SpecError, match=r"^end: .* is the end of no window .* every 15 min from"):
        runner.run()


@pytest.mark.parametrize("quarter", [-START // 900_000_000 - 1, 60_000 * 96])
def test_a_moment_that_no_record_can_have_is_refused(quarter: int) -> None:
    with pytest.raises(SpecError, match=r"^end: lies outside the times that records can have"):
        World().build_windows(quarter)


def test_windows_of_the_first_of_all_days_are_built() -> None:
    world = World()
    first = -days(FIRST_DAY)
    world.contribute("first", first, first + 4)

    read = read_of(world.build_windows(first + 4, allows_missing=True).manifest)

    assert read.built == ("w_15m", "w_30m", "w_1h", "w_8h", "w_24h")
    assert read.without_history == ()


def test_a_label_that_the_spec_does_not_have_is_refused() -> None:
    with pytest.raises(SpecError, match=r"^label: 'w_2h' is no window of the spec, did you mean"):
        World().build_windows(4, names=("w_2h",))


def test_before_the_first_published_slice_the_history_is_empty() -> None:
    world = with_hours(2, days(1) + 4)

    world.build_windows(days(1) + 12, names=("w_1h",))

    day = FIRST_DAY + 1
    spans = ((at(days(1)), at(days(1) + 8)),)
    assert history(world) == {"w_1h": HistorySource(day, None, spans)}
    assert pinned(seen(world).deltas) == ["hour-0", "hour-1"]
    assert pinned(seen(world).features) == []


def test_the_slices_of_the_day_before_stand_for_its_history_while_that_is_not_built() -> None:
    world = with_hours(25)

    world.build_windows(100, names=("w_1h",))

    spans = ((at(0), at(96)),)
    assert history(world) == {"w_1h": HistorySource(FIRST_DAY + 1, None, spans)}
    assert pinned(seen(world).deltas)[0] == "hour-0"


def test_the_history_of_the_day_before_is_read() -> None:
    world = with_hours(26)
    world.build_day(0)

    read = read_of(world.build_windows(104, names=("w_1h",)).manifest)

    spans = ((at(96), at(100)),)
    assert history(world) == {"w_1h": HistorySource(FIRST_DAY + 1, FIRST_DAY, spans)}
    assert pinned(seen(world).features) == ["2025-03-01"]
    assert pinned(seen(world).deltas) == ["hour-24", "hour-25"]
    assert [one.date for one in read.days] == ["2025-03-01"]
    first = read.contributions[0]
    assert (first.output, first.mini_batch_id) == (FEATURES, "2025-03-01")
    assert {one.output for one in read.contributions[1:]} == {DELTAS}


def test_with_either_history_a_window_says_the_same_of_the_days_behind_it() -> None:
    one, other = with_hours(50), with_hours(50)
    for world in (one, other):
        world.build_day(0)
    one.build_day(1)

    reads = [read_of(world.build_windows(196, names=("w_1h",)).manifest) for world in (one, other)]

    assert history(one)["w_1h"].base == FIRST_DAY + 1
    assert history(other)["w_1h"].base == FIRST_DAY
    assert reads[0].days == reads[1].days
    assert [day.date for day in reads[0].days] == ["2025-03-01", "2025-03-02"]


def test_a_missing_history_is_named_unless_it_may_be_missing() -> None:
    world = with_hours(50)

    with pytest.raises(NotPublishedError, match=r"window w_1h .* no history of 2025-03-02, nor of"):
        world.build_windows(196, names=("w_1h",))
    read = read_of(world.build_windows(196, names=("w_1h",), allows_missing=True).manifest)

    assert not history(world)["w_1h"].is_known
    assert read.without_history == ("w_1h",)
    assert read.days == ()


def test_after_a_prune_the_history_is_no_more_taken_for_empty() -> None:
    world = with_hours(26)
    world.prune(96)

    with pytest.raises(NotPublishedError, match=r"there is no history of 2025-03-01"):
        world.build_windows(104, names=("w_1h",))


def test_a_run_is_owned_by_its_job_and_anchor_and_a_later_run_replaces_it() -> None:
    world = with_hours(1)
    world.build_windows(4)

    made = world.build_windows(4).manifest

    assert made.facts.mini_batch_id == "2025-03-01T010000Z"
    assert made.replaced is not None
    assert len(world.features.manifests(None, None)) == 1


def test_a_run_that_would_remove_windows_is_refused() -> None:
    world = with_hours(1)
    world.build_windows(4)

    with pytest.raises(
        UsageError, match=r"has published w_15m, w_30m before, which this run would"
    ):
        world.build_windows(4, names=("w_1h",))


def test_deltas_without_what_windows_are_made_of_are_refused_by_the_mini_batch() -> None:
    world = with_hours(1)
    pair = {"host_ip": "string", "starts": "histogram"}
    changed(world, 0, columns={**world.deltas.runs[0].columns, "pair": pair})

    with pytest.raises(
        UsageError,
        match=r"^mini-batch 'hour-0' of job delta_builder: its pair table lacks the columns bytes_sent_hist, "
        r"unanswered_cnt, duration_s_sum",
    ):
        world.build_windows(4)


def test_a_compacted_day_without_them_is_named_by_its_date() -> None:
    world = with_hours(1)
    changed(world, 0, columns={"pair": {}}, day="2025-03-01")

    with pytest.raises(UsageError, match=r"^mini-batch '2025-03-01' of job"):
        world.build_windows(4, allows_missing=True)


def test_a_run_without_a_pair_table_lacks_no_column_of_it() -> None:
    world = with_hours(2)
    run = world.deltas.runs[0]
    changed(world, 0, columns={"delta": run.columns["delta"]})

    assert read_of(world.build_windows(8).manifest).built == ("w_15m", "w_30m", "w_1h")


def test_port_sets_that_the_deltas_have_with_other_ports_are_refused() -> None:
    world = with_hours(1)
    world.spec = spec(port_sets={"admin": [22]})

    with pytest.raises(SpecError, match=r"^port_sets.admin: is \[22\] here, but \[22, 23, "):
        world.build_windows(4)


def test_a_history_that_means_something_else_is_refused_by_the_key() -> None:
    world = with_hours(26)
    world.build_day(0)
    # What windows alone know of the output is asked first: so it is in another one here.
    world.features.runs = [
        *world.features.runs,
        evolve(
            world.features.runs[0],
            facts=evolve(world.features.runs[0].facts, meaning={}, job_name="x"),
            published_at=9,
        ),
    ]
    world.spec = spec(networks={"internal": ["10.0.0.0/8"]})

    with pytest.raises(
        SpecError, match=re.escape("networks.internal: is ['10.0.0.0/8'] here, but")
    ):
        world.build_windows(104, names=("w_1h",))


def test_a_calendar_that_differs_from_what_is_published_is_refused() -> None:
    world = with_hours(1)
    world.build_windows(4)
    world.spec = spec(calendar={"zone": "Europe/Berlin"})

    with pytest.raises(SpecError, match=r"^calendar.zone: is 'Europe/Berlin' here"):
        world.build_windows(4)


def test_deltas_of_another_project_are_refused() -> None:
    world = World()
    world.contribute("a", 0, project_name="other")

    with pytest.raises(UsageError, match=r"^project_name: the deltas are of project other"):
        world.build_windows(1)


def test_the_deltas_of_another_version_are_read_where_the_spec_says_so() -> None:
    world = World(spec(inputs={"feature_spec_version": "v7"}))
    world.contribute("a", 0, feature_spec_version="v7")

    made = world.build_windows(1).manifest

    assert seen(world).deltas_version == "v7"
    assert seen(world).history_version == "v1"
    assert made.facts.feature_spec_version == "v1"


def test_where_a_file_goes_away_while_it_is_read_the_run_looks_again() -> None:
    world = with_hours(1)
    world.window_engine.failures = 1
    world.window_engine.meanwhile = lambda: world.contribute("hour-0", 0, 4, content="new")

    read = read_of(world.build_windows(4).manifest)

    assert len(world.window_engine.seen) == 2
    assert read.contributions[0].digest == "hour-0 0 new"


def test_a_failure_though_nothing_was_replaced_is_the_run_s_own() -> None:
    world = with_hours(1)
    world.window_engine.failures = 1

    with pytest.raises(OSError, match="a file went away"):
        world.build_windows(4)
    assert world.features.runs == []


def test_a_run_gives_up_where_what_it_reads_is_replaced_again_and_again() -> None:
    world = with_hours(1)
    world.window_engine.failures = 9
    contents = iter("abcdefghi")
    world.window_engine.meanwhile = lambda: world.contribute("hour-0", 0, 4, content=next(contents))

    with pytest.raises(NdrError, match="is replaced faster than it can be read"):
        world.build_windows(4)


def test_a_slice_of_rows_that_are_late_is_read_and_no_published_one() -> None:
    world = World()
    world.contribute("a", 1, 2, rows=[0, 1])

    made = world.build_windows(2).manifest

    read = read_of(made)
    assert (read.built, read.left_out) == (("w_15m",), ("w_30m", "w_1h"))
    assert [one.slice for one in read.contributions] == [place(0), place(1)]


def test_what_is_published_says_which_windows_it_has() -> None:
    world = with_hours(1)

    made: Manifest = world.build_windows(4).manifest

    assert Manifest.from_json(made.to_json()) == made
    assert made.tables == ("beacon", "fg_a")


def test_bytes_that_windows_are_made_of_are_those_of_their_slices() -> None:
    world = with_hours(8)
    folders = (
        f"{table}/feature_spec_version=v1/{place(quarter)}/role=outbound"
        for table, quarter in (("pair", 31), ("delta", 28), ("pair", 27))
    )
    sizes = (100, 30, 5000)
    files = (
        OutputFile(f"{folder}/part.parquet", 1, size, "00")
        for folder, size in zip(folders, sizes, strict=True)
    )
    changed(world, 7, files=tuple(files))

    found = world.window_runner(32, names=("w_1h",)).look(0)

    assert found.read_bytes == 130
