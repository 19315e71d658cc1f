"""The port of what is done to an output as a whole, now and then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.pruning import Removed
from ndr_core.publishing.published import WholeOutput


class Upkeep(Protocol):
    """An output that is looked after. `notice` takes what a user should know though the work goes on."""

    @property
    def tables(self) -> WholeOutput:
        """The output for readers."""
        ...

    def prune(
        self, before: int, notice: Callable[[str], None], *, dry_run: bool = False
    ) -> Removed:
        """Remove the slices that end by a moment, us, and what belongs to them alone. Gives what is removed.

        Of runs that a threshold stopped goes what was kept before the moment, by the age of its files. Raises
        UsageError for a moment to come and for a place that is no output, else as `WholeOutput.manifests`.
        """
        ...

    def migrate(
        self, columns_of: Callable[[str], Mapping[str, str]], notice: Callable[[str], None]
    ) -> Sequence[Manifest]:
        """Take over an output of the version before; gives its manifests. `columns_of`: as for `migrated`.

        Raises UsageError where nothing is to be taken over, NdrError for a manifest that can't be read.
        """
        ...
