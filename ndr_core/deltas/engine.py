"""The port of engines that build deltas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from attrs import field, frozen

from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.source import InputBatch, InputFile


class Engine(Protocol):
    """Turns lines into staged tables."""

    @property
    def name(self) -> str:
        """Name by which a user chooses the engine."""
        ...

    @property
    def reading_share(self) -> float:
        """The part of a build's time that goes by until all input is read, about."""
        ...

    def unfit_files(self, batch: InputBatch) -> Mapping[InputFile, str]:
        """The files of a batch that this engine can't read as the core does, and why."""
        ...

    def build(self, plan: DeltaPlan, batch: InputBatch, staging_root: str) -> EngineResult:
        """Write delta, pair table and quarantine below `staging_root`.

        A folder without rows has no file. Raises EngineReadError (or UnreadableFileError) when input can't be read,
        OverflowingColumnError when a sum leaves int64.
        An engine that reads files by other means than `batch.read_blocks` counts what it reads by `batch.meter`.
        """
        ...


@frozen
class EngineResult:
    """What an engine found on its one pass over the records."""

    rows: Mapping[str, int]
    """Staged file of a table, below the root -> its rows."""
    kept: int
    rejected: Mapping[str, int]
    """Records by the label of the rule that rejected them."""
    marked: Mapping[str, int]
    """Kept records by what is counted of them: the name of a mark (`DeltaPlan.marks`) -> records."""
    blank_lines: int
    rejected_files: Mapping[str, int]
    """Staged file of rejected records, below the root -> its records."""
    skipped: int = 0
    """Records that `input.only` leaves out."""
    examples: Mapping[str, str] = field(factory=dict)
    """The beginning of the least text of a record, by the label of the rule that rejected it."""
    unknown: Mapping[str, Mapping[str, int]] = field(factory=dict)
    """Kept records by field and value that no measure knows, at least the most frequent values."""


@frozen
class ChosenEngine:
    """An engine that was started for a mini-batch, and why it is this one."""

    engine: Engine
    reason: str


def asked_for(start: Callable[[], Engine]) -> Callable[[InputBatch], ChosenEngine]:
    """Start the same engine for each mini-batch."""
    return lambda _batch: ChosenEngine(start(), "it was asked for")
