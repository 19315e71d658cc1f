"""The moments at which windows end."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from ndr_core.times import MINUTE_US
from ndr_core.windows.labels import WindowLabel, due


def anchors(labels: Sequence[WindowLabel], first: int, last: int) -> list[int]:
    """Give the moments of [first, last], us, at which a window of some labels ends, in the order of time."""
    step = gcd(*(label.every for label in labels)) * MINUTE_US
    return [
        moment for moment in range(-(-first // step) * step, last + 1, step) if due(labels, moment)
    ]
