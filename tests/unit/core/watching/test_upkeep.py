"""When days are over."""

from __future__ import annotations

from attrs import evolve

from ndr_core.times import DAY_US, HOUR_US
from ndr_core.watching.upkeep import day_to_compact, has_days_before
from tests.watched import manifest

DAY = 20_000 * DAY_US


def test_a_day_is_over_when_no_late_record_of_it_can_come() -> None:
    assert day_to_compact(DAY + HOUR_US, HOUR_US) == DAY
    assert day_to_compact(DAY + HOUR_US, 2 * HOUR_US) == DAY - DAY_US


def test_no_day_is_over_before_there_is_one() -> None:
    assert day_to_compact(None, HOUR_US) == 0
    assert day_to_compact(HOUR_US, DAY_US) == 0


def test_a_mini_batch_whose_slices_are_all_before_is_to_be_compacted() -> None:
    before = manifest("a", "1", slices=[DAY - HOUR_US])

    assert has_days_before([before], DAY)
    assert not has_days_before([manifest("b", "2", slices=[DAY - HOUR_US, DAY])], DAY)
    assert not has_days_before([manifest("c", "3"), evolve(before, day="2024-10-03")], DAY)
