"""Which published run owns a folder, and so which files count.

A run replaces whole folders: the slices that it holds and the quarantine of its mini-batch. Manifests are
numbered in the order of publication; of all that name a folder the last one owns it, and the files of that
folder which it lists are live. Anything else in the folder is left over from a run that was replaced or died.
"""

from __future__ import annotations

from collections.abc import Iterable

from ndr_core.publishing.manifest import Manifest, OutputFile


def owners(manifests: Iterable[Manifest]) -> dict[str, Manifest]:
    """Give, for each folder, the manifest that owns it."""
    return {
        folder: manifest
        for manifest in sorted(manifests, key=lambda manifest: manifest.order)
        for folder in manifest.folders
    }


def live_files(manifests: Iterable[Manifest]) -> list[OutputFile]:
    """Give the files that readers may see, sorted by path."""
    known = list(manifests)
    owner = owners(known)
    live = (file for manifest in known for file in manifest.files if owner[file.folder] is manifest)
    return sorted(live, key=lambda file: file.path)


def superseded(manifests: Iterable[Manifest]) -> tuple[list[OutputFile], list[Manifest]]:
    """Give files that no longer count, and manifests that own nothing any more."""
    known = list(manifests)
    owner = owners(known)
    live = {file.path for file in live_files(known)}
    stale = [
        file
        for manifest in known
        for file in manifest.files
        if owner[file.folder] is not manifest and file.path not in live
    ]
    owning = {manifest.order for manifest in owner.values()}
    return stale, [manifest for manifest in known if manifest.order not in owning]
