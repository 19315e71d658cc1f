"""Times are integers; the calendar is only what people read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.errors import SpecError
from ndr_core.times import (
    EPOCH,
    LAST_DAY,
    MINUTE_US,
    SECOND_US,
    TIME_LIMIT_US,
    day_of,
    day_start,
    duration_text,
    iso_text,
    now_us,
    parse_bound,
    parse_duration,
    to_datetime,
    to_record_us,
    to_us,
)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, TIME_LIMIT_US))
def test_a_time_is_the_same_after_the_way_through_the_calendar(time: int) -> None:
    assert to_us(to_datetime(time)) == time
    assert parse_bound(iso_text(time), "time") == time


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (SECOND_US, "1970-01-01T00:00:01Z"),
        (MINUTE_US, "1970-01-01T00:01:00Z"),
        (500_000, "1970-01-01T00:00:00.500000Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (TIME_LIMIT_US, "2112-09-17T23:53:47.370496Z"),
    ],
)
def test_a_time_as_text(time: int, text: str) -> None:
    assert iso_text(time) == text


def test_a_day_begins_at_midnight_utc_and_holds_all_times_up_to_the_next() -> None:
    start = parse_bound("2025-03-01T00:00:00Z", "time")

    assert day_start(20_148) == start
    assert [day_of(start - 1), day_of(start), day_of(day_start(20_149) - 1)] == [
        20_147,
        20_148,
        20_148,
    ]


def test_the_last_day_is_that_of_the_limit() -> None:
    assert LAST_DAY == "2112-09-17"


def test_a_double_can_add_a_half_to_every_time() -> None:
    last = TIME_LIMIT_US - 1

    assert float(last) + 0.5 - last == 0.5
    assert float(2 * last) + 0.5 - 2 * last != 0.5


def test_a_moment_is_in_utc() -> None:
    assert to_datetime(0) == EPOCH == datetime(1970, 1, 1, tzinfo=UTC)
    assert to_datetime(1).tzinfo is UTC


@pytest.mark.parametrize(
    ("moment", "time"),
    [
        (EPOCH, 0),
        (to_datetime(7), 7),
        (to_datetime(-1), 0),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), 0),
        (to_datetime(TIME_LIMIT_US + 1), TIME_LIMIT_US),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))), TIME_LIMIT_US),
    ],
)
def test_a_moment_that_no_record_can_have_becomes_the_nearest_that_one_can(
    moment: datetime, time: int
) -> None:
    assert to_record_us(moment) == time


def test_now_is_between_before_and_after() -> None:
    before = to_us(datetime.now(UTC))

    assert before <= now_us() <= to_us(datetime.now(UTC)) + SECOND_US


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1970-01-01T00:15:00Z", 15 * MINUTE_US),
        ("1970-01-01T00:15:00", 15 * MINUTE_US),
        ("1970-01-01 01:15:00+01:00", 15 * MINUTE_US),
        ("1969-12-31T23:15:00-01:00", 15 * MINUTE_US),
        ("1970-01-02", 24 * 60 * MINUTE_US),
        ("1970-01-01T00:00:00.000001Z", 1),
    ],
)
def test_a_bound_is_in_utc_unless_it_names_an_offset(text: str, time: int) -> None:
    assert parse_bound(text, "slice-start") == time


@pytest.mark.parametrize("text", ["", "now", "2025-02-29T00:00:00Z", "2025-03-01T24:01:00Z"])
def test_a_bound_that_is_no_time_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(SpecError) as refused:
        parse_bound(text, "slice-start")

    assert str(refused.value) == (
        f"slice-start: {text!r} is no ISO-8601 time such as 2024-04-19T10:15:00Z"
    )


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("0s", 0),
        ("1s", SECOND_US),
        ("90s", 90 * SECOND_US),
        ("15m", 15 * MINUTE_US),
        ("015m", 15 * MINUTE_US),
        ("24h", 1440 * MINUTE_US),
        ("7d", 7 * 1440 * MINUTE_US),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, us: int) -> None:
    assert parse_duration(text) == us


@pytest.mark.parametrize(
    "text", ["", "15", "m", "-1m", "+1m", "1.5h", "1 h", " 1h", "1h\n", "1H", "1w", "1h30m", "٣h"]
)
def test_a_text_that_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(SpecError) as refused:
        parse_duration(text)

    assert str(refused.value) == (
        f"{text!r} is no duration such as 15m or 24h: a whole number, then s, m, h or d"
    )


def test_a_duration_is_at_most_the_time_that_records_can_have() -> None:
    longest = TIME_LIMIT_US // SECOND_US

    assert parse_duration(f"{longest}s") == longest * SECOND_US
    for text in (f"{longest + 1}s", "999999999999d"):
        with pytest.raises(SpecError, match="is longer than the time from 1970 to 2112-09-17"):
            parse_duration(text)


@pytest.mark.parametrize(
    ("text", "shortest"),
    [("0d", "0s"), ("60s", "1m"), ("61s", "61s"), ("90m", "90m"), ("24h", "1d"), ("25h", "25h")],
)
def test_a_duration_is_written_in_the_largest_unit_that_leaves_no_rest(
    text: str, shortest: str
) -> None:
    assert duration_text(parse_duration(text)) == shortest
    assert parse_duration(shortest) == parse_duration(text)
