"""The days of a mask, worked out by hand."""

from __future__ import annotations

import pytest

from ndr_core.history.masks import (
    ALL_DAYS,
    active_days,
    age_days,
    day_bit,
    next_mask,
    shifted,
)


@pytest.mark.parametrize(("days_before", "mask"), [(0, 1), (3, 8), (29, 536_870_912), (30, 0)])
def test_a_day_has_a_bit_unless_it_is_more_than_29_days_ago(days_before: int, mask: int) -> None:
    assert day_bit(days_before) == mask


def test_all_days_are_30_ones() -> None:
    assert ALL_DAYS == 1_073_741_823
    assert active_days(ALL_DAYS) == 30


def test_days_drop_out_of_a_mask_as_they_get_too_old() -> None:
    assert shifted(0b101, 2) == 0b10100
    assert shifted(day_bit(29) | day_bit(1), 1) == day_bit(2)


def test_the_next_day_is_the_lowest_bit_where_it_is_active() -> None:
    assert next_mask(0b11, is_active=True) == 0b111
    assert next_mask(0b11, is_active=False) == 0b110
    assert next_mask(ALL_DAYS, is_active=False) == ALL_DAYS - 1


@pytest.mark.parametrize(
    ("mask", "active", "age"),
    [(0, 0, None), (1, 1, 0), (0b10100, 2, 4), (ALL_DAYS, 30, 29)],
)
def test_a_mask_tells_active_days_and_the_first(mask: int, active: int, age: int | None) -> None:
    assert active_days(mask) == active
    assert age_days(mask) == age
