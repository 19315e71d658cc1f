"""Runs that are done again: each by itself, in order."""

from __future__ import annotations

import pytest

from ndr_core.features.renew import renew
from ndr_core.features.running import FeatureRunSummary, NotPublishedError, run_each
from ndr_core.features.stale import StaleRun
from tests.unit.core.features.world import World

RUNS = [StaleRun("fg_a", name, number, ()) for number, name in enumerate("abc")]


def made() -> FeatureRunSummary:
    world = World()
    world.contribute("a", 0)
    return world.build_windows(1)


def test_what_can_not_be_built_is_told_and_the_next_one_is_done() -> None:
    done = made()

    def do(run: StaleRun) -> FeatureRunSummary:
        if run.mini_batch_id == "b":
            raise NotPublishedError("slices went away")
        return done

    results = list(renew(RUNS, do))

    assert [one.run for one in results] == RUNS
    assert [one.problem for one in results] == [None, "slices went away", None]
    assert [one.summary for one in results] == [done, None, done]


def test_any_other_failure_ends_it() -> None:
    def do(run: StaleRun) -> FeatureRunSummary:
        raise OSError(run.mini_batch_id)

    with pytest.raises(OSError, match="a"):
        list(renew(RUNS, do))


def test_runs_are_done_one_after_the_other_and_what_is_missing_is_told() -> None:
    world = World()
    world.contribute("a", 0)
    runners = [world.window_runner(quarter) for quarter in (1, 2)]

    done, left_out = run_each(runners)

    assert [one.manifest.facts.mini_batch_id for one in done] == ["2025-03-01T001500Z"]
    assert len(left_out) == 1
    assert left_out[0].startswith("windows that end at 2025-03-01T00:30:00Z: slices are not")
