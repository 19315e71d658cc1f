"""The port of storages that publish: a run stages files, then publishes all of them or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from attrs import field, frozen

from ndr_core.flows.source import InputFile
from ndr_core.place import Place
from ndr_core.publishing.compaction import Compaction
from ndr_core.publishing.layout import (
    REPORT_NAME,
    Target,
    batch_path,
    quarantine_targets,
    report_target,
    table_targets,
)
from ndr_core.publishing.manifest import (
    Manifest,
    OutputFile,
    Replaced,
    RunFacts,
    contributions_of,
)
from ndr_core.publishing.standing import Standing
from ndr_core.tables.table import Table


@frozen
class Publication:
    """What a run publishes."""

    facts: RunFacts
    tables: tuple[Table, ...]
    """The tables that it makes, with rows or without."""
    rows: Mapping[str, int]
    """Staged file of a table, `<table>/<levels>/<name>` below the staging root -> its rows."""
    rejected: Mapping[str, int] = field(factory=dict)
    """Staged file of rejected records, below the staging root -> its records."""
    unreadable: tuple[InputFile, ...] = ()
    """Input files to keep in the quarantine."""

    @property
    def texts(self) -> dict[str, str]:
        """The small files that a sink stages itself: name below the staging root -> text."""
        report = self.facts.report
        return {} if report is None else {REPORT_NAME: json.dumps(report.to_plain(), indent=1)}

    def targets(self, unreadable: Iterable[str]) -> list[Target]:
        """Say where each staged file goes, the report included. `unreadable`: as for `aside_targets`."""
        return [*table_targets(self.rows), *self.aside_targets(unreadable)]

    def aside_targets(self, unreadable: Iterable[str]) -> list[Target]:
        """Say where the files go that belong to no table: quarantine and report.

        `unreadable`: names of the unreadable input files that were staged, each as `unreadable_name`.
        """
        report = self.facts.report
        rejected = 0 if report is None else report.read - report.kept
        batch = batch_path(self.facts)
        return [
            *quarantine_targets(batch, self.rejected, rejected, unreadable),
            *([] if report is None else [report_target(batch)]),
        ]

    def manifest(
        self, moment: int, token: str, files: Iterable[OutputFile], former: Manifest | None
    ) -> Manifest:
        """Make the manifest of the run. `moment`: of publication, us; `former`: the run that it replaces.

        A clock that went back does not matter: the run counts as published after the former one.
        """
        placed = tuple(files)
        earliest = 0 if former is None else former.published_at + 1
        columns = {
            table.name: {column.name: column.type.value for column in table.columns}
            for table in self.tables
        }
        return Manifest(
            max(moment, earliest),
            token,
            self.facts,
            columns,
            contributions_of(self.facts, placed),
            placed,
            None if former is None else _replaced(former),
        )


def _replaced(former: Manifest) -> Replaced:
    report = former.facts.report
    kept = None if report is None else report.kept
    return Replaced(former.facts.run_id, former.published_at, len(former.slices()), kept)


class StagedFiles(Protocol):
    """A private place in which one run stages its files."""

    @property
    def root(self) -> str:
        """Address below which tables and quarantine are staged, each in a folder of its name."""
        ...

    def restart(self) -> None:
        """Drop what was staged, for a second try."""
        ...


class Staging(StagedFiles, Protocol):
    """A private place in which one run prepares its output, until it publishes it."""

    def publish(self, publication: Publication) -> Manifest:
        """Make what was staged visible, all of it or nothing, in place of what the run's owner published before.

        Raises AfterPublicationError where the run is published, but what should follow could not be done.
        """
        ...

    def publish_day(self, compaction: Compaction) -> Manifest:
        """Make a compacted day visible in place of what it was made from, all of it or nothing.

        Raises DayChangedError where runs were published into the day since it was read; else as `publish`.
        """
        ...

    def set_aside(self, publication: Publication) -> str:
        """Keep report and quarantine of a run that a threshold stopped. Gives the address of their folder.

        Raises NdrError or OSError where they can't be kept.
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

    def standing(self, facts: RunFacts, since: int) -> Standing:
        """Look up what a run must know of the output before it works, as of one moment.

        `since`: us since 1970 UTC; input files of what was published before it are not compared.
        Raises UsageError for an output of an older version, NdrError where a manifest can't be read.
        """
        ...

    def open_staging(
        self, run_id: str, tables: Iterable[Table], notice: Callable[[str], None]
    ) -> Staging:
        """Open a fresh staging place for a run that publishes these tables.

        Raises UsageError where nothing can be written. `notice` takes what a user should know of the output
        though the run goes on.
        """
        ...
