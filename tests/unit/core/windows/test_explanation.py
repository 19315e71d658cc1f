"""An explanation tells what there is to read, what it gives, and whether the published row is still that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from attrs import evolve, field, frozen

from ndr_core.errors import SpecError
from ndr_core.features.running import NotPublishedError
from ndr_core.history.prevalence import Prevalence
from ndr_core.publishing.nowhere import Nowhere
from ndr_core.publishing.published import FollowedOutput
from ndr_core.tables.merge import Row
from ndr_core.windows.explanation import Explanation, HostRows, explain
from ndr_core.windows.job import FoundWindows
from ndr_core.windows.labels import WindowLabel
from ndr_core.windows.reference import WindowRows
from tests.makers import flow
from tests.unit.core.features.world import World, at, days
from tests.window_cases import delta_tables

HOST = "10.0.0.1"
RECORDS = [flow(event_start="2025-03-01T00:20:00Z", event_end="2025-03-01T00:20:01Z")]
NOBODY = Prevalence({}, 0)


@frozen
class FixedReader:
    """Gives the rows of some records, and stored rows."""

    records: Sequence[dict[str, Any]] = RECORDS
    stored: list[Row] = field(factory=list)

    def read(
        self, found: FoundWindows, features: FollowedOutput, label: WindowLabel, host_ip: str
    ) -> HostRows:
        del features
        tables = delta_tables(self.records)
        rows = WindowRows(
            [row for row in tables.deltas if row["host_ip"] == host_ip],
            [row for row in tables.pairs if row["host_ip"] == host_ip],
            found.needs.coverage[label],
            found.needs.history[label],
        )
        return HostRows(rows, NOBODY, self.stored)


def explained(
    world: World, quarter: int, label: str = "w_1h", host: str = HOST, **reader: Any
) -> Explanation:
    runner = evolve(world.window_runner(quarter, names=(label,)), sink=Nowhere())
    return explain(runner, FixedReader(**reader), host, 5)


def an_hour() -> World:
    world = World()
    world.contribute("hour", 0, 4)
    return world


def test_slices_are_told_with_the_mini_batches_that_contribute() -> None:
    world = World()
    world.contribute("first", 0, 2)
    world.contribute("second", 1, 3)

    found = explained(world, 4)

    assert [(one.start, one.is_published) for one in found.slices] == [
        (at(0), True),
        (at(1), True),
        (at(2), True),
        (at(3), False),
    ]
    batches = [[each.mini_batch_id for each in one.contributions] for one in found.slices]
    assert batches == [["first"], ["first", "second"], ["second"], []]
    assert [one.start for one in found.unpublished] == [at(3)]
    assert (found.start, found.end) == (at(0), at(4))


def test_the_row_of_a_window_that_was_not_built_is_what_a_run_would_give() -> None:
    found = explained(an_hour(), 4)

    assert found.run is None
    assert (found.stale, found.stored) == ((), ())
    (outbound,) = found.roles
    assert outbound.row["sessions_cnt"] == 1
    assert outbound.row["coverage_slices"] == 4


def test_a_host_that_did_nothing_in_the_window_has_no_row() -> None:
    assert explained(an_hour(), 4, records=[]).roles == ()


def test_a_published_row_is_compared_with_that_of_now() -> None:
    world = an_hour()
    world.build_windows(4, names=("w_1h",))
    now = dict(explained(world, 4).roles[0].row)

    same = explained(world, 4, stored=[now | {"published_at": 7}])
    other = explained(world, 4, stored=[now | {"sessions_cnt": 3, "published_at": 7}])

    assert same.run is not None
    assert same.run.facts.run_id == "windows-4"
    assert [(one.role, one.published_at, one.differs) for one in same.stored] == [
        ("outbound", 7, {})
    ]
    assert other.stored[0].differs == {"sessions_cnt": (3, 1)}


def test_a_published_row_without_any_session_now_differs_in_all_columns() -> None:
    world = an_hour()
    world.build_windows(4, names=("w_1h",))
    now = dict(explained(world, 4).roles[0].row)

    (stored,) = explained(world, 4, records=[], stored=[now]).stored

    assert stored.differs["sessions_cnt"] == (1, None)


def test_a_window_is_stale_once_a_late_mini_batch_came() -> None:
    world = an_hour()
    world.build_windows(4, names=("w_1h",))
    assert explained(world, 4).stale == ()
    world.contribute("late", 2)

    found = explained(world, 4)

    assert len(found.stale) == 1
    assert "late" in found.stale[0]


def test_a_run_by_another_spec_is_told() -> None:
    world = an_hour()
    world.build_windows(4, names=("w_1h",))
    assert not explained(world, 4).is_other_spec

    sources = evolve(world.spec.windows, sources=("delta_builder",))
    changed = evolve(world, spec=evolve(world.spec, windows=sources))

    assert explained(changed, 4).is_other_spec


def test_the_run_of_the_history_that_is_read_is_told() -> None:
    world = World()
    world.contribute("days", 0, days(2))
    world.build_day(0)

    found = explained(world, days(1) + 4, records=[])

    assert found.history_run is not None
    assert found.history_run.mini_batch_id == "2025-03-01"
    assert found.history_run_at == world.features.runs[-1].published_at
    assert found.source.base == found.source.day - 1


def test_before_the_first_slice_there_is_no_run_of_the_history() -> None:
    found = explained(an_hour(), 4)

    assert (found.history_run, found.history_run_at) == (None, None)
    assert found.source.is_known


def test_a_host_whose_rows_are_not_built_is_refused() -> None:
    with pytest.raises(SpecError, match=r"^hosts: 192\.0\.2\.7 is not internal"):
        explained(an_hour(), 4, host="192.0.2.7")


def test_a_window_without_a_published_slice_is_refused() -> None:
    with pytest.raises(NotPublishedError, match="slices are not published yet"):
        explained(World(), 4)
