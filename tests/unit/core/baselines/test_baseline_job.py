"""The job that makes the baselines of a local date: which summaries it adds and takes away."""

from __future__ import annotations

import pytest
from attrs import evolve

from ndr_core.baselines.engine import BaselineInputs
from ndr_core.baselines.names import HostName, HostNames
from ndr_core.baselines.settings import NamesTable
from ndr_core.errors import SpecError
from ndr_core.features.days import read_of
from ndr_core.features.lineage import run_digest
from ndr_core.jobs.run import Stage
from tests.unit.core.baselines.world import BaselineWorld, date
from tests.unit.core.fakes import MemoryLog
from tests.unit.core.features.world import FIRST_DAY, at, days

WITH_NAMES = NamesTable("names.csv", ("dhcp-",))


def seen(world: BaselineWorld) -> BaselineInputs:
    found = world.baseline_engine.seen[-1]
    assert isinstance(found, BaselineInputs)
    return found


def horizons(world: BaselineWorld) -> list[tuple[str | None, list[int], list[int]]]:
    """Of each horizon the run from which one goes on, and the days that are added and removed."""
    return [
        (
            None if one.former is None else one.former.pinned[0].facts.mini_batch_id,
            [day - FIRST_DAY for day in one.added],
            [day - FIRST_DAY for day in one.removed],
        )
        for one in seen(world).horizons
    ]


def test_the_baselines_of_a_date_go_on_from_those_of_the_date_before() -> None:
    world = BaselineWorld()
    world.pass_days(12)

    world.make_baselines(12)

    # 7d of day 12 are days 3 to 9: day 9 comes in, day 2 goes out; 30d end on day 4, which comes in.
    former = f"baseline-{date(11)}"
    assert horizons(world) == [(former, [9], [2]), (former, [4], [])]
    assert [run.facts.mini_batch_id for run in seen(world).summaries.pinned] == [
        f"summary-{date(day)}" for day in (2, 4, 9)
    ]


def test_without_the_date_before_all_summaries_are_added_up() -> None:
    world = BaselineWorld()
    world.pass_days(12)

    world.make_baselines(14)

    assert horizons(world) == [(None, [5, 6, 7, 8, 9, 10, 11], []), (None, list(range(7)), [])]


def test_a_date_that_was_summed_up_again_of_other_windows_is_not_gone_on_from() -> None:
    world = BaselineWorld()
    world.pass_days(12)
    world.contribute("late", days(2))
    world.build_windows(days(2) + 24)
    world.summarise(2)

    world.make_baselines(12)

    # Day 2 was in both horizons of the day before.
    assert horizons(world) == [(None, list(range(3, 10)), []), (None, list(range(5)), [])]


def test_each_horizon_goes_on_by_itself() -> None:
    world = BaselineWorld()
    world.pass_days(12)
    world.contribute("late", days(8))
    world.build_windows(days(8) + 24)
    world.summarise(8)

    world.make_baselines(12)

    # Day 8 was in the 7 days only.
    assert horizons(world) == [
        (None, list(range(3, 10)), []),
        (f"baseline-{date(11)}", [4], []),
    ]


def test_a_date_that_was_summed_up_again_of_the_same_is_gone_on_from() -> None:
    world = BaselineWorld()
    world.pass_days(12)
    world.summarise(2)

    world.make_baselines(12)

    assert [one[0] for one in horizons(world)] == [f"baseline-{date(11)}"] * 2


def test_both_ways_are_made_of_the_same_summaries() -> None:
    world = BaselineWorld()
    world.pass_days(12)

    gone_on = world.make_baselines(12).manifest
    world.features.runs = [
        run for run in world.features.runs if run.facts.mini_batch_id != f"baseline-{date(11)}"
    ]
    anew = world.make_baselines(12).manifest

    assert horizons(world)[0][0] is None
    assert run_digest(anew) == run_digest(gone_on)
    assert [one.mini_batch_id for one in read_of(anew).contributions] == [
        f"summary-{date(day)}" for day in range(10)
    ]


def test_without_summaries_the_baselines_are_empty_and_published() -> None:
    world = BaselineWorld()
    world.pass_day(0)

    made = world.make_baselines(1).manifest

    assert made.files == ()
    assert made.tables == ("baseline", "baseline_rows")
    assert made.facts.mini_batch_id == f"baseline-{date(1)}"
    assert read_of(made).contributions == ()


def test_a_plan_says_of_each_horizon_when_it_is_and_which_windows_it_had() -> None:
    world = BaselineWorld()
    world.pass_days(10)

    week, month = world.baseline_engine.plans[-1].horizons

    # The baselines of day 10, 2025-03-11: 7 days from day 1, a Sunday, to day 7, a Saturday.
    assert (week.start, week.end) == (at(days(1)), at(days(8)))
    assert (month.start, month.end) == (at(days(-27)), at(days(3)))
    assert week.band_dates == {"wd_work": 5, "wd_off": 5, "wd_night": 5, "we": 2, "all": 7}
    assert set(week.windows) == set(range(FIRST_DAY + 1, FIRST_DAY + 8))
    assert set(month.windows) == set(range(FIRST_DAY, FIRST_DAY + 3))
    assert month.windows[FIRST_DAY] == {("we", "w_6h"): 4, ("all", "w_24h"): 1}


def test_hosts_whose_names_do_not_last_are_told_and_change_what_it_is_made_of() -> None:
    world = BaselineWorld(fg_b=evolve(BaselineWorld().fg_b, names=WITH_NAMES))
    world.pass_days(3)
    before = world.make_baselines(3).manifest
    other = world.make_baselines(4).manifest
    world.names = HostNames((HostName("10.0.0.7", "DHCP-17", at(days(3)), at(days(4))),))

    after = world.make_baselines(3).manifest

    assert world.baseline_engine.plans[-1].fleeting == {"10.0.0.7"}
    assert run_digest(after) != run_digest(before)
    assert [one.name for one in read_of(after).settings] == ["names"]
    assert run_digest(world.make_baselines(4).manifest) == run_digest(other)


def test_baselines_of_other_numbers_than_the_summaries_are_refused_by_the_key() -> None:
    world = BaselineWorld()
    world.pass_days(3)
    settings = evolve(world.fg_b.baselines, gap_days_7d=1)

    with pytest.raises(SpecError, match=r"^baselines\.gap_days_7d: is 1 here, but 2 in what job"):
        world.make_baselines(3, spec=evolve(world.fg_b, baselines=settings))


def test_what_was_replaced_meanwhile_is_read_again() -> None:
    world = BaselineWorld()
    world.pass_days(4)
    world.baseline_engine.failures = 1
    world.baseline_engine.meanwhile = lambda: world.summarise(1)

    world.make_baselines(4)

    first, second = world.baseline_engine.seen[-2:]
    assert first.summaries.pinned != second.summaries.pinned


def test_the_log_says_how_they_are_made_and_how_much_is_read() -> None:
    world = BaselineWorld()
    world.pass_days(12)
    log = MemoryLog([])

    world.make_baselines(12, log=log)
    first = log.outcomes[Stage.LOOK]
    read_bytes = world.baseline_runner(12).look(0).read_bytes
    world.make_baselines(14, log=log)

    assert first == {
        "date": date(12),
        "built": "7d from the date before, 30d from the date before",
        "contributions": 10,
    }
    assert log.outcomes[Stage.LOOK]["built"] == "7d from all its dates, 30d from all its dates"
    # Three summaries and the baselines of the day before, each one file of 10 bytes.
    assert read_bytes == 40
