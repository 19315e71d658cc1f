"""An output as of one moment: what a run says that it read is what it reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from attrs import frozen

from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.published import PublishedTables


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

    def sizes(self, paths: Iterable[str]) -> Mapping[str, int]:
        """Bytes of those of some files, named below the root, that are there now."""
        return self.published.sizes(paths)
