"""Which windows a mini-batch has made due: they hold a slice of its span, are complete, and are not built yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from ndr_core.features.coverage import SLICE_MINUTES_KEY
from ndr_core.publishing.manifest import mini_batch_owner
from ndr_core.publishing.published import FollowedOutput
from ndr_core.tables.slices import SLICE_MINUTES, SliceBounds, place_us
from ndr_core.times import MINUTE_US
from ndr_core.windows.labels import WindowLabel


def span_of_mini_batch(
    deltas: FollowedOutput, version: str, job_name: str, mini_batch_id: str
) -> SliceBounds | None:
    """Give the span of slices that a mini-batch is for; None where it is not published, or has neither bounds nor rows.

    It is that of its bounds; without bounds, that of the slices in which it has rows. `version`: the
    feature_spec_version of its deltas. Raises as `FollowedOutput.of_owners`.
    """
    owner = mini_batch_owner(version, job_name, mini_batch_id)
    for run in deltas.of_owners(version, [owner]):
        if run.facts.bounds is not None:
            return run.facts.bounds
        starts = [place_us(one.slice) for one in run.contributions]
        if starts:
            minutes = run.facts.meaning.get(SLICE_MINUTES_KEY) or SLICE_MINUTES
            return SliceBounds(min(starts), max(starts) + int(minutes) * MINUTE_US)
    return None


def touched_anchors(labels: Iterable[WindowLabel], span: SliceBounds) -> tuple[int, ...]:
    """Give the ends, us, of the windows that hold a part of a span, in the order of time."""
    return tuple(sorted({anchor for label in labels for anchor in _touched(label, span)}))


def due_anchors(
    labels: Iterable[WindowLabel],
    span: SliceBounds,
    slices: Set[int],
    grid: int,
    built: Mapping[int, Set[str]],
) -> tuple[int, ...]:
    """Give the ends, us, of the windows that a span has made due, in the order of time.

    `slices`: starts of the published slices, us; `grid`: their length; `built`: end of windows -> names of the labels
    that are built already.
    """
    found = {
        anchor
        for label in labels
        for anchor in _touched(label, span)
        if label.name not in built.get(anchor, ())
        and all(start in slices for start in range(label.start(anchor), anchor, grid))
    }
    return tuple(sorted(found))


def _touched(label: WindowLabel, span: SliceBounds) -> range:
    """The ends of the windows of a label that hold a part of a span."""
    every = label.every * MINUTE_US
    first = (span.start // every + 1) * every
    return range(first, span.end + label.minutes * MINUTE_US, every)
