"""The windows that features are built for: how long each is, and how often one ends."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from attrs import frozen

from ndr_core.errors import Problem, shown
from ndr_core.times import MINUTE_US

DAY_MINUTES: Final = 24 * 60

LABEL_PATTERN: Final = "w_([1-9][0-9]{0,3})([mh])"
_LABEL: Final = re.compile(LABEL_PATTERN, re.ASCII)


@frozen(order=True)
class WindowLabel:
    """One length of windows. Windows end on a grid that begins at midnight UTC."""

    minutes: int
    """Length of a window."""
    every: int
    """Minutes from the end of one window to that of the next."""

    @property
    def name(self) -> str:
        """The text of its rows, such as w_15m or w_8h."""
        return label_name(self.minutes)

    @property
    def is_day(self) -> bool:
        """Whether its windows are a whole day long: only these have beacons, and time_band `all`."""
        return self.minutes == DAY_MINUTES

    def is_due(self, anchor: int) -> bool:
        """Whether one of its windows ends at a moment, us since 1970-01-01 UTC."""
        return anchor % (self.every * MINUTE_US) == 0

    def start(self, anchor: int) -> int:
        """Give the start of the window that ends at a moment; both us since 1970-01-01 UTC."""
        return anchor - self.minutes * MINUTE_US

    def slices(self, slice_minutes: int) -> int:
        """Give the number of slices of a window."""
        return self.minutes // slice_minutes

    def problems(self, slice_minutes: int) -> list[Problem]:
        """List why slices of so many minutes can't make its windows; the keys are those of a spec's `windows`."""
        key = f"labels.{self.name}"
        found = []
        if self.minutes % slice_minutes:
            found.append(
                Problem(
                    key,
                    f"its windows of {self.minutes} min are no whole number of slices, which last "
                    f"{slice_minutes} min (delta.slice_minutes of the deltas)",
                )
            )
        if self.every % slice_minutes:
            found.append(
                Problem(
                    key,
                    f"a window every {self.every} min would end within a slice; slices last "
                    f"{slice_minutes} min (delta.slice_minutes of the deltas)",
                )
            )
        return found


def label_name(minutes: int) -> str:
    """Name windows of so many minutes."""
    return f"w_{minutes // 60}h" if minutes % 60 == 0 else f"w_{minutes}m"


def parse_minutes(name: str) -> int:
    """Read the length of windows, in minutes, from their name. Raises ValueError for another text, saying why."""
    found = _LABEL.fullmatch(name)
    if found is None:
        raise ValueError(f"{shown(name)} is no window such as w_15m or w_8h")
    minutes = int(found[1]) * (60 if found[2] == "h" else 1)
    if minutes > DAY_MINUTES:
        raise ValueError(f"{shown(name)} is longer than a day, w_24h; shorter windows are possible")
    if label_name(minutes) != name:
        raise ValueError(f"{shown(name)} must be written {label_name(minutes)}")
    return minutes


DEFAULT_LABELS: Final = (
    WindowLabel(15, 15),
    WindowLabel(30, 15),
    WindowLabel(60, 15),
    WindowLabel(8 * 60, 60),
    WindowLabel(DAY_MINUTES, 60),
)
"""The windows of a spec that names none."""


def due(labels: Iterable[WindowLabel], anchor: int) -> tuple[WindowLabel, ...]:
    """Give the labels of which a window ends at a moment, us since 1970-01-01 UTC, the shortest first."""
    return tuple(sorted(label for label in labels if label.is_due(anchor)))
