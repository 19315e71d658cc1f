"""Which published runs count, and so which files do.

A run publishes the contribution of its mini-batch to each slice that it has rows in. Contributions of different
mini-batches add. Of all runs of one owner (feature_spec_version, job, mini-batch) only the last one counts, whole: in
a slice in which it has no rows any more, nothing of its owner is left.
"""

from __future__ import annotations

from collections.abc import Iterable

from ndr_core.publishing.manifest import Manifest, OutputFile


def live_manifests(manifests: Iterable[Manifest]) -> list[Manifest]:
    """Give the manifests that count, one for each owner, in the order of publication."""
    last: dict[str, Manifest] = {}
    for manifest in sorted(manifests, key=lambda manifest: manifest.order):
        last[manifest.owner] = manifest
    return sorted(last.values(), key=lambda manifest: manifest.order)


def last_live(manifests: Iterable[Manifest]) -> Manifest | None:
    """Give the manifest that was published last, None where there is none: of one owner, the one that counts."""
    return max(manifests, key=lambda manifest: manifest.order, default=None)


def live_files(manifests: Iterable[Manifest]) -> list[OutputFile]:
    """Give the files that readers may see, sorted by path."""
    live = (file for manifest in live_manifests(manifests) for file in manifest.files)
    return sorted(live, key=lambda file: file.path)


def superseded(manifests: Iterable[Manifest]) -> tuple[list[OutputFile], list[Manifest]]:
    """Give the files that do not count any more, and the manifests that don't."""
    known = list(manifests)
    live = live_manifests(known)
    counting = {file.path for manifest in live for file in manifest.files}
    orders = {manifest.order for manifest in live}
    spent = [manifest for manifest in known if manifest.order not in orders]
    stale = [file for manifest in spent for file in manifest.files if file.path not in counting]
    return stale, spent
