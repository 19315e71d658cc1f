"""Times of one format are read whatever their range; of a list, the first format that gives a time in range."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.flows.time_format import Format, TimeFormat, TimePattern
from ndr_core.flows.time_reader import format_reader, time_reader
from ndr_core.flows.time_zone import ZoneOffsets
from ndr_core.flows.values import BadValueError
from ndr_core.times import parse_bound

TEN = parse_bound("2025-03-01T10:00:00Z", "time")
EAST = ZoneOffsets((0, TEN // 1_000_000), (3600, None))


@pytest.mark.parametrize(
    ("time_format", "value", "us"),
    [
        (TimeFormat.ISO8601, "1969-12-31T23:59:59Z", -1_000_000),
        (TimeFormat.ISO8601, "2025-03-01T09:59:59", TEN - 3_601_000_000),
        (TimeFormat.ISO8601, "2025-03-01T10:00:00", None),
        (TimeFormat.ISO8601, "2025-03-01T10:00:00Z", TEN),
        (TimePattern("%Y-%m-%d"), "2025-03-01", TEN - 11 * 3_600_000_000),
        (TimeFormat.EPOCH_S, "x", None),
        (TimeFormat.EPOCH_S, True, None),
        (TimeFormat.EPOCH_S, 10**400, None),
        (TimeFormat.EPOCH_S, 1e308, None),
        (TimeFormat.DURATION_NS, -1499, -1),
        (TimeFormat.DURATION_NS, -1499.0, -1),
    ],
)
def test_what_one_format_reads(time_format: Format, value: Any, us: int | None) -> None:
    assert format_reader(time_format, EAST)(value) == us


def test_a_format_whose_time_can_not_be_leaves_the_value_to_the_next() -> None:
    read = time_reader((TimeFormat.EPOCH_S, TimeFormat.EPOCH_MS), None)

    assert read(1_740_823_200) == read(1_740_823_200_000) == TEN


@pytest.mark.parametrize("value", [-1, 1 << 62, "x", None, []])
def test_what_no_format_reads_is_a_bad_value(value: Any) -> None:
    with pytest.raises(BadValueError):
        time_reader((TimeFormat.EPOCH_US, TimeFormat.ISO8601), None)(value)
