"""The ports of a run, in memory: what it asked of them is noted in one list of events."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from attrs import define, field, frozen

from ndr_core.deltas.engine import EngineResult
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.deltas.reference import build_tables
from ndr_core.flows.file_format import Head
from ndr_core.flows.line_blocks import lines_of
from ndr_core.flows.source import FINGERPRINT_DIGITS, InputBatch, InputFile
from ndr_core.jobs.run import Stage
from ndr_core.progress import Progress
from ndr_core.publishing.compaction import Compaction
from ndr_core.publishing.layout import failed_path
from ndr_core.publishing.manifest import Manifest, RunFacts
from ndr_core.publishing.sink import Publication
from ndr_core.publishing.standing import Standing, standing_of
from ndr_core.quality.repairs import EARLY, LATE
from ndr_core.tables.slices import slice_path
from ndr_core.tables.table import Table

TOKEN = "0123456789ab"
PUBLISHED_AT = 1_740_823_200_000_000
"""2025-03-01T10:00:00Z."""
Events = list[str]


def lines(*records: Mapping[str, Any]) -> bytes:
    """A file of these records."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def print_of(content: bytes | Exception) -> str:
    """The fingerprint of a file of this content."""
    return hashlib.sha256(repr(content).encode()).hexdigest()[:FINGERPRINT_DIGITS]


@frozen
class MemoryPlace:
    """A path; it holds those that begin with it."""

    path: str

    def holds(self, other: object) -> bool:
        return isinstance(other, MemoryPlace) and f"{other.path}/".startswith(f"{self.path}/")

    def __str__(self) -> str:
        return self.path


@define
class MemorySource:
    """Files by their address; one that holds an error can't be read."""

    contents: Mapping[str, bytes | Exception]
    problems: Mapping[str, str] = field(factory=dict)
    """What the heads of files show to be wrong with them."""
    formats: dict[str, str] = field(factory=dict)
    """What files look like by their heads."""
    changed_files: list[str] = field(factory=list)
    """Addresses of files that are overwritten while they are read."""
    notices: tuple[str, ...] = ()
    read: Events = field(factory=list)
    """Addresses in the order in which files were read."""
    place: MemoryPlace = MemoryPlace("memory:/in")
    linked: tuple[MemoryPlace, ...] = ()
    """Where files lie to which links lead."""

    def places(self, files: Sequence[InputFile]) -> tuple[MemoryPlace, ...]:
        assert files
        return self.linked

    def files(self, notice: Callable[[str], None]) -> tuple[InputFile, ...]:
        for message in self.notices:
            notice(message)
        return tuple(
            InputFile(uri, len(content) if isinstance(content, bytes) else 1)
            for uri, content in sorted(self.contents.items())
        )

    def heads(self, files: Sequence[InputFile]) -> Mapping[InputFile, Head]:
        return {
            file: Head(format=self.formats.get(file.uri), problem=self.problems.get(file.uri))
            for file in files
        }

    def fingerprints(self, files: Sequence[InputFile]) -> Mapping[InputFile, str]:
        return {file: print_of(self.contents[file.uri]) for file in files}

    def blocks(
        self, file: InputFile, read: Callable[[int], object] = lambda _: None
    ) -> Iterator[bytes]:
        self.read.append(file.uri)
        content = self.contents[file.uri]
        if isinstance(content, Exception):
            raise content
        read(len(content))
        yield content

    def pieces(
        self, file: InputFile, read: Callable[[int], object] = lambda _: None
    ) -> Iterator[bytes]:
        return self.blocks(file, read)

    def changed(self, files: Sequence[InputFile]) -> list[InputFile]:
        return [file for file in files if file.uri in self.changed_files]


