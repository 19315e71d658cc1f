"""The manifests in an output's folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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
    root = output / MANIFESTS
    found = []
    for path in sorted(_children(root)):
        if path.is_dir():
            found += _entries_in(path, sorted(_children(path)), notice)
        elif is_former_name(path.name):
            raise former_output(output)
        elif notice is not None:
            notice(f"{path}: is no name of a run's manifest; it is passed over")
    return found


def list_owner(output: Path, version: str, hashed: str) -> list[Entry]:
    """List the manifests of one owner, unread. Raises as `list_entries`."""
    first = next(_children(output / MANIFESTS), None)
    if first is not None and is_former_name(first.name):
        raise former_output(output)
    folder, _, prefix = owner_prefix(version, hashed).partition("/")
    return _entries_in(
        output / MANIFESTS / folder, sorted((output / MANIFESTS / folder).glob(f"{prefix}*")), None
    )


def read_manifests(
    output: Path,
    choose: Callable[[list[Entry]], Iterable[Entry]] = lambda entries: entries,
    notice: Callable[[str], None] | None = None,
) -> list[Manifest]:
    """Read the chosen manifests of published runs, in the order of their names.

    Raises as `list_entries`, and NdrError for a manifest that can't be read or names wrong places.
    """
    return read_entries(output, lambda: choose([*settled(lambda: list_entries(output, notice))]))


def read_entries(output: Path, listed: Callable[[], Iterable[Entry]]) -> list[Manifest]:
    """Read manifests; list them again where one went away: a later one has replaced it. Raises NdrError."""
    for _ in range(_ATTEMPTS):
        try:
            return [_read_manifest(output, entry) for entry in listed()]
        except FileNotFoundError:
            continue
    raise NdrError(f"{output}: runs are published faster than they can be read; try again")


def _children(folder: Path) -> Iterator[Path]:
    return folder.iterdir() if folder.is_dir() else iter(())


def _entries_in(
    folder: Path, paths: Iterable[Path], notice: Callable[[str], None] | None
) -> list[Entry]:
    found = []
    for path in paths:
        entry = parse_entry(f"{folder.name}/{path.name}")
        if entry is not None:
            found.append(entry)
        elif notice is not None:
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
        raise NdrError(
            f"{path}: {error}; restore it, or remove it and run its mini-batch again"
        ) from error
    return manifest
