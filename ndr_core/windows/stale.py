"""Which windows would be others if they were built now, and which were left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from attrs import frozen

from ndr_core.features.coverage import first_slice_before, look_at_deltas
from ndr_core.features.days import read_of
from ndr_core.features.stale import (
    StaleRun,
    changed_contributions,
    changed_days,
    few,
    runs_of_job,
)
from ndr_core.history.masks import DAYS
from ndr_core.history.stale import HistoryNow, history_now
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.published import FollowedOutput
from ndr_core.publishing.read_facts import ReadFacts
from ndr_core.tables.slices import slice_place
from ndr_core.times import DAY_US, TIME_LIMIT_US, day_of
from ndr_core.windows.job import anchor_name, deltas_version
from ndr_core.windows.labels import WindowLabel, due, parse_minutes
from ndr_core.windows.needs import Published, first_read, window_needs
from ndr_core.windows.schedule import anchors
from ndr_core.windows.spec import FgASpec

_BEFORE: Final = (DAYS + 3) * DAY_US
"""The windows of a moment depend on nothing that lies longer before it."""


@frozen
class Stale:
    """Runs that are to be done again, or for the first time, in this order: the history, then the windows."""

    days: tuple[StaleRun, ...]
    windows: tuple[StaleRun, ...]


def find_stale(
    spec: FgASpec,
    deltas: FollowedOutput,
    features: FollowedOutput,
    since: int | None = None,
    until: int | None = None,
) -> Stale:
    """Compare the windows of a job, and the history that they read, with what is published now.

    `since`, `until`: us; windows that end before or after are not looked at. Compaction and prune change nothing.
    Raises as `PublishedTables.manifests`.
    """
    version = spec.feature_spec_version
    windows = {
        end: run
        for end, run in runs_of_job(features, version, spec.job_name, since).items()
        if (since is None or end >= since) and (until is None or end <= until)
    }
    start = None if since is None else max(since - _BEFORE, 0)
    of_history = runs_of_job(features, version, spec.inputs.history_job, start)
    state, history = _now(spec, deltas, of_history, start)
    days = [one for one in history.stale if since is None or one.start + DAY_US > since - _BEFORE]
    return Stale(tuple(days), tuple(_stale_windows(spec, windows, state, history)))


def _now(
    spec: FgASpec, deltas: FollowedOutput, runs: Mapping[int, Manifest], since: int | None
) -> tuple[Published, HistoryNow]:
    """What there is to make windows from, once the history is up to date."""
    version = deltas_version(spec)
    look = look_at_deltas(deltas, version, since or 0, TIME_LIMIT_US - DAY_US)
    by_day = {day_of(start): run for start, run in runs.items()}
    history = history_now(spec.inputs.history_job, look, by_day)
    first = None if since is None else first_slice_before(deltas, version, since)
    if look.pruned_before is not None:
        first = 0
    if first is None:
        first = min(look.published(), default=None)
    rows = {day: history.now.read(day - DAYS + 1, day + 1) for day in history.available}
    return Published(look, look.published(spec.windows.sources), rows, first), history


def _stale_windows(
    spec: FgASpec, runs: Mapping[int, Manifest], state: Published, history: HistoryNow
) -> Iterator[StaleRun]:
    if not runs:
        return
    labels = spec.windows.window_labels
    for anchor in sorted({*runs, *anchors(labels, min(runs), max(runs))}):
        run = runs.get(anchor)
        read = ReadFacts() if run is None else read_of(run)
        allows_missing = read.allows_missing
        reasons = []
        if run is not None and read.built:
            built = tuple(WindowLabel(parse_minutes(name), 1) for name in read.built)
            found, has_less = _changes(anchor, built, read, state, history)
            reasons += found
            allows_missing = allows_missing or has_less
        asked = due(labels, anchor)
        if run is not None:
            asked = tuple(label for label in asked if label.name in read.left_out)
        missed = [label.name for label in asked if _can_be_built(label, anchor, state)]
        if missed:
            reasons.append(f"not built, though all is published: {' '.join(missed)}")
        if reasons:
            labels_now = due(labels, anchor)
            needs = window_needs(anchor, labels_now, state, allows_missing=allows_missing)
            yield StaleRun(
                spec.job_name,
                anchor_name(anchor),
                anchor,
                few(reasons),
                allows_missing,
                needs.read,
            )


def _changes(
    anchor: int,
    labels: Sequence[WindowLabel],
    read: ReadFacts,
    state: Published,
    history: HistoryNow,
) -> tuple[list[str], bool]:
    """What would be others of windows that were built, and whether slices of them are not published any more."""
    if state.deltas.is_pruned(first_read(labels, anchor)):
        return [], False  # they can't be built any more, and prune changes nothing
    needs = window_needs(anchor, labels, state, allows_missing=True)
    now = needs.read
    known_by_now = [name for name in read.without_history if name not in now.without_history]
    found = [f"{name} was built without its history, which is there" for name in known_by_now]
    if not known_by_now:
        unknown = needs.unknown_history()
        starts = [label.start(anchor) for label in labels]
        known = [label for label in labels if label not in unknown]
        first = min([*starts, *([first_read(known, anchor)] if known else [])])
        found = changed_contributions(read, now, slice_place(first))
        if set(now.without_history) == set(read.without_history):
            found += changed_days(read, now, history.unknown)
    before, after = set(read.unpublished), set(now.unpublished)
    found += [f"{one} is published" for one in sorted(before - after)]
    found += [f"{one} is not published any more" for one in sorted(after - before)]
    return found, bool(after)


def _can_be_built(label: WindowLabel, anchor: int, state: Published) -> bool:
    if not state.is_complete(label, anchor) or state.deltas.is_pruned(first_read([label], anchor)):
        return False
    needs = window_needs(anchor, [label], state, allows_missing=False)
    return not needs.unknown_history()
