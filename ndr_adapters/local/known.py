"""The live manifests of an output's folder, for one who looks at them again and again: each is read once."""

from __future__ import annotations

from pathlib import Path

from attrs import define, evolve, field

from ndr_adapters.local.manifests import read_manifests
from ndr_core.publishing.entry import Entry, entry_of
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.ownership import live_manifests


@define
class KnownManifests:
    """What of manifests tells who counts, without their files and reports: there may be tens of thousands."""

    output: Path
    _known: dict[Entry, Manifest] = field(factory=dict, init=False)

    def live(self) -> list[Manifest]:
        """Give the manifests that count now, without files, columns, meanings but that of slices, and reports.

        Raises as `read_manifests`.
        """
        listed: list[Entry] = []

        def unknown(entries: list[Entry]) -> list[Entry]:
            listed[:] = entries
            return [entry for entry in entries if entry not in self._known]

        for manifest in read_manifests(self.output, unknown):
            self.add(manifest)
        self._known = {entry: self._known[entry] for entry in listed}
        return live_manifests(self._known.values())

    def add(self, manifest: Manifest) -> None:
        """Take in a manifest that was published just now."""
        self._known[entry_of(manifest)] = _slim(manifest)


def _slim(manifest: Manifest) -> Manifest:
    facts = evolve(manifest.facts, report=None, read=None)
    runs = tuple(evolve(run, facts=evolve(run.facts, report=None)) for run in manifest.runs)
    return evolve(manifest, files=(), columns={}, facts=facts, runs=runs)
