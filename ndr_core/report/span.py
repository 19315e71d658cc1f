"""The time that a report looks at, and into which parts it divides it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import frozen

from ndr_core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from ndr_core.windows.labels import parse_minutes

DEFAULT_DAYS: Final = 7
"""So many days before the last slice a report begins, where nothing else is said."""
MOST_BINS: Final = 200
"""Parts of time that a plot shows at most."""
MOST_HOURS: Final = 7 * 24
"""Hours that the heat map and the plots of a host show at most: the last ones."""

_WIDTHS: Final = tuple(
    width * MINUTE_US for width in (15, 30, 60, 120, 180, 360, 720, 24 * 60, 7 * 24 * 60)
)


@frozen
class Span:
    """Time from `start` up to `end`, us since 1970-01-01 UTC."""

    start: int
    end: int

    @property
    def bin(self) -> int:
        """Length of the parts that it is divided into, us: the shortest of which there are at most `MOST_BINS`."""
        return bin_width(self.end - self.start, MOST_BINS)

    def last_hours(self, most: int = MOST_HOURS) -> tuple[int, ...]:
        """Give the starts, us, of the last whole hours that it touches, at most so many, in order."""
        end = -(-self.end // HOUR_US) * HOUR_US
        first = max(self.start // HOUR_US * HOUR_US, end - most * HOUR_US)
        return tuple(range(first, end, HOUR_US))

    def bins(self) -> tuple[int, ...]:
        """Give the starts, us, of its parts, in order."""
        return tuple(range(self.start // self.bin * self.bin, self.end, self.bin))


def bin_width(length: int, most: int) -> int:
    """Give the shortest usual part of time, us, that divides a length, us, into at most so many parts.

    Parts are 15 minutes to a week long, beyond that whole weeks.
    """
    fitting = (width for width in _WIDTHS if -(-length // width) <= most)
    week = 7 * DAY_US
    return next(fitting, -(-length // (most * week)) * week)


def span_of(
    slices: Iterable[int], slice_length: int, since: int | None, until: int | None
) -> Span | None:
    """Give the time that a report looks at; None where no slice lies in it.

    `slices`: starts of those published, us; `slice_length`: us; `since`, `until`: what was asked for, us. Without
    `since` the last `DEFAULT_DAYS` days up to the end of the last slice are looked at.
    """
    known = [
        start
        for start in slices
        if (since is None or start >= since) and (until is None or start < until)
    ]
    if not known:
        return None
    end = max(known) + slice_length
    first = min(known)
    return Span(max(first, end - DEFAULT_DAYS * DAY_US) if since is None else first, end)


def labels_shown(labels: Iterable[str]) -> tuple[str, ...]:
    """Choose the windows that a report looks at, the shortest first: an hour and longer, else the longest there is."""
    known = sorted(set(labels), key=parse_minutes)
    return tuple(one for one in known if parse_minutes(one) >= 60) or tuple(known[-1:])


def seconds(us: int) -> int:
    """Give a moment in whole seconds since 1970, as listings have it."""
    return us // SECOND_US
