"""The manifests in an output's folder."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ndr_core.errors import NdrError
from ndr_core.publishing.manifest import Manifest, ManifestError

MANIFESTS: Final = "_manifests"
_NAME: Final = re.compile(r"[0-9]{12,}\.json")


def manifest_name(sequence: int) -> str:
    """Name of the file of a published manifest."""
    return f"{sequence:012}.json"


def read_manifests(output: Path, notice: Callable[[str], None] | None = None) -> list[Manifest]:
    """Manifests of the published runs, oldest first; none for a folder that is no output.

    What has no name of a manifest is passed over, and named to `notice`. Raises NdrError for a manifest that
    can't be read or names wrong places: it may own slices.
    """
    found = []
    for path in sorted((output / MANIFESTS).glob("*")):
        if _NAME.fullmatch(path.name):
            found.append(_read_manifest(path))
        elif notice is not None:
            notice(f"{path}: is no name of a run's manifest; it is passed over")
    return found


def _read_manifest(path: Path) -> Manifest:
    try:
        manifest = Manifest.from_json(path.read_bytes())
        if manifest_name(manifest.sequence) != path.name:
            raise ManifestError(f"says that its number is {manifest.sequence}")
    except OSError as error:
        raise NdrError(f"{path}: can't be read: {error.strerror}") from error
    except ManifestError as error:
        raise NdrError(
            f"{path}: {error}; restore it, or remove it and run its mini-batch again"
        ) from error
    return manifest
