"""Which day a run of the history is for."""

from __future__ import annotations

import pytest

from ndr_core.errors import SpecError
from ndr_core.features.days import day_of_date
from ndr_core.history.asked_day import asked_day

FIRST_OF_MARCH = day_of_date("2025-03-01")


def test_a_day_that_is_named_is_that_day() -> None:
    assert asked_day("2025-03-01", None) == FIRST_OF_MARCH == 20_148


@pytest.mark.parametrize(
    "moment",
    ["2025-03-02T00:00:00Z", "2025-03-02T02:00:00Z", "2025-03-02T23:59:59Z", "2025-03-03T01:00+02"],
)
def test_a_time_stands_for_the_last_day_that_ended_before_it(moment: str) -> None:
    assert asked_day(None, moment) == FIRST_OF_MARCH


@pytest.mark.parametrize(("day", "scheduled"), [(None, None), ("2025-03-01", "2025-03-02T02:00Z")])
def test_just_one_of_both_must_be_given(day: str | None, scheduled: str | None) -> None:
    with pytest.raises(SpecError, match="day: give either the day, or the time scheduled-ts"):
        asked_day(day, scheduled)


def test_what_is_no_day_and_no_time_is_refused() -> None:
    with pytest.raises(SpecError, match="day: '2025-02-30' is no day such as 2025-03-01"):
        asked_day("2025-02-30", None)
    with pytest.raises(SpecError, match="scheduled-ts: 'now' is no ISO-8601 time"):
        asked_day(None, "now")
