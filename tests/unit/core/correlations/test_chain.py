"""What is out of date from deltas down to correlations, and that renewing it leaves what a backfill would build."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from ndr_core.baselines.names import HostName, HostNames
from ndr_core.baselines.runs import date_of_run, is_summary
from ndr_core.baselines.settings import NamesTable, Period
from ndr_core.correlations.chain import Chain, find_stale_baselines, find_stale_chain
from ndr_core.errors import SpecError
from ndr_core.features.lineage import run_digest
from ndr_core.features.renew import Renewed, renew
from ndr_core.features.running import FeatureRunSummary
from ndr_core.features.stale import StaleRun
from ndr_core.publishing.pruned import Pruned
from ndr_core.times import day_of
from tests.unit.core.baselines.world import PART, BaselineWorld, date
from tests.unit.core.features.world import FIRST_DAY, QUARTER, START, at, days


def chain(world: BaselineWorld) -> Chain:
    return Chain.of(world.spec, [world.fg_b, world.fg_c])


def stale(world: BaselineWorld, since: int | None = None) -> dict[str, str]:
    """Job and run -> why it is out of date, in the order of building."""
    found = find_stale_chain(chain(world), world.deltas, world.features, lambda: world.names, since)
    return {f"{one.job_name} {one.mini_batch_id}": "; ".join(one.reasons) for one in found.runs}


def renewed(world: BaselineWorld) -> list[Renewed]:
    """Build again what is out of date, down the chain."""

    def number(run: StaleRun) -> int:
        return (run.start - START) // QUARTER

    def do(run: StaleRun) -> FeatureRunSummary:
        partial: dict[str, Any] = {"allows_missing": run.allows_missing}
        if run.job_name == "pair_history":
            return world.build_day(day_of(run.start) - FIRST_DAY, **partial)
        if run.job_name == "fg_a":
            return world.build_windows(number(run), **partial)
        if run.job_name == "fg_c":
            return world.correlate(number(run), **partial)
        day = date_of_run(run.mini_batch_id) - FIRST_DAY
        if is_summary(run.mini_batch_id):
            return world.summarise(day, **partial)
        return world.make_baselines(day)

    found = find_stale_chain(chain(world), world.deltas, world.features, lambda: world.names)
    first = [*renew(found.windows.days, do), *renew(found.windows.windows, do)]
    above = find_stale_baselines(chain(world), world.features, lambda: world.names)
    return [*first, *renew(above.baselines, do), *renew(above.correlations, do)]


def correlate_day(world: BaselineWorld, day: int) -> None:
    for part in range(1, 5):
        world.correlate(days(day) + part * PART)


def days_passed(count: int) -> BaselineWorld:
    """A world in which so many days have passed, with all that is made of them."""
    world = BaselineWorld()
    for day in range(count):
        world.windows_of_day(day)
        correlate_day(world, day)
        world.daily(day)
    return world


def digests(world: BaselineWorld) -> dict[str, str]:
    """Job and run -> what it was made of."""
    runs = world.features.manifests(None, None)
    return {f"{one.facts.job_name} {one.facts.mini_batch_id}": run_digest(one) for one in runs}


def test_nothing_is_out_of_date_where_nothing_has_changed() -> None:
    assert stale(BaselineWorld()) == {}
    assert stale(days_passed(5)) == {}


def test_without_baselines_only_windows_are_looked_at() -> None:
    world = BaselineWorld()
    for day in range(2):
        world.windows_of_day(day)
    world.contribute("late", 5)

    assert {one.partition(" ")[0] for one in stale(world)} == {"pair_history", "fg_a"}


def test_a_late_contribution_makes_all_stale_that_is_made_of_it_down_to_the_correlations() -> None:
    world = days_passed(7)

    world.contribute("late", days(5))
    found = stale(world)

    assert list(found) == [
        f"pair_history {date(5)}",
        f"pair_history {date(6)}",
        *(f"fg_a {date(5)}T{hour:02}0000Z" for hour in (6, 12, 18)),
        *(f"fg_a {date(6)}T{hour:02}0000Z" for hour in (0, 6, 12, 18)),
        f"fg_a {date(7)}T000000Z",
        f"fg_b summary-{date(5)}",
        f"fg_b summary-{date(6)}",
        *(f"fg_c {date(5)}T{hour:02}0000Z" for hour in (6, 12, 18)),
        *(f"fg_c {date(6)}T{hour:02}0000Z" for hour in (0, 6, 12, 18)),
        f"fg_c {date(7)}T000000Z",
    ]
    assert found[f"fg_b summary-{date(5)}"] == (
        "run 2025-03-06T060000Z of job fg_a has changed; run 2025-03-06T120000Z of job fg_a has changed; run "
        "2025-03-06T180000Z of job fg_a has changed; and 1 more"
    )
    assert found[f"fg_c {date(5)}T060000Z"] == "run 2025-03-06T060000Z of job fg_a has changed"


def test_a_summary_that_is_another_one_makes_later_baselines_and_their_correlations_stale() -> None:
    world = days_passed(7)
    world.contribute("late", days(1))
    world.build_windows(days(1) + PART)

    above = find_stale_baselines(chain(world), world.features, HostNames)

    # Day 1 is in the baselines of day 4 on, by which the windows of these days are judged.
    assert [one.mini_batch_id for one in above.baselines] == [
        f"summary-{date(1)}",
        *(
            name
            for day in range(4, 7)
            for name in (f"baseline-{date(day)}", f"summary-{date(day)}")
        ),
        f"baseline-{date(7)}",
    ]
    # Of the windows that end as day 4 begins, none is compared with its baselines.
    assert [one.mini_batch_id for one in above.correlations] == [
        f"{date(1)}T060000Z",
        *(f"{date(4)}T{hour}0000Z" for hour in ("06", "12", "18")),
        *(f"{date(day)}T{hour}0000Z" for day in (5, 6) for hour in ("00", "06", "12", "18")),
        f"{date(7)}T000000Z",
    ]
    assert above.correlations[1].mini_batch_id == f"{date(4)}T060000Z"
    assert above.correlations[1].reasons == (f"run baseline-{date(4)} of job fg_b has changed",)


def test_what_is_renewed_is_what_was_listed_and_what_a_backfill_builds() -> None:
    world = days_passed(6)
    world.contribute("late", days(1))
    listed = list(stale(world))

    done = renewed(world)
    kept = digests(world)
    anew = BaselineWorld(deltas=world.deltas)
    for day in range(6):
        for part in range(1, 5):
            anew.build_windows(days(day) + part * PART, allows_missing=day == 0)
        anew.build_day(day)
    for day in range(6):
        anew.daily(day)
    for day in range(6):
        correlate_day(anew, day)

    assert [f"{one.run.job_name} {one.run.mini_batch_id}" for one in done] == listed
    assert all(one.problem is None for one in done)
    assert stale(world) == {}
    assert kept == digests(anew)


def test_dates_and_windows_that_were_left_out_are_found() -> None:
    world = days_passed(5)
    gone = {f"summary-{date(2)}", f"baseline-{date(3)}", f"{date(2)}T060000Z"}
    world.features.runs = [
        run
        for run in world.features.runs
        if run.facts.mini_batch_id not in gone or run.facts.job_name == "fg_a"
    ]

    found = stale(world)

    assert found[f"fg_b summary-{date(2)}"] == "not built"
    assert found[f"fg_b baseline-{date(3)}"] == "not built"
    assert found[f"fg_c {date(2)}T060000Z"] == "not built"
    assert found[f"fg_b baseline-{date(5)}"] == f"run summary-{date(2)} of job fg_b has changed"
    assert len(renewed(world)) == len(found)
    assert stale(world) == {}


def test_the_last_windows_are_left_out_too_where_their_baselines_were_missing() -> None:
    """As in the hours before a daily run that makes them: no later windows are compared yet."""
    world = days_passed(5)
    last = [run for run in world.features.runs if run.facts.job_name == "fg_c"][-3:]
    world.features.runs = [run for run in world.features.runs if run not in last]

    found = stale(world)

    assert found == {f"fg_c {run.facts.mini_batch_id}": "not built" for run in last}
    assert len(renewed(world)) == 3


def test_a_date_without_windows_is_not_asked_for() -> None:
    world = BaselineWorld()
    for day in range(6):
        if day == 3:
            world.build_day(3)
        else:
            world.windows_of_day(day)
            world.summarise(day)
        world.make_baselines(day + 1)

    assert stale(world) == {}


def test_a_date_that_is_not_over_is_not_asked_for_where_baselines_are_made_ahead() -> None:
    world = days_passed(4)
    world.make_baselines(5)
    world.contribute("day-4", days(4), days(5))
    world.build_windows(days(4) + PART)
    world.correlate(days(4) + PART)

    assert stale(world) == {}


def test_dates_that_were_not_judged_are_stale_once_they_can_be() -> None:
    world = BaselineWorld()
    for day in range(4):
        world.windows_of_day(day)
        world.summarise(day, allows_missing=True)
    assert stale(world)[f"fg_b summary-{date(3)}"] == f"run baseline-{date(3)} of job fg_b is new"

    done = renewed(world)

    assert [one.run.allows_missing for one in done if is_summary(one.run.mini_batch_id)] == [True]
    assert stale(world) == {}


def test_correlations_without_baselines_are_stale_once_these_are_there() -> None:
    world = BaselineWorld()
    world.pass_days(2)
    for day in (2, 3):
        world.windows_of_day(day)
    world.correlate(days(3) + PART, allows_missing=True)
    assert stale(world) == {}

    world.daily(2)
    run, *later = renewed(world)

    assert run.run.reasons == (f"run baseline-{date(3)} of job fg_b is new",)
    assert run.run.allows_missing
    assert {one.run.reasons for one in later} == {("not built",)}, "others were left out"
    assert stale(world) == {}


def test_windows_whose_baselines_are_missing_are_not_asked_for() -> None:
    world = BaselineWorld()
    world.pass_days(3)
    for day in (3, 4):
        world.windows_of_day(day)
    world.correlate(days(3) + PART)
    world.correlate(days(4) + PART, allows_missing=True)
    world.features.runs = [
        run for run in world.features.runs if run.facts.mini_batch_id != f"baseline-{date(4)}"
    ]

    assert [one for one in stale(world) if one.startswith("fg_c")] == [
        f"fg_c {date(3)}T120000Z",
        f"fg_c {date(3)}T180000Z",
        f"fg_c {date(4)}T000000Z",
    ]


def test_a_change_of_settings_makes_stale_what_it_concerns() -> None:
    world = days_passed(4)
    lunch = Period(f"{date(1)}T11:30:00Z", f"{date(1)}T12:00:00Z")
    world.fg_b = evolve(world.fg_b, excluded_periods=(lunch,))
    assert stale(world)[f"fg_b summary-{date(1)}"] == "excluded_periods of the JobSpec have changed"
    assert f"fg_b summary-{date(0)}" not in stale(world)

    world = days_passed(4)
    world.fg_b = evolve(world.fg_b, names=NamesTable("x.csv", ("dhcp",)))
    world.names = HostNames((HostName("10.0.0.1", "dhcp-1", None, at(days(2))),))
    found = stale(world)
    assert found[f"fg_b baseline-{date(1)}"] == "names of the JobSpec have changed"
    assert f"fg_b baseline-{date(2)}" not in found

    world = days_passed(2)
    short = evolve(world.fg_b.windows, labels={"w_6h": world.fg_b.windows.labels["w_6h"]})
    world.fg_b = evolve(world.fg_b, windows=short)
    assert stale(world)[f"fg_b summary-{date(1)}"] == "windows of other labels are asked for"


def test_only_dates_and_windows_from_a_moment_on_are_looked_at() -> None:
    world = days_passed(6)
    world.contribute("late", days(1))
    for part in range(1, 5):
        world.build_windows(days(1) + part * PART)

    found = stale(world, at(days(3)))

    # The windows from day 3 on have another history; that of day 1 has changed the summary of day 1, which is before.
    assert [one for one in found if one.startswith("fg_b")] == [
        f"fg_b summary-{date(3)}",
        f"fg_b summary-{date(4)}",
        f"fg_b summary-{date(5)}",
        f"fg_b baseline-{date(6)}",
    ]
    assert not [one for one in found if one < f"fg_c {date(3)}" and one.startswith("fg_c")]


@pytest.mark.parametrize("day", [3, 5])
def test_prune_changes_nothing(day: int) -> None:
    world = days_passed(6)
    assert stale(world) == {}

    world.features.pruned = Pruned({"v1": at(days(day))})
    world.deltas.pruned = Pruned({"v1": at(days(day))})

    assert stale(world) == {}


def test_windows_that_went_make_their_summary_stale() -> None:
    world = days_passed(2)
    gone = f"{date(1)}T120000Z"
    world.features.runs = [
        run
        for run in world.features.runs
        if (run.facts.job_name, run.facts.mini_batch_id) != ("fg_a", gone)
    ]

    (summary,) = find_stale_baselines(chain(world), world.features, HostNames).baselines

    assert summary.reasons == (f"run {gone} of job fg_a is gone",)


def test_windows_that_are_not_compared_are_not_asked_for() -> None:
    world = BaselineWorld()
    world.windows_of_day(0)
    short = evolve(world.fg_c.windows, labels={"w_6h": world.fg_c.windows.labels["w_6h"]})
    world.fg_c = evolve(world.fg_c, windows=short)
    world.correlate(PART)
    world.correlate(3 * PART)
    world.correlate(4 * PART)
    number = next(
        number
        for number, run in enumerate(world.features.runs)
        if run.facts.mini_batch_id == f"{date(0)}T120000Z"
    )
    run = world.features.runs[number]
    assert run.facts.read is not None
    other = evolve(run.facts, read=evolve(run.facts.read, built=("w_8h",)))
    world.features.runs[number] = evolve(run, facts=other)

    above = find_stale_baselines(chain(world), world.features, HostNames)

    assert above.correlations == ()


def test_what_can_not_be_built_any_more_is_not_asked_for() -> None:
    world = days_passed(6)
    world.features.pruned = Pruned({"v1": at(days(3))})
    short = evolve(world.fg_b.windows, labels={"w_6h": world.fg_b.windows.labels["w_6h"]})
    world.fg_b = evolve(world.fg_b, windows=short)

    found = stale(world)

    # Of the dates that stay, summaries can be built of their windows; what was made of dates that went can't be.
    assert [one for one in found if one.startswith("fg_b")] == [
        f"fg_b summary-{date(3)}",
        f"fg_b summary-{date(4)}",
        f"fg_b summary-{date(5)}",
    ]


def test_a_chain_takes_the_specs_that_are_given_and_those_that_windows_imply() -> None:
    world = BaselineWorld()
    own = evolve(world.fg_b, excluded_periods=(Period("2025-01-01", "2025-01-02"),))

    found = Chain.of(world.spec, [own])
    implied = Chain.of(world.spec)
    all_given = Chain.of(world.spec, [implied.history, own, implied.correlations])

    assert found.baselines == own
    assert (found.correlations, found.history) == (implied.correlations, implied.history)
    assert all_given == found


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"job_name": "other"}, "inputs.fg_b_job: names job fg_b, but the JobSpec that is given"),
        ({"project_name": "other"}, "project_name: is other for job fg_b, but test for job fg_a"),
        ({"feature_spec_version": "v2"}, "feature_spec_version: is v2 for job fg_b, but v1 for"),
    ],
)
def test_a_job_that_does_not_belong_to_the_chain_is_refused(
    change: dict[str, Any], problem: str
) -> None:
    world = BaselineWorld()

    with pytest.raises(SpecError) as error:
        Chain.of(world.spec, [evolve(world.fg_b, **change)])

    assert str(error.value).startswith(problem)


def test_a_second_spec_of_windows_is_refused() -> None:
    world = BaselineWorld()

    with pytest.raises(SpecError, match=r"^spec: is a second one of windows"):
        Chain.of(world.spec, [world.spec])
