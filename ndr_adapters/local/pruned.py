"""The markers of what was pruned of an output's folder: empty files, whose names tell it."""

from __future__ import annotations

from pathlib import Path

from ndr_adapters.local.durable import make_folder, sync_folders, write_file
from ndr_core.publishing.entry import settled
from ndr_core.publishing.pruned import PRUNED, Pruned, marker_name, pruned_of


def read_pruned(output: Path) -> Pruned:
    """Read up to where an output was pruned. Raises as `pruned_of`."""
    return pruned_of(settled(lambda: _names(output / PRUNED)))


def write_pruned(output: Path, former: Pruned, pruned: Pruned) -> None:
    """Move the markers forward; it lasts when this returns. The caller has the output alone."""
    for version, first in pruned.firsts.items():
        before = former.firsts.get(version)
        if first == before:
            continue
        path = output / PRUNED / marker_name(version, first)
        changed = make_folder(path.parent)
        write_file(path, "")
        sync_folders({*changed, path.parent})
        for left in path.parent.iterdir():
            if left.name < path.name:
                left.unlink()


def _names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.glob("*/*") if not path.is_dir())
