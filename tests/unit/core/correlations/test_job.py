"""The FG-C job: with which baselines windows are compared, and what it is refused for."""

from __future__ import annotations

from datetime import datetime

import pytest
from attrs import evolve

from ndr_core.correlations.engine import CorrelationInputs
from ndr_core.correlations.needs import has_windows_by
from ndr_core.correlations.settings import Exfil
from ndr_core.errors import SpecError
from ndr_core.features.days import read_of
from ndr_core.features.lineage import run_digest
from ndr_core.features.running import NotPublishedError
from ndr_core.jobs.run import Stage
from ndr_core.publishing.pruned import Pruned
from ndr_core.windows.calendar import Calendar
from tests.unit.core.baselines.world import PART, BaselineWorld, date
from tests.unit.core.fakes import MemoryLog
from tests.unit.core.features.world import FIRST_DAY, MemoryTables, at, days


def seen(world: BaselineWorld) -> CorrelationInputs:
    found = world.correlation_engine.seen[-1]
    assert isinstance(found, CorrelationInputs)
    return found


def dates(world: BaselineWorld) -> dict[str, int]:
    """Window -> the day whose baselines it is compared with."""
    return {label.name: one.date - FIRST_DAY for label, one in seen(world).dates.items()}


def baselines(world: BaselineWorld) -> list[str]:
    return [run.facts.mini_batch_id for run in seen(world).baselines.pinned]


def test_a_window_is_compared_with_the_baselines_of_the_date_on_which_it_begins() -> None:
    world = BaselineWorld()
    world.pass_days(6)

    world.correlate(days(5) + 2 * PART)

    assert dates(world) == {"w_6h": 5, "w_24h": 4}
    assert baselines(world) == [f"baseline-{date(4)}", f"baseline-{date(5)}"]
    (windows,) = seen(world).windows.pinned
    assert windows.facts.mini_batch_id == "2025-03-06T120000Z"


def test_in_a_backfill_too_whatever_is_published_by_then() -> None:
    world = BaselineWorld()
    world.pass_days(6)
    online = world.correlate(days(5) + 2 * PART).manifest
    for day in range(6, 9):
        world.pass_day(day)

    later = world.correlate(days(5) + 2 * PART).manifest

    assert baselines(world) == [f"baseline-{date(4)}", f"baseline-{date(5)}"]
    assert run_digest(later) == run_digest(online)


def test_the_date_of_a_window_is_that_of_the_zone() -> None:
    zone = Calendar(zone="Etc/GMT-6")
    world = BaselineWorld()
    world.spec = evolve(world.spec, calendar=zone)
    world.windows_of_day(0)

    world.correlate(days(1), spec=evolve(world.fg_c, calendar=zone))

    # The last window of six hours begins at midnight, local time.
    assert dates(world) == {"w_6h": 1, "w_24h": 0}
    starts = {label.name: one.start for label, one in seen(world).dates.items()}
    assert starts == {"w_6h": at(days(1) - PART), "w_24h": at(-PART)}


def test_no_baselines_are_needed_where_no_window_can_be_in_one() -> None:
    world = BaselineWorld()
    world.pass_days(2)
    world.windows_of_day(2)

    world.correlate(days(2) + PART)

    assert dates(world) == {"w_6h": 2, "w_24h": 1}
    assert all(one.is_known for one in seen(world).dates.values())
    assert baselines(world) == [], "those that hold no summary are not read"


def test_baselines_that_are_missing_are_refused_by_their_date_unless_they_may_be() -> None:
    world = BaselineWorld()
    world.pass_days(2)
    for day in (2, 3):
        world.windows_of_day(day)
    anchor = days(3) + PART

    with pytest.raises(NotPublishedError) as error:
        world.correlate(anchor)
    made = world.correlate(anchor, allows_missing=True).manifest

    assert str(error.value) == (
        f"window w_6h that ends at 2025-03-04T06:00:00Z: there are no baselines of {date(3)}, on which it begins, in "
        f"memory:/features; build them (ndr features run --job fg-b --day {date(2)}), or leave them out by --partial"
    )
    assert read_of(made).without_baseline == ("w_6h",)
    known = {label.name: one.is_known for label, one in seen(world).dates.items()}
    assert known == {"w_6h": False, "w_24h": True}


def test_the_windows_that_were_built_are_compared_and_others_are_named() -> None:
    world = BaselineWorld()
    world.contribute("a", 0, days(1))
    world.build_windows(PART)

    read = read_of(world.correlate(PART).manifest)

    assert (read.built, read.left_out) == (("w_6h",), ("w_24h",))
    assert world.correlation_engine.plans[-1].labels == tuple(seen(world).dates)


@pytest.mark.parametrize("built", [(), ("w_24h",)])
def test_windows_that_are_not_built_are_refused(built: tuple[str, ...]) -> None:
    world = BaselineWorld()
    world.contribute("a", 0, days(2))
    if built:
        world.build_windows(days(1), names=built)
    only_short = evolve(world.fg_c.windows, labels={"w_6h": world.fg_c.windows.labels["w_6h"]})

    with pytest.raises(
        NotPublishedError, match=r"00:00:00Z: they are not built yet \(by job fg_a\)"
    ):
        world.correlate(days(1), spec=evolve(world.fg_c, windows=only_short))


