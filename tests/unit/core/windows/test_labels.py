"""The lengths of windows, and when they end."""

from __future__ import annotations

import re

import pytest

from ndr_core.windows.labels import DEFAULT_LABELS, WindowLabel, due, parse_minutes
from tests.makers import us


def test_windows_of_a_quarter_to_an_hour_end_every_quarter_and_longer_ones_every_hour() -> None:
    assert [(label.name, label.minutes, label.every) for label in DEFAULT_LABELS] == [
        ("w_15m", 15, 15),
        ("w_30m", 30, 15),
        ("w_1h", 60, 15),
        ("w_8h", 480, 60),
        ("w_24h", 1440, 60),
    ]


@pytest.mark.parametrize(
    ("anchor", "names"),
    [
        ("2025-03-12T10:00:00Z", ["w_15m", "w_30m", "w_1h", "w_8h", "w_24h"]),
        ("2025-03-12T10:15:00Z", ["w_15m", "w_30m", "w_1h"]),
        ("2025-03-12T10:20:00Z", []),
    ],
)
def test_the_windows_of_an_anchor_are_those_that_end_there(anchor: str, names: list[str]) -> None:
    assert [label.name for label in due(reversed(DEFAULT_LABELS), us(anchor))] == names


def test_windows_end_on_a_grid_that_begins_at_midnight() -> None:
    label = WindowLabel(60, 360)

    assert label.is_due(us("2025-03-12T18:00:00Z"))
    assert not label.is_due(us("2025-03-12T17:00:00Z"))


def test_a_window_starts_its_length_before_its_end_and_has_as_many_slices_as_fit() -> None:
    label = WindowLabel(480, 60)

    assert label.start(us("2025-03-12T02:00:00Z")) == us("2025-03-11T18:00:00Z")
    assert label.slices(15) == 32
    assert not label.is_day
    assert WindowLabel(1440, 60).is_day


def test_windows_that_slices_can_not_make_are_named() -> None:
    label = WindowLabel(15, 10)

    assert list(map(str, label.problems(20))) == [
        "labels.w_15m: its windows of 15 min are no whole number of slices, which last 20 min "
        "(delta.slice_minutes of the deltas)",
        "labels.w_15m: a window every 10 min would end within a slice; slices last 20 min "
        "(delta.slice_minutes of the deltas)",
    ]
    assert label.problems(5) == []


@pytest.mark.parametrize(("name", "minutes"), [("w_5m", 5), ("w_90m", 90), ("w_24h", 1440)])
def test_the_name_of_a_window_is_its_length(name: str, minutes: int) -> None:
    assert parse_minutes(name) == minutes
    assert WindowLabel(minutes, 15).name == name


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("15m", "'15m' is no window such as w_15m or w_8h"),
        ("w_1d", "'w_1d' is no window such as w_15m or w_8h"),
        ("w_0m", "'w_0m' is no window such as w_15m or w_8h"),
        ("w_60m", "'w_60m' must be written w_1h"),
        ("w_25h", "'w_25h' is longer than a day, w_24h; shorter windows are possible"),
    ],
)
def test_other_names_are_refused(name: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
        parse_minutes(name)
