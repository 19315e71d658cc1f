"""Pruning: slices that are older than a moment are taken out of an output, for good.

A marker says so, one for each feature_spec_version: its name tells the start of the first slice that stays. From then
on nobody looks at older slices, whatever is left of them, so that their files may go one after the other. A later
marker only moves forward. Contributions to slices before it count as unchanged for whoever has read them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, field, frozen

from ndr_core.errors import NdrError, UsageError
from ndr_core.publishing.layout import batch_path
from ndr_core.publishing.manifest import CompactedRun, Manifest, OutputFile, RunFacts
from ndr_core.tables.slices import DAY_LEVELS, ends_before, place_of, slice_place
from ndr_core.times import DAY_US, iso_text, to_us

PRUNED: Final = "_pruned"
"""Folder of the markers of an output."""

_NAME: Final = re.compile(r"feature_spec_version=(?P<version>[^/]+)/(?P<first>\d{16})", re.ASCII)


@frozen
class Pruned:
    """Up to where the slices of an output were pruned."""

    firsts: Mapping[str, int] = field(factory=dict)
    """Feature_spec_version -> start of the first slice that stays, us."""

    def holds(self, version: str, place: str) -> bool:
        """Whether a slice, or a whole day, was pruned: what was contributed to it counts as unchanged."""
        first = self.firsts.get(version)
        return first is not None and ends_before(place, slice_place(first))

    def left(self, manifests: Iterable[Manifest]) -> list[Manifest]:
        """Give what is left of manifests that count: no pruned slice, and no run that had only such."""
        return [left for manifest in manifests if (left := self._left_of(manifest)) is not None]

    def of_file(self, path: str) -> bool:
        """Whether a file of a table, named below the output's root, lies in a pruned slice."""
        version, *folders = path.split("/")[1:-1] or [""]
        key, _, name = version.partition("=")
        place = place_of(folders)
        return key == DAY_LEVELS[0] and place != "" and self.holds(name, place)

    def _left_of(self, manifest: Manifest) -> Manifest | None:
        first = self.firsts.get(manifest.facts.feature_spec_version)
        if first is None:
            return manifest
        place = slice_place(first)
        contributions = tuple(
            one for one in manifest.contributions if not ends_before(one.slice, place)
        )
        if manifest.day:
            if _end_of_day(manifest.day) <= first:
                return None
        elif _is_gone(
            manifest,
            first,
            had_slices=bool(manifest.contributions),
            has_some_left=bool(contributions),
        ):
            return None
        if len(contributions) == len(manifest.contributions):
            return manifest
        runs, gone = _runs_left(manifest, first, place)
        return evolve(
            manifest,
            contributions=contributions,
            files=tuple(file for file in manifest.files if _stays(file, place, gone)),
            runs=runs,
        )


def marker_name(version: str, first: int) -> str:
    """Give the name of a marker below PRUNED: from the slice on that starts at `first`, us, all stay."""
    return f"feature_spec_version={version}/{first:016}"


def pruned_of(names: Iterable[str]) -> Pruned:
    """Read the names of markers; of several of a version the latest counts. Raises NdrError for any other name."""
    firsts: dict[str, int] = {}
    for name in names:
        found = _NAME.fullmatch(name)
        if found is None:
            raise NdrError(
                f"{PRUNED}/{name}: is no marker of `ndr prune` that this version knows; use the version that "
                "wrote it, or remove it"
            )
        version = found["version"]
        firsts[version] = max(int(found["first"]), firsts.get(version, 0))
    return Pruned(firsts)


def refuse_pruned(pruned: Pruned, facts: RunFacts) -> None:
    """Raise UsageError for a run whose bounds begin in what was pruned."""
    first = pruned.firsts.get(facts.feature_spec_version, 0)
    if facts.bounds is not None and facts.bounds.start < first:
        raise UsageError(
            f"slice-start: {iso_text(facts.bounds.start)} lies in what `ndr prune` has removed of "
            f"feature_spec_version {facts.feature_spec_version}, which is all before {iso_text(first)} (marker in "
            f"{PRUNED}); begin then, or choose another feature_spec_version"
        )


def _end_of_day(day: str) -> int:
    return to_us(datetime.fromisoformat(f"{day}T00:00:00Z") + timedelta(microseconds=DAY_US))


def _is_gone(
    run: Manifest | CompactedRun, first: int, *, had_slices: bool, has_some_left: bool
) -> bool:
    """Whether a run has only to do with pruned slices; one without slices and span, by its publication."""
    bounds = run.facts.bounds
    if has_some_left or (bounds is not None and bounds.end > first):
        return False
    return had_slices or bounds is not None or run.published_at < first


def _runs_left(
    day: Manifest, first: int, place: str
) -> tuple[tuple[CompactedRun, ...], frozenset[str]]:
    """Tell which runs of a compacted day are left, and the folders of what the others set aside."""
    last: dict[tuple[str, str], str] = {}
    for one in day.contributions:
        key = one.key[:2]
        last[key] = max(one.slice, last.get(key, ""))
    runs = []
    for run in day.runs:
        found = last.get((run.facts.job_name, run.facts.mini_batch_id), "")
        if not _is_gone(run, first, had_slices=bool(found), has_some_left=found >= place):
            runs.append(run)
    stay = {batch_path(run.facts) for run in runs}
    return tuple(runs), frozenset({batch_path(run.facts) for run in day.runs} - stay)


def _stays(file: OutputFile, place: str, gone: frozenset[str]) -> bool:
    if file.slice is None:
        return file.folder.partition("/")[2] not in gone
    return not ends_before(file.slice, place)
