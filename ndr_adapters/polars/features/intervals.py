"""The intervals of time of which the windows of an anchor, and the histories of these windows, are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from attrs import frozen

from ndr_core.windows.history_source import HistorySource
from ndr_core.windows.labels import WindowLabel


@frozen
class Interval:
    """Slices that start in [since, until), us: each window and each day of a history has all of them or none."""

    since: int
    until: int
    bit: int
    """What stands for it in sets of intervals: a power of two."""
    window: int | None
    """The place of the smallest window that holds it, 0 for the shortest; None where only histories do."""


@frozen
class Intervals:
    """All of them, the oldest first, without those that nothing is made of."""

    parts: tuple[Interval, ...]

    @classmethod
    def of(
        cls,
        anchor: int,
        labels: Sequence[WindowLabel],
        history: Mapping[WindowLabel, HistorySource],
    ) -> Intervals:
        """Cut the windows that end at a moment, and the slices of their histories. `labels`: the shortest first."""
        sources = [history[label] for label in labels if history[label].is_known]
        spans = [span for source in sources for span in source.slices]
        starts = [label.start(anchor) for label in labels]
        cuts = sorted({anchor, *starts, *(bound for span in spans for bound in span)})
        parts: list[Interval] = []
        for since, until in pairwise(cuts):
            holding = [place for place, start in enumerate(starts) if start <= since < anchor]
            if holding or any(start <= since < end for start, end in spans):
                window = min(holding, default=None)
                parts.append(Interval(since, until, 1 << len(parts), window))
        return cls(tuple(parts))

    def within(self, since: int, until: int) -> list[Interval]:
        """Give those that lie in [since, until), us."""
        return [one for one in self.parts if since <= one.since and one.until <= until]

    def bits(self, since: int, until: int) -> int:
        """Give the set of those that lie in [since, until), us."""
        return sum(one.bit for one in self.within(since, until))
