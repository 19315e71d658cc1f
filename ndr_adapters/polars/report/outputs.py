"""An output as a report looks at it: the runs of one feature_spec_version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from attrs import frozen

from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.pruned import Pruned
from ndr_core.publishing.published import FollowedOutput


@frozen
class OfVersion:
    """The part of an output that one feature_spec_version made."""

    output: FollowedOutput
    version: str

    @property
    def root(self) -> str:
        """Address of the output, without a slash at its end."""
        return self.output.root

    def manifests(self, since: datetime | None, until: datetime | None) -> Sequence[Manifest]:
        """Give the runs of the version, else as the output does."""
        found = self.output.manifests(since, until)
        return [one for one in found if one.facts.feature_spec_version == self.version]

    def sizes(self, paths: Iterable[str]) -> Mapping[str, int]:
        """Bytes of those of some files, named below the root, that are there."""
        return self.output.sizes(paths)

    def of_owners(self, version: str, owners: Iterable[str]) -> Sequence[Manifest]:
        """Give the runs of some owners, else as the output does."""
        return self.output.of_owners(version, owners)

    def pruned_up_to(self) -> Pruned:
        """Up to where the output was pruned."""
        return self.output.pruned_up_to()
