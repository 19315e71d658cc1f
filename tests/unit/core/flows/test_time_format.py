"""Patterns of times become one regular expression of fixed widths, or are refused."""

from __future__ import annotations

import re

import pytest

from ndr_core.flows.time_format import ISO_PARTS, ISO_TIME, TimeFormat, TimePattern


def test_a_pattern_has_a_group_for_each_of_its_parts_in_their_order() -> None:
    pattern = TimePattern("[%d/%m/%Y:%H:%M:%S.%f %z]")

    found = re.fullmatch(pattern.expression, "[01/03/2025:10:20:30.123456789 +0100]")

    assert found is not None
    assert dict(zip(pattern.parts, found.groups(), strict=True)) == {
        "d": "01",
        "m": "03",
        "Y": "2025",
        "H": "10",
        "M": "20",
        "S": "30",
        "f": "123456789",
        "z": "+0100",
    }


def test_a_time_in_iso_8601_has_a_group_for_each_of_its_parts() -> None:
    found = re.fullmatch(ISO_TIME, "2025-03-01T10:20:30.5 UTC")

    assert found is not None
    assert dict(zip(ISO_PARTS, found.groups(), strict=True)) == {
        "Y": "2025",
        "m": "03",
        "d": "01",
        "H": "10",
        "M": "20",
        "S": "30",
        "f": "5",
        "z": " UTC",
    }


@pytest.mark.parametrize("value", ["a+b 2025-03-01", "a+b 2025-13-01", "aab 2025-03-01"])
def test_text_of_a_pattern_is_taken_as_it_is(value: str) -> None:
    found = re.fullmatch(TimePattern("a+b %Y-%m-%d").expression, value)

    assert (found is not None) is (value == "a+b 2025-03-01")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("%Y-%m-%d %H:%M:%S.%f%z", None),
        ("%b %d %Y", "%b is no part of a time, known: %Y, %m, %d, %H, %M, %S, %f, %z"),
        ("%Y%m%d%%", "%% is no part of a time, known: %Y, %m, %d, %H, %M, %S, %f, %z"),
        ("%Y%m%d%", "ends in a '%' without a letter, known: %Y, %m, %d, %H, %M, %S, %f, %z"),
        ("%Y%m%d%Y", "has %Y 2 times"),
        ("%Y", "has no %m and no %d: a time needs its day"),
        ("%Y%m%d%f%H", "has a directive right behind %f, which may have any number of digits"),
    ],
)
def test_what_is_wrong_with_a_pattern(text: str, problem: str | None) -> None:
    assert TimePattern(text).problem() == problem


def test_a_pattern_is_neither_a_number_nor_a_duration() -> None:
    pattern = TimePattern("%Y%m%d")

    assert (pattern.is_number, pattern.is_duration) == (False, False)
    assert [one.is_number for one in (TimeFormat.ISO8601, TimeFormat.EPOCH_NS)] == [False, True]
