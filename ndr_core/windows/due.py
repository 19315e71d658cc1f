"""Which windows a mini-batch has made due: they hold a slice of its span, are complete, and are not built yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from ndr_core.features.coverage import look_at_deltas
from ndr_core.features.days import read_of
from ndr_core.publishing.manifest import mini_batch_owner
from ndr_core.publishing.published import FollowedOutput
from ndr_core.tables.slices import SLICE_MINUTES, SLICE_MINUTES_KEY, SliceBounds, place_us
from ndr_core.times import MINUTE_US
from ndr_core.windows.job import anchor_name, deltas_version
from ndr_core.windows.labels import WindowLabel
from ndr_core.windows.spec import FgASpec


def due_after(
    spec: FgASpec, deltas: FollowedOutput, features: FollowedOutput, job_name: str, mini_batch: str
) -> tuple[int, ...]:
    """Give the ends, us, of the windows that a mini-batch of a delta job has made due, in the order of time.

    None where the mini-batch is not published, or no slice is published by it. Raises as `FollowedOutput.manifests`.
    """
    version = deltas_version(spec)
    span = span_of_mini_batch(deltas, version, job_name, mini_batch)
    labels = spec.windows.window_labels
    anchors = touched_anchors(labels, span) if span is not None else ()
    if span is None or not anchors:
        return ()
    first = min(label.start(anchors[0]) for label in labels)
    known = look_at_deltas(deltas, version, first, anchors[-1])
    return due_anchors(
        labels,
        span,
        known.published(spec.windows.sources),
        known.grid,
        built_labels(spec, features, anchors),
    )


def built_labels(
    spec: FgASpec, features: FollowedOutput, anchors: Iterable[int]
) -> Mapping[int, Set[str]]:
    """Give the end of windows, us -> names of the labels that are built already, of those that end at some moments.

    Raises as `FollowedOutput.of_owners`.
    """
    names = {anchor_name(anchor): anchor for anchor in anchors}
    version = spec.feature_spec_version
    owners = [mini_batch_owner(version, spec.job_name, name) for name in names]
    runs = features.of_owners(version, owners)
    return {names[run.facts.mini_batch_id]: frozenset(read_of(run).built) for run in runs}


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
