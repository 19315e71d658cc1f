"""Which baselines a daily run makes."""

from __future__ import annotations

from ndr_core.baselines.daily import dates_to_make
from ndr_core.baselines.runs import baselines_name
from ndr_core.baselines.spec import FgBSpec
from ndr_core.baselines.spec_reader import parse_fg_b_spec
from ndr_core.publishing.manifest import Manifest, RunFacts
from tests.unit.core.features.world import MemoryTables

DATE = 20_000


def spec(**gaps: int) -> FgBSpec:
    return parse_fg_b_spec({"kind": "fg_b", "project_name": "test", "baselines": gaps})


def with_baselines(*dates: int, job_name: str = "fg_b") -> MemoryTables:
    """Features in which a job has made the baselines of some dates."""
    runs = [
        Manifest(
            published_at=1,
            token=f"{date:012x}",
            facts=RunFacts(
                *("test", job_name, "v1", "00", baselines_name(date), "run", "memory", "test")
            ),
            columns={},
            contributions=(),
            files=(),
        )
        for date in dates
    ]
    return MemoryTables("memory:/features", runs)


def test_the_first_run_makes_those_of_the_next_two_dates() -> None:
    assert dates_to_make(spec(), DATE, with_baselines()) == (DATE + 1, DATE + 2)


def test_a_later_run_makes_those_of_one_date_as_the_run_before_made_the_others() -> None:
    assert dates_to_make(spec(), DATE, with_baselines(DATE + 1)) == (DATE + 2,)


def test_those_of_another_job_do_not_count() -> None:
    others = with_baselines(DATE + 1, job_name="other")

    assert dates_to_make(spec(), DATE, others) == (DATE + 1, DATE + 2)


def test_with_a_gap_of_a_day_the_date_itself_is_the_last_one_that_is_read() -> None:
    least = spec(gap_days_7d=1, gap_days_30d=1)

    made = dates_to_make(least, DATE, with_baselines())

    assert made == (DATE + 1, DATE + 2)
    assert {horizon.dates(made[-1])[-1] for horizon in least.baselines.horizons} == {DATE}


def test_without_a_gap_only_those_of_the_next_date_are_complete() -> None:
    assert dates_to_make(spec(gap_days_7d=0), DATE, with_baselines(DATE + 1)) == (DATE + 1,)
