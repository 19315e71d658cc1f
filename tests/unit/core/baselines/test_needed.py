"""Which summaries the next baselines still need."""

from __future__ import annotations

import pytest
from attrs import evolve

from ndr_core.baselines.needed import refuse_needed_summaries, summaries_needed_from
from ndr_core.errors import UsageError
from tests.unit.core.baselines.world import BaselineWorld
from tests.unit.core.features.world import at, days


def world_of(first: int, *, gap: int = 7) -> BaselineWorld:
    """Windows and a summary of one day, and the baselines of the next."""
    world = BaselineWorld()
    settings = evolve(world.fg_b.baselines, gap_days_30d=gap)
    world.fg_b = evolve(world.fg_b, baselines=settings)
    world.contribute("a", days(first), days(first + 1))
    world.build_windows(days(first) + 24, names=("w_6h",))
    world.daily(first)
    return world


def test_without_baselines_no_summary_is_needed() -> None:
    world = BaselineWorld()
    world.windows_of_day(0)

    assert summaries_needed_from([]) is None
    assert summaries_needed_from(world.features.runs) is None
    refuse_needed_summaries(world.features.runs, at(days(99)), "out/features")


def test_the_next_baselines_take_away_the_first_date_of_the_last_ones() -> None:
    runs = world_of(50).features.runs

    # The baselines of day 51 hold the 30 days from day 14 to day 43: those of day 52 hold them without day 14.
    assert summaries_needed_from(runs) == at(days(14))
    assert summaries_needed_from(run for run in runs if "baseline" not in run.columns) == at(
        days(14)
    )


def test_it_is_as_far_as_the_jobs_of_the_output_go_back() -> None:
    assert summaries_needed_from(world_of(50, gap=20).features.runs) == at(days(1))


def test_the_last_of_the_baselines_counts_and_a_run_without_a_span_does_not() -> None:
    world = world_of(50)
    world.make_baselines(40)
    runs = [
        run if run.facts.job_name == "fg_b" else evolve(run, facts=evolve(run.facts, bounds=None))
        for run in world.features.runs
    ]

    assert summaries_needed_from(runs) == at(days(14))


def test_a_prune_of_what_is_needed_is_refused() -> None:
    runs = world_of(50).features.runs

    refuse_needed_summaries(runs, at(days(14)), "out/features")
    with pytest.raises(UsageError) as refused:
        refuse_needed_summaries(runs, at(days(14)) + 1, "out/features")

    assert str(refused.value) == (
        "before: 2025-03-15T00:00:00.000001Z is too late; baselines in out/features may still be made of the summaries "
        "from 2025-03-15T00:00:00Z on. Give that time or an earlier one, or --force"
    )
