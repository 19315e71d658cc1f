"""An explanation tells with which baselines a window is compared, and whether the published row is still that."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from attrs import evolve, field, frozen

from ndr_core.correlations.explanation import (
    ComparedRows,
    ComparisonExplanation,
    explain_departures,
)
from ndr_core.correlations.job import FoundCorrelations
from ndr_core.correlations.reference import CorrelationRows
from ndr_core.correlations.settings import Exfil
from ndr_core.features.running import NotPublishedError
from ndr_core.publishing.nowhere import Nowhere
from ndr_core.publishing.published import FollowedOutput
from ndr_core.tables.merge import Row
from ndr_core.windows.labels import WindowLabel
from tests.correlation_cases import HOST_IP, window
from tests.unit.core.baselines.world import PART, BaselineWorld, date
from tests.unit.core.features.world import FIRST_DAY, days

LABEL = "w_6h"


@frozen
class FixedReader:
    """Gives a window of 6 hours without baselines, and stored rows."""

    stored: Sequence[Row] = field(factory=list)

    def read(
        self, found: FoundCorrelations, features: FollowedOutput, label: WindowLabel, host_ip: str
    ) -> ComparedRows:
        del features
        row = window(host_ip, label, sessions_cnt=100, time_band="wd_work")
        rows = CorrelationRows([row], [], [], found.needs.dates)
        return ComparedRows(rows, self.stored)


def explained(
    world: BaselineWorld,
    quarter: int,
    label: str = LABEL,
    stored: Sequence[Row] = (),
    **changes: Any,
) -> ComparisonExplanation:
    runner = evolve(world.correlation_runner(quarter, **changes), sink=Nowhere())
    return explain_departures(runner, FixedReader(stored), label, HOST_IP, 5)


@cache
def _six_days() -> BaselineWorld:
    world = BaselineWorld()
    world.pass_days(6)
    return world


def six_days() -> BaselineWorld:
    return deepcopy(_six_days())


ANCHOR = days(5) + 2 * PART


def test_a_window_is_explained_by_the_baselines_of_the_date_on_which_it_begins() -> None:
    found = explained(six_days(), ANCHOR)

    assert found.date.date == FIRST_DAY + 5
    assert found.baselines is not None
    assert found.baselines.facts.mini_batch_id == f"baseline-{date(5)}"
    assert found.windows.facts.mini_batch_id == "2025-03-06T120000Z"
    assert [(one.role, one.horizon) for one in found.comparisons] == [
        ("outbound", "7d"),
        ("outbound", "30d"),
    ]


def test_baselines_that_are_missing_are_told_and_refuse_nothing() -> None:
    world = BaselineWorld()
    world.pass_days(2)
    for day in (2, 3):
        world.windows_of_day(day)

    found = explained(world, days(3) + PART)

    assert not found.date.is_known
    assert found.baselines is None
    assert {one.row["is_partial"] for one in found.comparisons} == {1}


def test_a_comparison_that_was_not_published_is_what_a_run_would_give() -> None:
    found = explained(six_days(), ANCHOR)

    assert found.run is None
    assert (found.stale, found.stored, found.is_other_spec) == ((), (), False)


def test_a_published_row_is_compared_with_that_of_now() -> None:
    world = six_days()
    world.correlate(ANCHOR)
    now = dict(explained(world, ANCHOR).comparisons[0].row)

    same = explained(world, ANCHOR, stored=[now | {"published_at": 7}])
    other = explained(world, ANCHOR, stored=[now | {"scan_score": 0.25}])
    gone = explained(world, ANCHOR, stored=[now | {"role": "inbound"}])

    assert same.run is not None
    assert same.run.facts.run_id == f"correlations-{ANCHOR}"
    assert [(one.role, one.horizon, one.published_at, one.differs) for one in same.stored] == [
        ("outbound", "7d", 7, {})
    ]
    assert other.stored[0].differs == {"scan_score": (0.25, None)}
    assert gone.stored[0].differs["host_ip"] == (HOST_IP, None)


def test_what_a_run_has_read_and_was_published_again_makes_it_stale() -> None:
    world = six_days()
    world.correlate(ANCHOR)

    assert explained(world, ANCHOR).stale == ()
    world.contribute("late", days(1), days(1) + 1)
    world.build_windows(days(1) + PART)
    world.summarise(1)
    world.make_baselines(5)

    stale = explained(world, ANCHOR).stale
    assert stale == (f"run baseline-{date(5)} of job fg_b has changed",)


def test_another_jobspec_than_that_of_the_run_is_told() -> None:
    world = six_days()
    world.correlate(ANCHOR)

    found = explained(world, ANCHOR, spec=evolve(world.fg_c, exfil=Exfil(7)))

    assert found.is_other_spec


def test_a_window_that_was_not_built_is_refused() -> None:
    world = BaselineWorld()
    world.contribute("a", 0, days(1))
    world.build_windows(PART)

    with pytest.raises(
        NotPublishedError, match=r"window w_24h that ends at .*: it is not built yet"
    ):
        explained(world, PART, label="w_24h")
