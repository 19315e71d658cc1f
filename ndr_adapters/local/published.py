"""Published outputs in folders, for readers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from attrs import frozen

from ndr_adapters.local.manifests import read_manifests
from ndr_core.publishing.manifest import Manifest


@frozen
class FolderTables:
    """The output in a folder; one without any run where there is no such folder."""

    output: Path

    @property
    def root(self) -> str:
        return str(self.output)

    def manifests(self, since: datetime | None, until: datetime | None) -> Sequence[Manifest]:
        del since, until  # reading all costs little here
        return read_manifests(self.output)

    def sizes(self, paths: Iterable[str]) -> Mapping[str, int]:
        found = {}
        for name in paths:
            path = self.output / name
            if path.is_file():
                found[name] = path.stat().st_size
        return found
