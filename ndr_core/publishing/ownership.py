"""Which published runs count, and so which files do.

A run publishes the contribution of its mini-batch to each slice that it has rows in. Contributions of different
mini-batches add. Of all runs of one owner (feature_spec_version, job, mini-batch) only the last one counts, whole: in
a slice in which it has no rows any more, nothing of its owner is left.

A compacted day takes over the contributions of many mini-batches to its slices: what it took counts in its files,
and no more in those of the mini-batch.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from ndr_core.publishing.manifest import Manifest, OutputFile

_Key = tuple[str, str, str, str]
"""Feature_spec_version, job, mini-batch, slice."""


@frozen
class Live:
    """The manifests that count, and what of them does."""

    manifests: tuple[Manifest, ...]
    """One for each owner, in the order of publication."""
    taken: frozenset[_Key]
    """Contributions that compacted days have taken over."""

    def files(self, manifest: Manifest) -> tuple[OutputFile, ...]:
        """Give the files of one of the manifests that readers may see."""
        if manifest.day or not self.taken:
            return manifest.files
        facts = manifest.facts
        owner = (facts.feature_spec_version, facts.job_name, facts.mini_batch_id)
        return tuple(
            file
            for file in manifest.files
            if file.slice is None or (*owner, file.slice) not in self.taken
        )


def live(manifests: Iterable[Manifest]) -> Live:
    """Tell which manifests count. `manifests`: those of all days that the runs among them may count in."""
    last: dict[str, Manifest] = {}
    for manifest in sorted(manifests, key=lambda manifest: manifest.order):
        last[manifest.owner] = manifest
    days = [manifest for manifest in last.values() if manifest.day]
    # Runs before one that a day holds whole were replaced by it, whatever is left of them.
    whole: dict[str, int] = {}
    for run in (run for day in days for run in day.runs):
        whole[run.facts.owner] = max(run.published_at, whole.get(run.facts.owner, 0))
    taken = {
        (day.facts.feature_spec_version, *contribution.key)
        for day in days
        for contribution in day.contributions
    }
    counting = (
        manifest
        for manifest in last.values()
        if manifest.published_at > whole.get(manifest.owner, -1)
    )
    return Live(
        tuple(sorted(counting, key=lambda manifest: manifest.order)),
        frozenset(taken),
    )


def last_live(manifests: Iterable[Manifest]) -> Manifest | None:
    """Give the manifest that was published last, None where there is none: of one owner, the one that counts."""
    return max(manifests, key=lambda manifest: manifest.order, default=None)


def live_manifests(manifests: Iterable[Manifest]) -> list[Manifest]:
    """Give the manifests that count, one for each owner, in the order of publication."""
    return list(live(manifests).manifests)


def live_files(manifests: Iterable[Manifest]) -> list[OutputFile]:
    """Give the files that readers may see, sorted by path."""
    found = live(manifests)
    files = (file for manifest in found.manifests for file in found.files(manifest))
    return sorted(files, key=lambda file: file.path)


def superseded(manifests: Iterable[Manifest]) -> tuple[list[OutputFile], list[Manifest]]:
    """Give the files that do not count any more, and the manifests that don't."""
    known = list(manifests)
    counting = {file.path for file in live_files(known)}
    orders = {manifest.order for manifest in live(known).manifests}
    spent = [manifest for manifest in known if manifest.order not in orders]
    stale = [file for manifest in known for file in manifest.files if file.path not in counting]
    return stale, spent
