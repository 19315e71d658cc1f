"""Published outputs in folders, for readers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from attrs import frozen

from ndr_adapters.local.manifests import read_manifests
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.ownership import live_manifests
from ndr_core.publishing.published import entries_to_read


@frozen
class FolderTables:
    """The output in a folder; one without any run where there is no such folder."""

    output: Path

    @property
    def root(self) -> str:
        return str(self.output)

    def manifests(self, since: datetime | None, until: datetime | None) -> Sequence[Manifest]:
        found = read_manifests(self.output, lambda known: entries_to_read(known, since, until))
        return live_manifests(found)

    def sizes(self, paths: Iterable[str]) -> Mapping[str, int]:
        found = {}
        for name in paths:
            path = self.output / name
            if path.is_file():
                found[name] = path.stat().st_size
        return found
