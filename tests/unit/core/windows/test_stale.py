"""Which windows are out of date, down the chain from deltas to the history and from both to windows."""

from __future__ import annotations

from attrs import evolve

from ndr_core.features.renew import Renewed, renew
from ndr_core.features.running import FeatureRunSummary, NotPublishedError
from ndr_core.features.stale import StaleRun
from ndr_core.publishing.compaction import days_to_compact
from ndr_core.times import day_of, to_datetime
from ndr_core.windows.spec_reader import parse_fg_a_spec
from ndr_core.windows.stale import find_stale
from tests.unit.core.features.world import FIRST_DAY, World, at, days
from tests.unit.core.publishing.makers import compacted
from tests.unit.core.windows.test_job import with_hours


def stale(world: World, since: int | None = None, until: int | None = None) -> dict[str, str]:
    """Day, or end of windows, -> why it is out of date, in the order of building."""
    found = find_stale(world.spec, world.deltas, world.features, since, until)
    return {one.mini_batch_id: "; ".join(one.reasons) for one in (*found.days, *found.windows)}


def renewed(world: World) -> list[Renewed]:
    """Build again what is out of date."""

    def run_day(run: StaleRun) -> FeatureRunSummary:
        day = day_of(run.start) - FIRST_DAY
        return world.build_day(day, allows_missing=run.allows_missing)

    def run_anchor(run: StaleRun) -> FeatureRunSummary:
        runner = evolve(world.window_runner(0), anchor=run.start)
        return evolve(runner, allows_missing=run.allows_missing).run()

    found = find_stale(world.spec, world.deltas, world.features)
    return [*renew(found.days, run_day), *renew(found.windows, run_anchor)]


def test_nothing_is_out_of_date_where_nothing_was_built_or_nothing_has_changed() -> None:
    world = with_hours(8)
    assert stale(world) == {}

    for quarter in range(1, 33):
        world.build_windows(quarter)

    assert stale(world) == {}


def test_a_late_contribution_makes_the_windows_stale_that_hold_its_slice_or_begin_after_it() -> (
    None
):
    world = with_hours(2)
    for quarter in range(1, 9):
        world.build_windows(quarter)

    world.contribute("late", 7, rows=[2])

    why = "mini-batch late of job delta_builder in dt=2025-03-01/hh=00/mm=30 is new"
    assert stale(world) == {
        # 00:45 to 01:30 hold it in w_1h; the histories of the later ones do, up to the end of the day.
        f"2025-03-01T{time}00Z": why
        for time in ("0045", "0100", "0115", "0130", "0145", "0200")
    }


def test_a_mini_batch_with_other_content_or_without_its_rows_makes_windows_stale() -> None:
    world = with_hours(1)
    world.build_windows(4)

    world.contribute("hour-0", 0, 4)
    assert stale(world) == {}

    world.contribute("hour-0", 0, 4, rows=[1, 2, 3])
    assert stale(world) == {
        "2025-03-01T010000Z": "mini-batch hour-0 of job delta_builder in dt=2025-03-01/hh=00/mm=00 is gone"
    }

    world.contribute("hour-0", 0, 4, content="other")
    assert "has changed" in stale(world)["2025-03-01T010000Z"]


def test_windows_that_read_a_history_are_stale_before_it_is_built_again_and_after() -> None:
    world = with_hours(26)
    world.build_day(0)
    world.build_windows(104)
    world.contribute("late", 5)
    why = {"2025-03-01": "the pairs of 2025-03-01 have changed"}
    # w_8h and w_24h hold the slice or begin on its day; this window holds hour 1 of the first day in its history.
    before = stale(world)

    world.build_day(0)

    assert before.keys() == {"2025-03-01", "2025-03-02T020000Z"}
    assert before["2025-03-01"] == why["2025-03-01"]
    assert stale(world).keys() == {"2025-03-02T020000Z"}


def test_what_is_out_of_date_is_renewed_the_history_first() -> None:
    world = with_hours(30)
    world.build_day(0)
    world.build_windows(104)
    world.build_windows(105)
    world.contribute("late", 5)

    done = renewed(world)

    assert [one.run.mini_batch_id for one in done] == [
        "2025-03-01",
        "2025-03-02T020000Z",
        "2025-03-02T021500Z",
    ]
    assert all(one.summary is not None for one in done)
    assert stale(world) == {}


def test_what_can_not_be_built_is_told_and_the_next_one_is_done() -> None:
    world = with_hours(2)
    world.build_windows(4)
    world.build_windows(8)
    world.contribute("late", 0)
    found = find_stale(world.spec, world.deltas, world.features)

    def fail(run: StaleRun) -> FeatureRunSummary:
        if run.start == at(4):
            raise NotPublishedError("slices went away")
        return world.build_windows(8)

    done = list(renew(found.windows, fail))

    # What lies between the two was left out, so that it is to be built, too.
    assert [one.problem for one in done] == ["slices went away", None, None, None, None]


