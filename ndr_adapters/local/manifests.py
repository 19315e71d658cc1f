"""The manifests in an output's folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from ndr_core.errors import NdrError
from ndr_core.publishing.entry import (
    MANIFESTS,
    Entry,
    entry_of,
    former_output,
    is_former_name,
    owner_prefix,
    parse_entry,
    settled,
)
from ndr_core.publishing.manifest import Manifest, ManifestError

_ATTEMPTS: Final = 5


def manifest_path(output: Path, entry: Entry) -> Path:
    """Give the file of a published manifest."""
    return output / MANIFESTS / entry.name


def list_entries(output: Path, notice: Callable[[str], None] | None = None) -> list[Entry]:
    """List the manifests of published runs, unread; none for a folder that is no output.

    What has no name of a manifest is passed over, and named to `notice`. Raises UsageError for an output of a
    version in which runs owned whole slices.
    """
    return _entries(output, _names(output), notice)


def list_owner(output: Path, version: str, hashed: str) -> list[Entry]:
    """List the manifests of one owner, unread. Raises as `list_entries`."""
    root = output / MANIFESTS
    first = next(root.iterdir() if root.is_dir() else iter(()), None)
    if first is not None and is_former_name(first.name):
        raise former_output(output)
    beginning = owner_prefix(version, hashed)
    folder, _, prefix = beginning.partition("/")
    names = (name for name in _listed(root / folder) if name.startswith(prefix))
    return _entries(output, [f"{folder}/{name}" for name in sorted(names)], None)


def read_manifests(
    output: Path,
    choose: Callable[[list[Entry]], Iterable[Entry]] = lambda entries: entries,
    notice: Callable[[str], None] | None = None,
) -> list[Manifest]:
    """Read the chosen manifests of published runs, in the order of their names.

    Raises as `list_entries`, and NdrError for a manifest that can't be read or names wrong places.
    """

    def listed() -> Iterable[Entry]:
        return choose(_entries(output, settled(lambda: _names(output)), notice))

    return read_entries(output, listed)


def read_entries(output: Path, listed: Callable[[], Iterable[Entry]]) -> list[Manifest]:
    """Read manifests; list them again where one went away: a later one has replaced it. Raises NdrError."""
    for _ in range(_ATTEMPTS):
        try:
            return [_read_manifest(output, entry) for entry in listed()]
        except FileNotFoundError:
            continue
    raise NdrError(f"{output}: runs are published faster than they can be read; try again")


def _names(output: Path) -> list[str]:
    """List what lies in the folder of manifests, by its path below that, in the order of the paths.

    Names and no more: there may be tens of thousands. What lies beside the folders of versions has no slash.
    """
    root = output / MANIFESTS
    found = []
    for child in sorted(_listed(root)):
        if (root / child).is_dir():
            found += [f"{child}/{name}" for name in sorted(_listed(root / child))]
        else:
            found.append(child)
    return found


def _listed(folder: Path) -> list[str]:
    return os.listdir(folder) if folder.is_dir() else []


def _entries(
    output: Path, names: Iterable[str], notice: Callable[[str], None] | None
) -> list[Entry]:
    """Read names of manifests. `names`, `notice`: as `_names`, as `list_entries`."""
    found = []
    for name in names:
        entry = parse_entry(name)
        if entry is not None:
            found.append(entry)
        elif "/" not in name and is_former_name(name):
            raise former_output(output)
        elif notice is not None:
            path = output / MANIFESTS / name
            notice(f"{path}: is no name of a run's manifest; it is passed over")
    return found


def _read_manifest(output: Path, entry: Entry) -> Manifest:
    path = manifest_path(output, entry)
    try:
        manifest = Manifest.from_json(path.read_bytes())
        if entry_of(manifest) != entry:
            raise ManifestError("is another run's manifest than its name says")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise NdrError(f"{path}: can't be read: {error.strerror}") from error
    except ManifestError as error:
        raise error.at(path) from error
    return manifest
