"""What a watcher asks of the world outside: a landing folder, notes, an output, a builder, and who hears of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from ndr_core.publishing.manifest import Manifest
from ndr_core.watching.attempts import Attempt, Source
from ndr_core.watching.counted import Counted
from ndr_core.watching.decide import ToBuild
from ndr_core.watching.landed import LandedFile, Listing


class Landing(Protocol):
    """A folder in which logs land."""

    def listed(self) -> Listing:
        """Look at all files below it that hold records, by their names."""
        ...

    def source(self, file: LandedFile) -> Source:
        """Tell the content of a file. Raises UsageError where it can't be read."""
        ...

    def begins_with(self, file: Source, former: Source) -> bool:
        """Whether a file begins with the whole content that another one had. False where it can't be read."""
        ...


class Notes(Protocol):
    """Where attempts are noted; a note outlives a loss of power once `add` returns."""

    def attempts(self) -> Sequence[Attempt]:
        """Give all notes, in the order in which they were made."""
        ...

    def add(self, attempt: Attempt) -> None:
        """Note an attempt."""
        ...


class Builder(Protocol):
    """Builds mini-batches and publishes them."""

    def counted(self, attempts: Iterable[Attempt]) -> Counted:
        """Look at what the output counts now. Raises as `PublishedTables.manifests`."""
        ...

    def build(self, batch: ToBuild, run_id: str, front: int | None) -> Manifest:
        """Build and publish a mini-batch. `front`: the end of the span of the last one, us.

        Raises as `DeltaBuilderRunner.run`.
        """
        ...


class WatchLog(Protocol):
    """Hears what a watcher does."""

    def found(self, finished: int, growing: int) -> None:
        """Hear how many names in the landing folder have files that are not counted yet, finished or growing."""
        ...

    def built(self, batch: ToBuild, manifest: Manifest) -> None:
        """Hear of a mini-batch that was published."""
        ...

    def known(self, source: Source, mini_batch_id: str) -> None:
        """Hear of a file whose content counts already, under another name."""
        ...

    def failed(self, place: str, problem: str) -> None:
        """Hear of a name that can't be built now; it is tried again with the next look."""
        ...

    def passed(self, place: str) -> None:
        """Hear that all was done for a name that can be."""
        ...