def test_windows_that_were_left_out_are_found_once_their_slices_are_published() -> None:
    world = with_hours(7)
    world.contribute("last", 31)
    world.build_windows(32)
    assert stale(world) == {}

    world.contribute("missing", 28, 31, rows=[])

    assert stale(world) == {
        "2025-03-01T080000Z": "not built, though all is published: w_30m w_1h w_8h"
    }


def test_an_end_of_windows_between_others_of_which_no_run_could_be_done_is_found() -> None:
    world = with_hours(1)
    world.build_windows(4)
    world.contribute("after", 5)
    world.build_windows(6)
    assert stale(world) == {}

    world.contribute("missing", 4, rows=[])

    assert stale(world) == {
        "2025-03-01T011500Z": "not built, though all is published: w_15m w_30m w_1h",
        "2025-03-01T013000Z": "not built, though all is published: w_30m w_1h",
    }


def test_partial_windows_are_stale_once_a_slice_is_published_with_rows_or_without() -> None:
    world = with_hours(1)
    world.contribute("later", 5)
    world.build_windows(6, allows_missing=True)
    assert stale(world) == {}

    world.contribute("missing", 4, rows=[])

    assert stale(world)["2025-03-01T013000Z"].startswith("dt=2025-03-01/hh=01/mm=00 is published")
    assert [one.run.allows_missing for one in renewed(world)][-1]
    assert stale(world) == {}


def test_windows_of_which_a_slice_is_published_no_more_are_renewed_as_partial_ones() -> None:
    world = with_hours(1)
    world.build_windows(4)

    world.contribute("hour-0", 0, 3)

    assert stale(world) == {
        "2025-03-01T010000Z": "mini-batch hour-0 of job delta_builder in dt=2025-03-01/hh=00/mm=45 is gone; "
        "dt=2025-03-01/hh=00/mm=45 is not published any more"
    }
    (done,) = renewed(world)
    assert done.run.allows_missing
    assert stale(world) == {}


def test_windows_built_without_their_history_are_stale_once_it_can_be_known() -> None:
    world = with_hours(50)
    world.build_windows(196, names=("w_15m",), allows_missing=True)
    assert stale(world) == {}

    world.build_day(1)

    assert stale(world)["2025-03-03T010000Z"] == (
        "w_15m was built without its history, which is there"
    )


def test_windows_whose_history_went_are_as_they_were() -> None:
    world = with_hours(50)
    world.build_day(1)
    world.build_windows(196, names=("w_15m",))

    world.features.runs = world.features.runs[1:]

    assert stale(world) == {}


def test_a_window_is_not_to_be_built_while_its_history_is_missing() -> None:
    world = with_hours(49)
    world.contribute("last", 197)
    world.build_windows(196, names=("w_15m",), allows_missing=True)
    world.build_windows(198, names=("w_15m",), allows_missing=True)

    world.contribute("missing", 196)

    assert stale(world) == {}


def test_compaction_changes_nothing() -> None:
    world = with_hours(26)
    world.build_day(0)
    for quarter in (32, 104):
        world.build_windows(quarter, allows_missing=True)
    before = stale(world)
    gone = tuple(world.deltas.runs[:24])
    day = days_to_compact(world.deltas.runs, to_datetime(at(days(1))))[0]

    world.compact(compacted(100, day), *gone)

    assert stale(world) == before


def test_prune_changes_nothing() -> None:
    world = with_hours(30)
    world.build_day(0)
    for quarter in range(1, 121):
        world.build_windows(quarter, allows_missing=True)
    assert stale(world) == {}

    for quarter in (1, 50, 100, 119):
        world.prune(quarter)

        assert stale(world) == {}


def test_only_windows_of_a_span_are_looked_at() -> None:
    world = with_hours(26)
    world.build_day(0)
    for quarter in range(1, 105):
        world.build_windows(quarter)
    world.contribute("late", 7, rows=[90, 100])

    assert list(stale(world, since=at(103))) == [
        "2025-03-01",
        "2025-03-02T014500Z",
        "2025-03-02T020000Z",
    ]
    assert list(stale(world, since=at(103), until=at(103))) == ["2025-03-01", "2025-03-02T014500Z"]
    assert list(stale(world, until=at(91))) == ["2025-03-01", "2025-03-01T224500Z"]


def test_days_long_before_a_span_are_not_looked_at() -> None:
    world = World()
    world.contribute("first", 0, days(45))
    for day in range(45):
        world.build_day(day)
    world.build_windows(days(45) - 1)
    assert stale(world) == {}

    world.contribute("late", 1)

    assert min(stale(world)) == "2025-03-01"
    assert min(stale(world, since=at(days(44)))) > "2025-03-10"


def test_windows_that_the_spec_has_no_more_are_still_looked_at() -> None:
    world = with_hours(1)
    world.build_windows(4)
    world.spec = parse_fg_a_spec(
        {"kind": "fg_a", "project_name": "test", "windows": {"labels": {"w_15m": "15m"}}}
    )

    world.contribute("late", 0)

    assert list(stale(world)) == ["2025-03-01T010000Z"]
