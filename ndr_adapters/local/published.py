"""Published outputs in folders, for readers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from attrs import frozen

from ndr_adapters.local.manifests import read_manifests
from ndr_adapters.local.pruned import read_pruned
from ndr_core.errors import NdrError
from ndr_core.publishing.layout import holds_published
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.ownership import live_manifests
from ndr_core.publishing.pruned import Pruned
from ndr_core.publishing.published import entries_of_owners, entries_to_read

_PIECE_BYTES: Final = 1 << 20


@frozen
class FolderTables:
    """The output in a folder; one without any run where there is no such folder."""

    output: Path

    @property
    def root(self) -> str:
        return str(self.output)

    def manifests(self, since: datetime | None, until: datetime | None) -> Sequence[Manifest]:
        counting, pruned = self._counting(since, until)
        return pruned.left(counting)

    def of_owners(self, version: str, owners: Iterable[str]) -> Sequence[Manifest]:
        wanted = tuple(owners)
        found = read_manifests(self.output, lambda known: entries_of_owners(known, version, wanted))
        return self.pruned_up_to().left(live_manifests(found))

    def pruned_up_to(self) -> Pruned:
        return read_pruned(self.output)

    def counting(self) -> tuple[Sequence[Manifest], Pruned]:
        return self._counting(None, None)

    def _counting(
        self, since: datetime | None, until: datetime | None
    ) -> tuple[list[Manifest], Pruned]:
        found = read_manifests(self.output, lambda known: entries_to_read(known, since, until))
        # The marker last: what goes is marked before.
        return live_manifests(found), read_pruned(self.output)

    def sizes(self, paths: Iterable[str]) -> Mapping[str, int]:
        found = {}
        for name in paths:
            path = self.output / name
            if path.is_file():
                found[name] = path.stat().st_size
        return found

    def listed(self) -> Iterator[str]:
        tops = self.output.iterdir() if self.output.is_dir() else ()
        for top in sorted(tops):
            if top.is_dir() and holds_published(top.name):
                for path in sorted(top.rglob("*")):
                    if not path.is_dir():
                        yield str(path.relative_to(self.output))

    def content(self, path: str) -> Iterator[bytes]:
        place = self.output / path
        try:
            with place.open("rb") as stream:
                while piece := stream.read(_PIECE_BYTES):
                    yield piece
        except OSError as error:
            raise NdrError(f"{place}: can't be read: {error.strerror}") from error
