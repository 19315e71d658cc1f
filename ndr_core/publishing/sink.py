"""The port of storages that publish: a run stages files, then publishes all of them or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from attrs import field, frozen

from ndr_core.flows.source import InputFile
from ndr_core.place import Place
from ndr_core.publishing.layout import (
    REPORT_NAME,
    Target,
    batch_path,
    quarantine_targets,
    replaced_folders,
    report_target,
    table_targets,
)
from ndr_core.publishing.manifest import Manifest, RunFacts
from ndr_core.tables.slices import SliceBounds
from ndr_core.tables.table import Table


@frozen
class Publication:
    """What a run publishes."""

    facts: RunFacts
    tables: tuple[Table, ...]
    """The tables that it replaces, in the slices that it holds."""
    rows: Mapping[str, int]
    """Staged file of a table, `<table>/<levels>/<name>` below the staging root -> its rows."""
    bounds: SliceBounds | None = None
    """The slice that it replaces even where it has no rows for it."""
    rejected: Mapping[str, int] = field(factory=dict)
    """Staged file of rejected records, below the staging root -> its records."""
    unreadable: tuple[InputFile, ...] = ()
    """Input files to keep in the quarantine."""

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that the run replaces, below the output's root."""
        return replaced_folders(self.tables, self.rows, self._batch, self.facts, self.bounds)

    @property
    def texts(self) -> dict[str, str]:
        """The small files that a sink stages itself: name below the staging root -> text."""
        report = self.facts.report
        return {} if report is None else {REPORT_NAME: json.dumps(report.to_plain(), indent=1)}

    def targets(self, unreadable: Iterable[str]) -> list[Target]:
        """Say where each staged file goes, the report included.

        `unreadable`: names of the unreadable input files that were staged, each as `unreadable_name`.
        """
        report = self.facts.report
        rejected = 0 if report is None else report.read - report.kept
        return [
            *table_targets(self.rows),
            *quarantine_targets(self._batch, self.rejected, rejected, unreadable),
            *([] if report is None else [report_target(self._batch)]),
        ]

    @property
    def _batch(self) -> str:
        return batch_path(self.facts.feature_spec_version, self.facts.mini_batch_id, self.bounds)


class Staging(Protocol):
    """A private place in which one run prepares its output, until it publishes it."""

    @property
    def root(self) -> str:
        """Address below which tables and quarantine are staged, each in a folder of its name."""
        ...

    def restart(self) -> None:
        """Drop what was staged, for a second try."""
        ...

    def publish(self, publication: Publication) -> Manifest:
        """Make what was staged visible, all of it or nothing, replacing the folders of the publication.

        Raises AfterPublicationError where the run is published, but what should follow could not be done.
        """
        ...

    def close(self) -> None:
        """Remove the place, with all that was not published."""
        ...


class Sink(Protocol):
    """Where outputs are published."""

    @property
    def place(self) -> Place:
        """The place itself."""
        ...

    def open_staging(
        self, run_id: str, tables: Iterable[Table], notice: Callable[[str], None]
    ) -> Staging:
        """Open a fresh staging place for a run that publishes these tables.

        Raises UsageError where nothing can be written. `notice` takes what a user should know of the output
        though the run goes on.
        """
        ...
