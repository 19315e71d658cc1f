"""Pruning an output's folder: whoever does it has the output alone, and it is finished by doing it again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.local.compacted import forget_day
from ndr_adapters.local.durable import delete_files, remove_empty, sync_folders
from ndr_adapters.local.leftovers import clear_dead_runs
from ndr_adapters.local.manifests import manifest_path, read_manifests
from ndr_adapters.local.pruned import read_pruned, write_pruned
from ndr_adapters.lock import LOCK, locked
from ndr_core.errors import UsageError
from ndr_core.publishing.entry import MANIFESTS, entry_of
from ndr_core.publishing.layout import FAILED
from ndr_core.publishing.pruning import Removed, check_moment, entries_to_prune, pruning_of
from ndr_core.times import SECOND_US


def prune_folder(
    output: Path, before: int, notice: Callable[[str], None], *, dry_run: bool = False
) -> Removed:
    """Remove the slices that end by a moment, us, and what belongs to them alone. Gives what is removed.

    Of runs that a threshold stopped goes what was kept before the moment, by the age of its files. Raises UsageError
    for a moment to come and for a folder that is no output, else as `FolderTables.manifests`.
    """
    check_moment(before)
    if not (output / MANIFESTS).is_dir():
        raise UsageError(f"output {output}: holds no published run")
    if dry_run:
        return _prune(output, before, dry_run=True)
    with full_disk_named(output), locked(output / LOCK, f"the lock of {output}", notice):
        clear_dead_runs(output, notice)
        return _prune(output, before, dry_run=False)


def _prune(output: Path, before: int, *, dry_run: bool) -> Removed:
    known = read_manifests(output, lambda entries: entries_to_prune(entries, before))
    former = read_pruned(output)
    pruning = pruning_of(known, former, before)
    sizes = {
        file.path: (output / file.path).stat().st_size
        for file in pruning.files
        if (output / file.path).is_file()
    }
    failed = _old_files(output / FAILED, before)
    removed = Removed.of(pruning, sizes, len({path.parent for path in failed}))
    if dry_run:
        return removed
    write_pruned(output, former, pruning.pruned)
    _delete(output, list(sizes))
    for (version, date), owners in pruning.hints.items():
        forget_day(output, version, date, owners)
    for group in pruning.manifests:
        paths = [manifest_path(output, entry_of(manifest)) for manifest in group]
        for path in paths:
            path.unlink(missing_ok=True)
        sync_folders({path.parent for path in paths if path.parent.is_dir()})
    _delete(output, [str(path.relative_to(output)) for path in failed])
    return removed


def _delete(output: Path, names: Iterable[str]) -> None:
    """Delete files, and the folders that this leaves empty, up to the output's."""
    paths = list(names)
    delete_files(output, paths)
    remove_empty(output, {(output / path).parent for path in paths})


def _old_files(folder: Path, before: int) -> list[Path]:
    """The files below a folder that were last changed before a moment, us."""
    found = []
    for top, _, names in os.walk(folder):
        for name in names:
            path = Path(top, name)
            if path.lstat().st_mtime * SECOND_US < before:
                found.append(path)
    return sorted(found)