@define
class MemoryEngine:
    """Builds by the reference, and stages nothing; `failures` are raised first, one per try."""

    failures: list[Exception] = field(factory=list)
    unfit: Mapping[str, str] = field(factory=dict)
    """Why this engine can't read files, by their address."""
    tries: list[list[str]] = field(factory=list)
    """The addresses of each try to build."""
    roots: Events = field(factory=list)
    batches: list[InputBatch] = field(factory=list)
    name: str = "memory"
    reading_share: float = 1.0

    def unfit_files(self, batch: InputBatch) -> Mapping[InputFile, str]:
        return {file: self.unfit[file.uri] for file in batch.files if file.uri in self.unfit}

    def build(self, plan: DeltaPlan, batch: InputBatch, staging_root: str) -> EngineResult:
        self.tries.append(batch.uris)
        self.roots.append(staging_root)
        self.batches.append(batch)
        if self.failures:
            raise self.failures.pop(0)
        blocks = (block for file in batch.files for block in batch.read_blocks(file))
        tables = build_tables(lines_of(blocks), plan)
        rows: dict[str, int] = {}
        for table, built in (("delta", tables.deltas), ("pair", tables.pairs)):
            for row in built:
                path = slice_path(plan.feature_spec_version, row["slice_start_ts"])
                name = f"{table}/{path}/role={row['role']}/part.parquet"
                rows[name] = rows.get(name, 0) + 1
        report = tables.report
        return EngineResult(
            rows,
            report.kept,
            Counter(item.label for item in tables.quarantine),
            {**report.repaired, LATE: report.late, EARLY: report.early},
            report.blank_lines,
            {"quarantine/r.gz": len(tables.quarantine)},
        )


@define
class MemoryStaging:
    """Publishes by making a manifest; what it is set to fail with is raised where it says."""

    events: Events
    fails_to_publish: BaseException | None = None
    fails_to_set_aside: BaseException | None = None
    fails_to_close: BaseException | None = None
    root: str = "memory:/staging"
    former: Manifest | None = None
    """What a publication replaces."""
    published: list[Publication] = field(factory=list)
    aside: list[Publication] = field(factory=list)

    def restart(self) -> None:
        self.events.append("restart")

    def publish(self, publication: Publication) -> Manifest:
        self.events.append("publish")
        if self.fails_to_publish is not None:
            raise self.fails_to_publish
        self.published.append(publication)
        targets = publication.targets([file.uri for file in publication.unreadable])
        files = tuple(target.placed(TOKEN, 10, "00") for target in targets)
        return publication.manifest(PUBLISHED_AT, TOKEN, files, self.former)

    def set_aside(self, publication: Publication) -> str:
        self.events.append("set aside")
        if self.fails_to_set_aside is not None:
            raise self.fails_to_set_aside
        self.aside.append(publication)
        return f"memory:/out/{failed_path(publication.facts)}"

    def publish_day(self, compaction: Compaction) -> Manifest:
        raise NotImplementedError(compaction)

    def close(self) -> None:
        self.events.append("close")
        if self.fails_to_close is not None:
            raise self.fails_to_close


@define
class MemorySink:
    staging: MemoryStaging
    opened: list[tuple[str, tuple[str, ...]]] = field(factory=list)
    """Run id and tables of each staging place that was opened."""
    fails_to_open: Exception | None = None
    place: MemoryPlace = MemoryPlace("memory:/out")
    manifests: list[Manifest] = field(factory=list)
    """Of the runs that were published before."""
    asked: list[tuple[RunFacts, int]] = field(factory=list)
    """The run, and the moment, of each question how the output stands."""

    def standing(self, facts: RunFacts, since: int) -> Standing:
        self.asked.append((facts, since))
        return standing_of(self.manifests, facts, since)

    def open_staging(
        self, run_id: str, tables: Iterable[Table], notice: Callable[[str], None]
    ) -> MemoryStaging:
        if self.fails_to_open is not None:
            raise self.fails_to_open
        self.opened.append((run_id, tuple(table.name for table in tables)))
        notice("opened")
        return self.staging


@define
class MemoryLog:
    """Notes stages as events; `fails_at` is raised when that stage is done."""

    events: Events
    outcomes: dict[Stage, dict[str, Any]] = field(factory=dict)
    inputs: dict[Stage, dict[str, Any]] = field(factory=dict)
    seconds: list[float] = field(factory=list)
    notices: Events = field(factory=list)
    progresses: list[Progress] = field(factory=list)
    fails_at: Mapping[Stage, BaseException] = field(factory=dict)

    def stage(self, stage: Stage, **facts: Any) -> None:
        self.events.append(f"{stage.value}..")
        self.inputs[stage] = facts

    def done(self, stage: Stage, seconds: float, **facts: Any) -> None:
        self.events.append(f"..{stage.value}")
        self.outcomes[stage] = facts
        self.seconds.append(seconds)
        if stage in self.fails_at:
            raise self.fails_at[stage]

    def progress(self, progress: Progress) -> None:
        self.progresses.append(progress)

    def notice(self, message: str) -> None:
        self.notices.append(message)


@contextmanager
def noted(events: Events) -> Iterator[None]:
    """Note what happens between `shield` and `unshield`."""
    events.append("shield")
    try:
        yield
    finally:
        events.append("unshield")