@pytest.mark.parametrize(
    ("quarter", "problem"),
    [
        (PART + 1, "end: 2025-03-01T06:15:00Z is the end of no window; one ends every 360 min"),
        (-days(FIRST_DAY), "end: lies outside the times that windows can end, 1970-01-02 to"),
    ],
)
def test_a_time_at_which_no_window_ends_is_refused(quarter: int, problem: str) -> None:
    with pytest.raises(SpecError) as error:
        BaselineWorld().correlate(quarter)

    assert str(error.value).startswith(problem)


def test_other_settings_than_those_of_the_baselines_are_refused_by_the_key() -> None:
    world = BaselineWorld()
    world.pass_days(4)
    settings = evolve(world.fg_c.baselines, key_metrics=("sessions_cnt",))

    with pytest.raises(SpecError, match=r"^baselines\.key_metrics: is \['sessions_cnt'\] here"):
        world.correlate(days(3) + PART, spec=evolve(world.fg_c, baselines=settings))


def test_correlations_of_one_output_agree_in_the_bytes_that_count() -> None:
    world = BaselineWorld()
    world.pass_days(1)
    world.correlate(PART)

    with pytest.raises(SpecError, match=r"^exfil\.min_bytes: is 5 here, but 10000000 in what job"):
        world.correlate(PART, spec=evolve(world.fg_c, exfil=Exfil(5)))


def test_a_manifest_says_what_was_compared_with_what() -> None:
    world = BaselineWorld()
    world.pass_days(6)

    made = world.correlate(days(5) + PART).manifest

    assert [one.mini_batch_id for one in read_of(made).contributions] == [
        "2025-03-06T060000Z",
        f"baseline-{date(4)}",
        f"baseline-{date(5)}",
    ]
    assert made.tables == ("fg_c",)
    assert made.facts.bounds is not None
    assert made.facts.bounds.start == at(days(5) + PART)


def test_a_plan_has_the_settings_of_the_spec() -> None:
    world = BaselineWorld()
    world.pass_days(1)
    world.correlate(PART)

    (plan,) = world.correlation_engine.plans

    assert (plan.horizons, plan.min_bytes) == (("7d", "30d"), 10_000_000)
    assert plan.metrics == world.fg_c.baselines.chosen
    assert plan.key_metrics == world.fg_c.anomaly.judging


def test_what_was_replaced_meanwhile_is_read_again() -> None:
    world = BaselineWorld()
    world.pass_days(6)
    world.correlation_engine.failures = 1
    world.correlation_engine.meanwhile = lambda: world.make_baselines(5)

    world.correlate(days(5) + PART)

    first, second = world.correlation_engine.seen
    assert first.baselines.pinned != second.baselines.pinned


def test_the_log_says_what_is_compared_and_how_much_is_read() -> None:
    world = BaselineWorld()
    world.pass_days(6)
    log = MemoryLog([])

    world.correlate(days(5) + PART, log=log)
    compared = log.outcomes[Stage.LOOK]
    world.contribute("more", days(6), days(7))
    world.build_windows(days(6) + 2 * PART, names=("w_6h",))
    world.features.runs = [run for run in world.features.runs if run.facts.job_name != "fg_b"]
    world.correlate(days(6) + 2 * PART, log=log, allows_missing=True)

    assert compared == {
        "end": "2025-03-06T06:00:00Z",
        "windows": "w_6h w_24h",
        "baselines": f"{date(4)} {date(5)}",
    }
    assert log.outcomes[Stage.LOOK] == {
        "end": "2025-03-07T12:00:00Z",
        "windows": "w_6h",
        "baselines": "none yet",
        "without_baseline": "w_6h",
        "left_out": "w_24h",
    }
    assert world.correlation_runner(days(5) + PART, allows_missing=True).look(0).read_bytes == 10


def test_whether_there_are_windows_by_a_moment_is_told_by_the_day_before_it_where_it_has_some() -> (
    None
):
    asked = []

    class NotingTables(MemoryTables):
        def manifests(self, since: datetime | None, until: datetime | None):  # type: ignore[no-untyped-def]
            asked.append((since, until))
            return super().manifests(since, until)

    world = BaselineWorld()
    world.windows_of_day(0)
    tables = NotingTables("memory:/features", world.features.runs)

    assert has_windows_by(tables, "v1", "fg_a", at(PART))
    assert len(asked) == 1
    assert not has_windows_by(tables, "v1", "fg_a", at(PART) - 1)
    assert not has_windows_by(tables, "v2", "fg_a", at(PART))
    assert not has_windows_by(tables, "v1", "other", at(PART))
    assert not has_windows_by(tables, "v1", "fg_a", -1)


def test_of_an_output_that_was_pruned_nobody_knows_its_first_windows() -> None:
    tables = MemoryTables("memory:/features", pruned=Pruned({"v1": 0}))

    assert has_windows_by(tables, "v1", "fg_a", 0)
    assert not has_windows_by(tables, "v2", "fg_a", 0)
