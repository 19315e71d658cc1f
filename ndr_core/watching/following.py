"""Which features follow what a watcher has published: by the time of records, in the order of time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final

from attrs import frozen

from ndr_core.baselines.dates import date_start, local_date
from ndr_core.correlations.chain import Chain
from ndr_core.deltas.spec import JobSpec
from ndr_core.errors import SpecError
from ndr_core.tables.slices import SliceBounds
from ndr_core.times import DAY_US, day_of
from ndr_core.windows.calendar import Calendar
from ndr_core.windows.due import due_anchors, touched_anchors
from ndr_core.windows.job import deltas_version
from ndr_core.windows.labels import WindowLabel, due
from ndr_core.windows.spec_reader import parse_fg_a_spec

LOOK_BACK: Final = 2 * DAY_US
"""Beside the lateness: what is older than that, and still not built, the daily renewal finds."""


@frozen
class Ground:
    """What is published, as far as it says which features are due. Times are us."""

    since: int
    """Nothing that ends before is looked at."""
    front: int
    """The end of the span of the last mini-batch."""
    first: int
    """The start of the first slice that was ever published."""
    slices: Set[int]
    """Starts of the published slices from `since` on, and as long before as windows reach."""
    grid: int
    """The length of slices."""
    lateness: int
    """For how long late records are waited for."""

    @property
    def overdue(self) -> int:
        """Windows that end by then do not wait for missing slices any more."""
        return self.front - self.lateness

    @property
    def span(self) -> SliceBounds | None:
        """The span that is looked at; None where it is empty."""
        return SliceBounds(self.since, self.front) if self.since < self.front else None


def chain_after(deltas: JobSpec) -> Chain:
    """Give the feature jobs that a job of deltas implies."""
    names = {
        "kind": "fg_a",
        "project_name": deltas.project_name,
        "feature_spec_version": deltas.feature_spec_version,
    }
    return Chain.of(parse_fg_a_spec(names))


def refuse_other_deltas(chain: Chain, deltas: JobSpec) -> None:
    """Raise SpecError, naming the key, where feature jobs read the deltas of another project or version."""
    windows = chain.windows
    agreed = (
        ("project_name", windows.project_name, deltas.project_name),
        ("feature_spec_version", deltas_version(windows), deltas.feature_spec_version),
    )
    for key, wanted, found in agreed:
        if wanted != found:
            raise SpecError(
                f"{key}: is {found} for the deltas, but the JobSpec of the windows reads those of {wanted}; set both "
                "to the same value"
            )


def look_from(front: int, first: int, lateness: int, built: Iterable[int]) -> int:
    """Give the moment from which on features may be missing, us.

    `built`: ends of windows that are built, of those that end after `front` - `lateness` - LOOK_BACK. Where there are
    none, as with a new output of features or after a long pause, all since the first slice are looked at.
    """
    lately = front - lateness - LOOK_BACK
    return max(lately, first) if any(end > lately for end in built) else first


def anchors_until(labels: Sequence[WindowLabel], ground: Ground) -> tuple[int, ...]:
    """Give the ends, us, of the windows that hold a part of what is looked at and end by the front."""
    span = ground.span
    touched = () if span is None else touched_anchors(labels, span)
    return tuple(anchor for anchor in touched if anchor <= ground.front)


def windows_to_build(
    labels: Sequence[WindowLabel], ground: Ground, built: Mapping[int, Set[str]]
) -> dict[int, bool]:
    """Give the ends of the windows to build, us, in the order of time -> whether slices may be missing.

    A window is built once all its slices are published, or with those that are once its slices can't come any more.
    Of the latter it must hold at least one, and no time before the first slice ever. `built`: end of windows -> names
    of the labels that are built.
    """
    span = ground.span
    if span is None:
        return {}
    whole = set(due_anchors(labels, span, ground.slices, ground.grid, built))
    found = {}
    for anchor in anchors_until(labels, ground):
        missing = [one for one in due(labels, anchor) if one.name not in built.get(anchor, ())]
        is_overdue = anchor <= ground.overdue and any(
            _has_some(label, anchor, ground) for label in missing
        )
        if is_overdue or anchor in whole:
            found[anchor] = is_overdue
    return found


def _has_some(label: WindowLabel, anchor: int, ground: Ground) -> bool:
    """Whether some but not all slices of a window are published, and none of it lies before the first slice ever."""
    start = label.start(anchor)
    slices = range(start, anchor, ground.grid)
    there = sum(one in ground.slices for one in slices)
    return start >= ground.first and 0 < there < len(slices)


def history_days(ground: Ground) -> range:
    """Give the days, since 1970-01-01 UTC, that are over and of whose pair history windows are made."""
    first = max(day_of(ground.since) - 1, day_of(ground.first))
    return range(first, day_of(ground.front))


def dates_over(calendar: Calendar, ground: Ground) -> list[int]:
    """Give the local dates, in days since 1970-01-01, that are over and hold windows that are looked at."""
    dates = range(local_date(calendar, ground.since), local_date(calendar, ground.front) + 1)
    return [date for date in dates if date_start(calendar, date + 1) <= ground.front]


def turned_day(before: int | None, now: int | None) -> bool:
    """Whether the end of what is published has come to another UTC day."""
    return now is not None and (before is None or day_of(now) > day_of(before))
