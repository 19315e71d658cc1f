"""What runs have rejected: the files of their quarantines, by mini-batch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import frozen

from ndr_core.publishing.manifest import Manifest, OutputFile, RunFacts
from ndr_core.quality.quarantine import QUARANTINE
from ndr_core.tables.slices import SliceBounds

_RECORDS: Final = "rejected-"
"""What the names of files of rejected records begin with; the others are copies of unreadable input files."""


@frozen
class RejectedBatch:
    """The quarantine of one mini-batch."""

    facts: RunFacts
    files: tuple[OutputFile, ...]
    """Files of rejected records."""
    unreadable: tuple[OutputFile, ...]
    """Copies of input files that could not be read."""

    @property
    def name(self) -> str:
        return self.facts.mini_batch_id

    @property
    def bounds(self) -> SliceBounds | None:
        """The span that the mini-batch is for."""
        return self.facts.bounds

    @property
    def records(self) -> int:
        return sum(file.rows for file in self.files)


def rejected_batches(manifests: Iterable[Manifest]) -> list[RejectedBatch]:
    """Give the quarantines of mini-batches, with records or without, in the order of publication.

    `manifests`: those that count. A compacted day has the quarantines of the mini-batches that it holds whole.
    """
    found = []
    for manifest in manifests:
        runs = [run.facts for run in manifest.runs] if manifest.day else [manifest.facts]
        for facts in runs:
            files = [file for file in manifest.files if _is_of(file, facts)]
            records = tuple(file for file in files if _name(file).startswith(_RECORDS))
            others = tuple(file for file in files if file not in records)
            found.append(RejectedBatch(facts, records, others))
    return found


def _is_of(file: OutputFile, facts: RunFacts) -> bool:
    """Whether a file lies in the quarantine of a run's mini-batch."""
    levels = {
        "feature_spec_version": facts.feature_spec_version,
        "job_name": facts.job_name,
        "mini_batch_id": facts.mini_batch_id,
    }
    return file.table == QUARANTINE and file.partition == levels


def _name(file: OutputFile) -> str:
    return file.path.rpartition("/")[2]
