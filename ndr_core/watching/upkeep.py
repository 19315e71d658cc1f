"""When days of an output are over, so that a watcher may compact them: by the time of records, not of a clock."""

from __future__ import annotations

from collections.abc import Iterable

from ndr_core.publishing.manifest import Manifest
from ndr_core.tables.slices import place_us
from ndr_core.times import DAY_US


def day_to_compact(front: int | None, lateness: int) -> int:
    """Give the midnight, us, up to which whole UTC days are over; 0 where none is.

    `front`: the end of the span of the last mini-batch; `lateness`: how much older records may be that still come.
    """
    return 0 if front is None else max(front - lateness, 0) // DAY_US * DAY_US


def has_days_before(manifests: Iterable[Manifest], before: int) -> bool:
    """Whether a mini-batch that is not compacted has all its slices before a moment, us."""
    return any(
        not manifest.day
        and bool(manifest.contributions)
        and all(place_us(one.slice) < before for one in manifest.contributions)
        for manifest in manifests
    )
