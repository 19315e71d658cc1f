"""Outputs that were published into for a long time: their manifests are written directly, without running a job.

A mini-batch is published each quarter of an hour, and contributes to its slice and to the one before. Nobody has to
read manifests of older days: these have a name and no content, so that whoever reads one fails.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final

from attrs import evolve, frozen

from ndr_adapters.local.sink import FolderSink
from ndr_adapters.local.source import FolderSource
from ndr_adapters.polars.engine import PolarsEngine
from ndr_core.deltas.job import DeltaBuilderRunner
from ndr_core.jobs.ports import QuietLog
from ndr_core.jobs.run import RuntimeParams
from ndr_core.publishing.compaction import Compaction, days_to_compact
from ndr_core.publishing.entry import Entry, owner_hash
from ndr_core.publishing.layout import REPORT_NAME, Target
from ndr_core.publishing.manifest import Manifest, OutputFile, RunFacts, day_owner
from ndr_core.publishing.ownership import live_files
from ndr_core.publishing.sink import Publication
from ndr_core.tables.slices import SliceBounds, slice_path
from ndr_core.tables.table import Table
from ndr_core.times import to_us
from tests.makers import flow, make_plan, make_spec, started, write_batch

SLICE: Final = timedelta(minutes=15)
PER_DAY: Final = timedelta(days=1) // SLICE
END: Final = datetime(2026, 1, 1, 1, tzinfo=UTC)
"""When all histories end, with one hour of a day that is not over yet; the longer began earlier."""
LAST_DAY: Final = datetime(2025, 12, 31, tzinfo=UTC)
"""The last day that is over."""
ROLES: Final = ("inbound", "outbound")
_LATER: Final = timedelta(minutes=5)
_COMPACTED_AT: Final = timedelta(hours=1)
_LABEL: Final = "%Y-%m-%dT%H%M"
_STAGED: Final = "run.parquet"


@frozen
class Pattern:
    """One run that was made by the job: all runs of a history are as it."""

    facts: RunFacts
    tables: tuple[Table, ...]
    content: Mapping[str, bytes]
    """`<table>/<role>` -> a file of it; also of the report."""


def make_pattern() -> Pattern:
    """Run the job once, over one small record."""
    spec = make_spec()
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "out")
        manifest = (
            DeltaBuilderRunner(
                spec=spec,
                params=RuntimeParams("pattern", "run"),
                source=FolderSource(write_batch(Path(folder, "in"), [[flow()]])),
                start_engine=started(PolarsEngine()),
                sink=FolderSink(output),
                log=QuietLog(),
            )
            .run()
            .manifest
        )
        content = {
            "/".join(filter(None, (file.table, file.partition.get("role")))): (
                output / file.path
            ).read_bytes()
            for file in manifest.files
        }
    return Pattern(manifest.facts, make_plan(spec).tables, content)


@frozen
class History:
    """So many runs, and what an output holds of them."""

    pattern: Pattern
    runs: int
    compacted: bool
    """Whether each day was compacted when it was over."""

    def start_of(self, number: int) -> datetime:
        """The slice of the run of a number, counted from 0."""
        return END + (number - self.runs) * SLICE

    def facts(self, number: int) -> RunFacts:
        """What is known of the run of a number."""
        start = self.start_of(number)
        return evolve(
            self.pattern.facts,
            mini_batch_id=f"{start:%Y-%m-%dT%H-%M}",
            run_id=f"run-{number}",
            bounds=SliceBounds(to_us(start), to_us(start + SLICE)),
            inputs=(f"{number:040x}",),
        )

    def publication(self, number: int) -> Publication:
        """What the run of a number publishes, counted from 0."""
        slices = [self.start_of(one) for one in sorted({max(number - 1, 0), number})]
        return Publication(self.facts(number), self.pattern.tables, self._rows(slices))

    def staged(self, publication: Publication) -> dict[str, bytes]:
        """Give what an engine stages for a publication, by the name below its staging root."""
        return {name: self._content(name) for name in publication.rows}

    def unread(self) -> Iterator[Entry]:
        """Give the manifests that the output holds of older days."""
        if self.compacted:
            days = {f"{self.start_of(number):%Y-%m-%d}" for number in range(self._old)}
            for day in sorted(days):
                end = datetime.fromisoformat(f"{day}T00:00Z") + timedelta(days=1)
                owner = day_owner(self.pattern.facts.feature_spec_version, day)
                yield self._entry(owner, end - timedelta(days=1), end - SLICE, end + _COMPACTED_AT)
            return
        for number in range(self._old):
            start = self.start_of(number)
            owner = self.facts(number).owner
            yield self._entry(owner, start - SLICE, start, start + SLICE + _LATER)

    def manifests(self) -> Iterator[Manifest]:
        """Give the other manifests that the output holds, in the order of publication."""
        waiting: list[Manifest] = []
        former: Manifest | None = None
        for number in range(self._old, self.runs):
            waiting.append(self._published(number))
            start = self.start_of(number)
            if self.compacted and number > self._old and start.time() == time():
                # The first run of the next day has late rows of this one.
                former = self._compacted(start, former, waiting)
                yield former
                waiting = waiting[-1:]
        yield from waiting

    def files(self, manifests: Iterable[Manifest]) -> Iterator[tuple[str, bytes]]:
        """Give the live files of manifests by path, and their content."""
        for file in live_files(manifests):
            yield file.path, self._content(file.path)

    @property
    def _old(self) -> int:
        """How many runs are older than the day before the last one that is over."""
        return max(0, self.runs - 2 * PER_DAY - (END - LAST_DAY - timedelta(days=1)) // SLICE)

    def _entry(self, owner: str, first: datetime, last: datetime, moment: datetime) -> Entry:
        version = self.pattern.facts.feature_spec_version
        token = _hash(owner.encode())[:12]
        span = f"{first:{_LABEL}}", f"{last:{_LABEL}}"
        return Entry(version, owner_hash(owner), span[0], span[1], to_us(moment), token)

    def _published(self, number: int) -> Manifest:
        publication = self.publication(number)
        token = f"{number:012x}"
        files = self._placed(publication.targets(()), token)
        moment = self.start_of(number + 1) + _LATER
        return publication.manifest(to_us(moment), token, files, None)

    def _compacted(self, end: datetime, former: Manifest | None, runs: list[Manifest]) -> Manifest:
        days = days_to_compact([*runs, *([] if former is None else [former])], end)
        (day,) = [one for one in days if one.date == f"{end - SLICE:%Y-%m-%d}"]
        slices = len({contribution.slice for contribution in day.contributions})
        starts = [end - number * SLICE for number in range(slices, 0, -1)]
        facts = evolve(
            self.pattern.facts,
            job_name="",
            mini_batch_id="",
            run_id=f"compaction-{day.date}",
            report=None,
            inputs=(),
        )
        compaction = Compaction(day, facts, self._rows(starts))
        token = _hash(day.date.encode())[:12]
        files = self._placed(compaction.targets(), token)
        return compaction.manifest(to_us(end + _COMPACTED_AT), token, files)

    def _placed(self, targets: Iterable[Target], token: str) -> list[OutputFile]:
        contents = ((target, self._content(target.staged)) for target in targets)
        return [target.placed(token, len(content), _hash(content)) for target, content in contents]

    def _rows(self, slices: list[datetime]) -> dict[str, int]:
        version = self.pattern.facts.feature_spec_version
        return {
            f"{table.name}/{slice_path(version, to_us(start))}/role={role}/{_STAGED}": 1
            for table in self.pattern.tables
            for start in slices
            for role in ROLES
        }

    def _content(self, path: str) -> bytes:
        """The content of a file, by the path below the output or the staging root."""
        if path == REPORT_NAME:
            return self.pattern.content["quality"]
        table, _, levels = path.partition("/")
        role = next((one for one in ROLES if f"/role={one}/" in f"/{levels}"), "")
        return self.pattern.content["/".join(filter(None, (table, role)))]


@lru_cache(64)
def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
