"""The job that sums up a local date: which windows it counts, by what it judges them, and what it is refused for."""

from __future__ import annotations

import pytest
from attrs import evolve

from ndr_core.baselines.engine import SummaryInputs
from ndr_core.baselines.settings import Period
from ndr_core.errors import SpecError, UsageError
from ndr_core.features.days import date_of, read_of
from ndr_core.features.networks import Networks
from ndr_core.features.running import NotPublishedError
from ndr_core.jobs.run import Stage
from ndr_core.publishing.pinned import PinnedTables
from ndr_core.publishing.read_facts import CoveredWindows
from ndr_core.times import HOUR_US
from ndr_core.windows.calendar import Calendar
from tests.unit.core.baselines.world import PART, BaselineWorld, date
from tests.unit.core.fakes import MemoryLog
from tests.unit.core.features.world import FIRST_DAY, at, days


def seen(world: BaselineWorld) -> SummaryInputs:
    found = world.summary_engine.seen[-1]
    assert isinstance(found, SummaryInputs)
    return found


def names_of(ends: object) -> dict[float, list[str]]:
    """Hours after the first midnight at which windows end -> their labels."""
    assert isinstance(ends, dict)
    return {(end - at(0)) / HOUR_US: [label.name for label in ends[end]] for end in ends}


def pinned(tables: PinnedTables | None) -> list[str]:
    return [] if tables is None else [run.facts.mini_batch_id for run in tables.pinned]


def test_the_windows_of_a_local_date_are_summed_up_of_which_all_slices_were_published() -> None:
    world = BaselineWorld()
    world.pass_day(0)
    world.pass_day(1)

    # The windows of the first day that last a day hold slices of the day before, which were not published.
    world.summarise(0)
    first = seen(world)
    world.summarise(1)
    second = seen(world)

    assert names_of(first.ends) == {6: ["w_6h"], 12: ["w_6h"], 18: ["w_6h"], 24: ["w_6h", "w_24h"]}
    assert names_of(second.ends) == {hour: ["w_6h", "w_24h"] for hour in (30, 36, 42, 48)}
    assert first.excluded_ends == second.excluded_ends == {}
    assert pinned(second.windows) == [
        "2025-03-02T060000Z",
        "2025-03-02T120000Z",
        "2025-03-02T180000Z",
        "2025-03-03T000000Z",
    ]


def test_a_manifest_says_how_many_windows_of_each_band_were_there_to_be_counted() -> None:
    world = BaselineWorld()
    world.pass_days(3)

    made = world.summarise(2).manifest

    # 2025-03-03 is a Monday: its last window ends at midnight, and is of the night.
    assert read_of(made).covered == (
        CoveredWindows("all", "w_24h", 4),
        CoveredWindows("wd_night", "w_6h", 2),
        CoveredWindows("wd_off", "w_6h", 1),
        CoveredWindows("wd_work", "w_6h", 1),
    )
    assert made.facts.mini_batch_id == f"summary-{date(2)}"
    assert made.facts.bounds is not None
    assert (made.facts.bounds.start, made.facts.bounds.end) == (at(days(2)), at(days(3)))
    assert made.tables == ("summary", "summary_rows")


def test_the_date_is_that_of_the_zone() -> None:
    world = BaselineWorld()
    zone = Calendar(zone="Etc/GMT-6")  # six hours ahead of UTC
    world.spec = evolve(world.spec, calendar=zone)
    world.windows_of_day(0)
    world.windows_of_day(1)

    world.summarise(1, spec=evolve(world.fg_b, calendar=zone))

    assert list(names_of(seen(world).ends)) == [24, 30, 36, 42]


def test_windows_that_overlap_an_excluded_period_are_counted_by_themselves() -> None:
    world = BaselineWorld()
    world.pass_days(2)
    lunch = Period(f"{date(1)}T11:30:00Z", f"{date(1)}T12:00:00Z")

    before = world.summarise(1).manifest
    excluding = evolve(world.fg_b, excluded_periods=(lunch,))
    elsewhere = evolve(world.fg_b, excluded_periods=(Period("2025-01-01", "2025-01-02"),))
    made = world.summarise(1, spec=excluding).manifest
    inputs = seen(world)
    without = world.summarise(1, spec=elsewhere).manifest

    assert names_of(inputs.excluded_ends) == {
        36: ["w_6h", "w_24h"],
        42: ["w_24h"],
        48: ["w_24h"],
    }
    assert names_of(inputs.ends) == {30: ["w_6h", "w_24h"], 42: ["w_6h"], 48: ["w_6h"]}
    assert read_of(made).covered == read_of(before).covered
    assert [one.name for one in read_of(made).settings] == ["excluded_periods"]
    assert read_of(without) == read_of(before)


