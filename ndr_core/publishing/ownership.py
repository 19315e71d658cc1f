"""Which published runs count, and so which files.

What a run publishes is its mini-batch's contribution to each slice that it holds rows of. Contributions of
different mini-batches add. Of all manifests of one owner (feature_spec_version, job, mini-batch) the last one
counts, whole: also in slices of which it holds no rows any more.
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
    """Give the manifest of one owner that counts, None without any. `manifests`: all of that owner."""
    return max(manifests, key=lambda manifest: manifest.order, default=None)


def live_files(manifests: Iterable[Manifest]) -> list[OutputFile]:
    """Give the files that readers may see, sorted by path."""
    live = (file for manifest in live_manifests(manifests) for file in manifest.files)
    return sorted(live, key=lambda file: file.path)


def superseded(manifests: Iterable[Manifest]) -> tuple[list[OutputFile], list[Manifest]]:
    """Give files that no longer count, and manifests that count no more."""
    known = list(manifests)
    live = live_manifests(known)
    counting = {file.path for manifest in live for file in manifest.files}
    orders = {manifest.order for manifest in live}
    spent = [manifest for manifest in known if manifest.order not in orders]
    stale = [file for manifest in spent for file in manifest.files if file.path not in counting]
    return stale, spent
