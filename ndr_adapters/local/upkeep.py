"""Looking after an output's folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from ndr_adapters.local.migrate import migrate_folder
from ndr_adapters.local.prune import prune_folder
from ndr_adapters.local.published import FolderTables
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.pruning import Removed


@frozen
class FolderUpkeep:
    """The output in a folder."""

    output: Path

    @property
    def tables(self) -> FolderTables:
        return FolderTables(self.output)

    def prune(
        self, before: int, notice: Callable[[str], None], *, dry_run: bool = False
    ) -> Removed:
        return prune_folder(self.output, before, notice, dry_run=dry_run)

    def migrate(
        self, columns_of: Callable[[str], Mapping[str, str]], notice: Callable[[str], None]
    ) -> Sequence[Manifest]:
        return migrate_folder(self.output, columns_of, notice)
