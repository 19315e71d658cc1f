"""Taking over an output's folder from the version in which a run owned whole slices.

New manifests are written first; as long as one former manifest is in its place, nobody reads the output. Then the
former ones are moved away, to `_former_manifests`. One that dies is done again from its begin, with the same outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.local.durable import make_folder, move, sync_folders, write_file
from ndr_adapters.local.manifests import manifest_path
from ndr_adapters.lock import LOCK, locked
from ndr_core.errors import NdrError, UsageError
from ndr_core.publishing.entry import MANIFESTS, entry_of, is_former_name
from ndr_core.publishing.former import FormerManifest, migrated, read_former
from ndr_core.publishing.manifest import Manifest, ManifestError, plain_of

FORMER: Final = "_former_manifests"


def migrate_folder(
    output: Path,
    columns_of: Callable[[str], Mapping[str, str]],
    notice: Callable[[str], None],
) -> list[Manifest]:
    """Take an output over; gives its manifests. `columns_of`: as for `migrated`.

    Raises UsageError where nothing is to be taken over, NdrError for a manifest that can't be read.
    """
    if not output.is_dir():
        raise UsageError(f"output {output}: no such folder")
    with full_disk_named(output), locked(output / LOCK, f"the lock of {output}", notice):
        left = _former_in(output / MANIFESTS)
        if not left:
            raise UsageError(f"output {output}: holds nothing of the version before")
        former = [_read(path) for path in (*_former_in(output / FORMER), *left)]
        made = migrated(former, columns_of)
        changed = set()
        for manifest in made:
            path = manifest_path(output, entry_of(manifest))
            changed |= {*make_folder(path.parent), path.parent}
            write_file(path, manifest.to_json())
        changed |= {*make_folder(output / FORMER), output / FORMER, output / MANIFESTS}
        sync_folders(changed)
        for path in left:
            move(path, output / FORMER / path.name, output)
        sync_folders([output / FORMER, output / MANIFESTS])
    return made


def _former_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.json") if is_former_name(path.name))


def _read(path: Path) -> FormerManifest:
    try:
        return read_former(plain_of(path.read_bytes()))
    except OSError as error:
        raise NdrError(f"{path}: can't be read: {error.strerror}") from error
    except ManifestError as error:
        raise error.at(path) from error
