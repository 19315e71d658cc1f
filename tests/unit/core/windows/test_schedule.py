"""The moments at which windows end."""

from __future__ import annotations

from ndr_core.windows.labels import DEFAULT_LABELS, WindowLabel
from ndr_core.windows.schedule import anchors
from tests.unit.core.features.world import at, days


def test_a_day_has_96_ends_of_windows_and_two_have_192() -> None:
    assert anchors(DEFAULT_LABELS, at(0) + 1, at(days(1))) == [at(one) for one in range(1, 97)]
    assert len(anchors(DEFAULT_LABELS, at(0) + 1, at(days(2)))) == 192


def test_moments_at_which_no_window_ends_are_left_out() -> None:
    minute = at(1) // 15 - at(0) // 15
    labels = [WindowLabel(15, 10), WindowLabel(30, 15)]

    found = anchors(labels, at(0), at(2))

    assert [(one - at(0)) // minute for one in found] == [0, 10, 15, 20, 30]


def test_a_span_without_any_has_none() -> None:
    assert anchors(DEFAULT_LABELS, at(0) + 1, at(1) - 1) == []
    assert anchors(DEFAULT_LABELS, at(2), at(1)) == []
