"""From which tables the history of a window comes."""

from __future__ import annotations

import pytest

from ndr_core.times import day_of
from ndr_core.windows.history_source import HistorySource, history_source
from tests.makers import us

TEN = us("2025-03-12T10:00:00Z")
MIDNIGHT = us("2025-03-12T00:00:00Z")
DAY_BEFORE = us("2025-03-11T00:00:00Z")
DAY = day_of(TEN)
LONG_AGO = us("2025-01-01T00:00:00Z")
TODAY = (MIDNIGHT, TEN)
YESTERDAY = (DAY_BEFORE, MIDNIGHT)


def test_the_rows_of_the_day_before_and_the_slices_of_the_day_make_the_history() -> None:
    assert history_source(TEN, {DAY - 1, DAY - 2}, LONG_AGO) == HistorySource(
        DAY, DAY - 1, (TODAY,)
    )


def test_a_window_that_starts_at_midnight_needs_no_slices_of_its_day() -> None:
    assert history_source(MIDNIGHT, {DAY - 1}, LONG_AGO) == HistorySource(DAY, DAY - 1, ())


def test_the_rows_of_the_day_itself_are_never_taken() -> None:
    assert history_source(TEN, {DAY}, LONG_AGO).is_known is False


def test_slices_stand_for_the_day_before_where_its_rows_are_not_there_yet() -> None:
    assert history_source(TEN, {DAY - 2, DAY - 3}, LONG_AGO) == HistorySource(
        DAY, DAY - 2, (YESTERDAY, TODAY)
    )


def test_before_the_first_slice_the_history_is_empty() -> None:
    assert history_source(TEN, (), None) == HistorySource(DAY, None, (TODAY,))
    assert history_source(TEN, (), MIDNIGHT) == HistorySource(DAY, None, (TODAY,))
    assert history_source(MIDNIGHT, (), TEN) == HistorySource(DAY, None, ())


def test_slices_are_the_whole_history_where_the_first_one_was_on_the_day_before() -> None:
    first = us("2025-03-11T23:45:00Z")

    assert history_source(TEN, (), first) == HistorySource(DAY, None, (YESTERDAY, TODAY))


def test_a_history_of_which_two_days_are_missing_is_not_known() -> None:
    first = us("2025-03-10T23:45:00Z")

    assert history_source(TEN, {DAY - 3}, first) == HistorySource(DAY, None, (), is_known=False)


@pytest.mark.parametrize(
    ("base", "slices", "problem"),
    [
        (DAY, (), f"the history of day {DAY} is made of rows of earlier days"),
        (DAY - 1, ((DAY_BEFORE, TEN),), "is no part of one day"),
        (DAY - 1, ((TEN, TEN),), "is no part of one day"),
        (DAY - 1, ((TEN + (TEN - MIDNIGHT) * 3, TEN + (TEN - MIDNIGHT) * 3 + 1),), "up to day"),
    ],
)
def test_a_source_that_can_not_be_is_refused(
    base: int, slices: tuple[tuple[int, int], ...], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        HistorySource(DAY, base, slices)
