"""Which windows are to be compared after a mini-batch: those that it touches, as FG-A has built them."""

from __future__ import annotations

from collections.abc import Iterable

from ndr_core.correlations.spec import FgCSpec
from ndr_core.features.days import read_of
from ndr_core.features.lineage import read_as, runs_named
from ndr_core.publishing.published import FollowedOutput
from ndr_core.tables.slices import slice_place
from ndr_core.windows.due import span_of_mini_batch, touched_anchors
from ndr_core.windows.job import anchor_name, deltas_version
from ndr_core.windows.spec import FgASpec


def due_after(
    spec: FgCSpec,
    of_windows: FgASpec,
    deltas: FollowedOutput,
    features: FollowedOutput,
    job_name: str,
    mini_batch: str,
) -> tuple[int, ...]:
    """Give the ends, us, of the windows that are to be compared after a mini-batch of a delta job, in order of time.

    They hold a part of its span, and the run of FG-A that built them was not read yet by one of `spec`. `of_windows`:
    the JobSpec of FG-A, which says which deltas it reads. Gives none where the mini-batch is not published. Raises as
    `FollowedOutput.of_owners`.
    """
    span = span_of_mini_batch(deltas, deltas_version(of_windows), job_name, mini_batch)
    if span is None:
        return ()
    return due_among(spec, of_windows, features, touched_anchors(spec.windows.window_labels, span))


def due_among(
    spec: FgCSpec, of_windows: FgASpec, features: FollowedOutput, anchors: Iterable[int]
) -> tuple[int, ...]:
    """Give those of some ends of windows, us, whose run of FG-A was not read yet by one of `spec`, in order of time.

    Raises as `FollowedOutput.of_owners`.
    """
    names = {label.name for label in spec.windows.window_labels}
    ends = {anchor_name(end): end for end in anchors}
    windows = runs_named(features, spec.feature_spec_version, of_windows.job_name, ends)
    known = runs_named(features, spec.feature_spec_version, spec.job_name, ends)
    read = {contribution for run in known.values() for contribution in read_of(run).contributions}
    due = (
        ends[name]
        for name, run in windows.items()
        if names.intersection(read_of(run).built)
        and read_as(run, slice_place(ends[name])) not in read
    )
    return tuple(sorted(due))