def test_windows_are_judged_by_the_baselines_of_their_date_once_these_hold_summaries() -> None:
    world = BaselineWorld()
    world.pass_days(3)
    world.windows_of_day(3)

    world.summarise(2)
    unjudged = seen(world).baselines
    world.summarise(3)

    assert unjudged is None
    assert pinned(seen(world).baselines) == [f"baseline-{date(3)}"]
    read = read_of(world.features.runs[-1])
    assert read.contributions[0].mini_batch_id == f"baseline-{date(3)}"
    assert read.contributions[0].slice == f"dt={date(3)}"


def test_a_date_whose_baselines_are_missing_is_refused_unless_they_may_be() -> None:
    world = BaselineWorld()
    for day in range(4):
        world.windows_of_day(day)
    world.summarise(0)

    with pytest.raises(NotPublishedError) as error:
        world.summarise(3)
    made = world.summarise(3, allows_missing=True).manifest

    assert str(error.value) == (
        f"{date(3)}: there are no baselines of this date in memory:/features, by which its windows are judged; build "
        f"them (ndr features run --job fg-b --day {date(2)}), or leave that out by --partial"
    )
    assert read_of(made).without_baseline == (date(3),)
    assert read_of(made).allows_missing
    assert seen(world).baselines is None


def test_a_date_without_windows_is_refused() -> None:
    world = BaselineWorld()
    world.windows_of_day(0)

    with pytest.raises(NotPublishedError, match=rf"^{date(1)}: there are no windows of this date"):
        world.summarise(1)


def test_a_date_of_which_no_window_is_complete_has_a_summary_without_rows() -> None:
    world = BaselineWorld()
    world.contribute("late", 0, 1)
    world.build_windows(PART, allows_missing=True)

    made = world.summarise(0).manifest

    assert read_of(made).covered == ()
    assert pinned(seen(world).windows) == []


def test_windows_of_other_networks_or_of_two_kinds_are_refused_by_the_key() -> None:
    world = BaselineWorld()
    world.windows_of_day(0)

    with pytest.raises(SpecError, match=r"^networks\.internal: is .* here, but .* job fg_a publ"):
        world.summarise(0, spec=evolve(world.fg_b, networks=Networks(("10.0.0.0/8",))))
    run = world.features.runs[-2]
    other = evolve(run.facts, meaning={**run.facts.meaning, "port_sets": {"auth": [22]}})
    world.features.runs[-2] = evolve(run, facts=other)
    with pytest.raises(SpecError, match=r"^port_sets\.admin: is"):
        world.summarise(0)


def test_a_summary_means_what_its_windows_mean_and_more() -> None:
    world = BaselineWorld()
    world.windows_of_day(0)
    windows = world.features.runs[0].facts.meaning

    meaning = world.summarise(0).manifest.facts.meaning

    assert windows.items() <= meaning.items()
    assert meaning.keys() - windows.keys() == {
        "baselines.meaning_version",
        "baselines.metrics",
        "baselines.key_metrics",
        "baselines.gap_days_7d",
        "baselines.gap_days_30d",
    }


def test_a_date_outside_the_times_of_records_is_refused() -> None:
    with pytest.raises(SpecError, match=r"^day: lies outside the times"):
        BaselineWorld().summarise(-FIRST_DAY)
    with pytest.raises(SpecError, match=r"^day: lies outside the times"):
        BaselineWorld().summarise(99_999)


def test_a_date_that_was_pruned_is_refused() -> None:
    world = BaselineWorld()
    world.windows_of_day(0)
    world.windows_of_day(1)
    world.features.pruned = evolve(world.features.pruned, firsts={"v1": at(days(0) + PART + 1)})

    with pytest.raises(UsageError, match="lies in what `ndr prune` has removed"):
        world.summarise(0)


def test_what_was_replaced_meanwhile_is_read_again() -> None:
    world = BaselineWorld()
    world.windows_of_day(0)
    world.summary_engine.failures = 1
    world.summary_engine.meanwhile = lambda: world.build_windows(PART, allows_missing=True)

    world.summarise(0)

    first, second = world.summary_engine.seen
    assert pinned(first.windows) == pinned(second.windows)
    assert first.windows.pinned != second.windows.pinned


def test_the_log_says_what_is_summed_up_and_how_much_is_read() -> None:
    world = BaselineWorld()
    world.pass_days(3)
    world.windows_of_day(3)
    log = MemoryLog([])

    world.summarise(0, log=log)
    first = log.outcomes[Stage.LOOK]
    world.summarise(3, log=log)

    assert first == {
        "date": date_of(FIRST_DAY),
        "windows": 5,
        "contributions": 4,
        "outliers": "not judged",
    }
    assert log.outcomes[Stage.LOOK]["outliers"] == "judged by the baselines of the date"
    # Each run of windows is one file of 10 bytes, and so are the baselines.
    assert world.summary_runner(3).look(0).read_bytes == 50
