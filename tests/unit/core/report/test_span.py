"""Time is divided into as many parts as a plot can show."""

from __future__ import annotations

import pytest

from ndr_core.report.span import (
    MOST_BINS,
    MOST_HOURS,
    Span,
    bin_width,
    labels_shown,
    seconds,
    span_of,
)
from ndr_core.times import DAY_US, HOUR_US, MINUTE_US
from tests.makers import us

QUARTER = 15 * MINUTE_US
START = us("2025-03-01T00:00:00Z")


@pytest.mark.parametrize(
    ("days", "minutes"),
    [(0, 15), (1, 15), (2, 15), (3, 30), (7, 60), (30, 360), (200, 1440), (400, 7 * 1440)],
)
def test_parts_of_time_are_the_shortest_of_which_there_are_few_enough(
    days: int, minutes: int
) -> None:
    width = bin_width(days * DAY_US, MOST_BINS)

    assert width == minutes * MINUTE_US
    assert -(-days * DAY_US // width) <= MOST_BINS


def test_parts_of_many_years_are_whole_weeks() -> None:
    length = 100 * 365 * DAY_US

    width = bin_width(length, MOST_BINS)

    assert width % (7 * DAY_US) == 0
    assert -(-length // width) <= MOST_BINS


def test_parts_begin_at_whole_multiples_of_their_length() -> None:
    span = Span(START + QUARTER, START + 5 * DAY_US)

    assert span.bin == HOUR_US
    assert span.bins()[:2] == (START, START + HOUR_US)
    assert span.bins()[-1] == START + 5 * DAY_US - HOUR_US


def test_the_last_hours_are_those_that_the_span_touches_at_most_a_week() -> None:
    short = Span(START + QUARTER, START + HOUR_US + QUARTER)
    long = Span(START, START + 30 * DAY_US)

    assert short.last_hours() == (START, START + HOUR_US)
    assert len(long.last_hours()) == MOST_HOURS
    assert long.last_hours()[-1] == START + 30 * DAY_US - HOUR_US


def test_a_span_is_the_last_days_of_what_is_published() -> None:
    slices = range(START, START + 20 * DAY_US, QUARTER)

    assert span_of(slices, QUARTER, None, None) == Span(START + 13 * DAY_US, START + 20 * DAY_US)
    assert span_of([START], QUARTER, None, None) == Span(START, START + QUARTER)


def test_a_span_is_what_is_published_in_the_time_that_was_asked_for() -> None:
    slices = range(START, START + 20 * DAY_US, QUARTER)
    since, until = START + DAY_US, START + 15 * DAY_US

    assert span_of(slices, QUARTER, since, until) == Span(since, until)
    assert span_of(slices, QUARTER, None, until) == Span(until - 7 * DAY_US, until)
    assert span_of(slices, QUARTER, START + 20 * DAY_US, None) is None
    assert span_of([], QUARTER, None, None) is None


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        (["w_24h", "w_15m", "w_1h", "w_1h"], ("w_1h", "w_24h")),
        (["w_15m", "w_30m"], ("w_30m",)),
        ([], ()),
    ],
)
def test_windows_of_an_hour_and_longer_are_shown_else_the_longest(
    labels: list[str], shown: tuple[str, ...]
) -> None:
    assert labels_shown(labels) == shown


def test_listings_have_whole_seconds() -> None:
    assert seconds(START + 999_999) == START // 1_000_000
