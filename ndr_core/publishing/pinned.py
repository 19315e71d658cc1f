"""An output as of one moment: what a run says that it read is what it reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from attrs import frozen

from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.published import PublishedTables
from ndr_core.tables.slices import place_us


@frozen
class PinnedTables:
    """An output of which only some runs are looked at, whatever is published meanwhile.

    Their files may be replaced by a later run: then readers find them missing.
    """

    published: PublishedTables
    pinned: tuple[Manifest, ...]

    @property
    def root(self) -> str:
        """Address of the output, without a slash at its end."""
        return self.published.root

    def manifests(self, since: datetime | None, until: datetime | None) -> Sequence[Manifest]:
        """Give all of the runs: readers choose among their files by slice."""
        del since, until
        return self.pinned

    def bytes_of(self, tables: Iterable[str], since: int, until: int) -> int:
        """Count the bytes of the files of some tables, in slices or days that start in [since, until), us."""
        wanted = frozenset(tables)
        return sum(
            file.bytes
            for run in self.pinned
            for file in run.files
            if file.table in wanted
            and file.slice is not None
            and since <= place_us(file.slice) < until
        )

    def sizes(self, paths: Iterable[str]) -> Mapping[str, int]:
        """Bytes of those of some files, named below the root, that are there now."""
        return self.published.sizes(paths)
