"""A landing folder, notes and an output in memory, in which files grow, rotate and are renamed, and processes die."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import count

from attrs import define, evolve, field

from ndr_core.errors import NdrError
from ndr_core.publishing.manifest import Contribution, Manifest, RunFacts
from ndr_core.tables.slices import SliceBounds, slice_place
from ndr_core.times import MINUTE_US
from ndr_core.watching.attempts import Attempt, Source
from ndr_core.watching.counted import Counted, counted_runs
from ndr_core.watching.decide import ToBuild
from ndr_core.watching.landed import LandedFile, Listing
from ndr_core.watching.stillness import Moment, Stillness
from ndr_core.watching.watcher import Watcher

SETTLE = 60 * 1_000_000
_HEAD = 2
"""Records of a file by which those that begin alike are found."""

Content = tuple[int, ...]


class Killed(BaseException):
    """The process ends where it is, as by kill -9."""


@define
class File:
    content: Content
    inode: str
    modified_at: int
    changed_at: int


@define
class News:
    """What a watcher has told."""

    notices: list[str] = field(factory=list)
    counts: tuple[int, int] = (0, 0)
    passed_names: list[str] = field(factory=list)

    def found(self, finished: int, growing: int) -> None:
        self.counts = (finished, growing)

    def built(self, batch: ToBuild, manifest: Manifest) -> None:
        del manifest
        self.notices.append(f"built {batch.mini_batch_id}")

    def known(self, source: Source, mini_batch_id: str) -> None:
        self.notices.append(f"known {source.path} {mini_batch_id}")

    def failed(self, place: str, problem: str) -> None:
        self.notices.append(f"failed {place}: {problem}")

    def passed(self, place: str) -> None:
        self.passed_names.append(place)


@define
class World:
    """All that outlives a process. Its clock goes on by `tick`."""

    now: int = 1_000_000_000 * 1_000_000
    files: dict[str, File] = field(factory=dict)
    noted: list[Attempt] = field(factory=list)
    manifests: dict[str, Manifest] = field(factory=dict)
    records: dict[str, Content] = field(factory=dict)
    """Mini-batch id -> the records that its live run counts."""
    news: News = field(factory=News)
    problems: dict[str, NdrError] = field(factory=dict)
    """Path -> what reading it raises."""
    listing_problems: dict[str, str] = field(factory=dict)
    failing: dict[str, Exception] = field(factory=dict)
    """Mini-batch id -> what building it raises."""
    after_publication: dict[str, Exception] = field(factory=dict)
    has_bounds: bool = True
    """Whether mini-batches are for a span."""
    killed_at: str | None = None
    """Where the process is killed, once: before or after a note, after publication."""
    looks: int = 0
    reads: Counter[str] = field(factory=Counter)
    fronts: list[int | None] = field(factory=list)
    _numbers: count[int] = field(factory=lambda: count(1))

    # What happens to files

    def write(self, path: str, content: Content, inode: str | None = None) -> None:
        """Put a file in place, newly or anew; it lies under another inode where none is given."""
        made = inode or f"1:{next(self._numbers)}"
        self.files[path] = File(content, made, self.now * 1_000, self.now * 1_000)

    def append(self, path: str, content: Content) -> None:
        file = self.files[path]
        self.write(path, (*file.content, *content), file.inode)

    def rename(self, path: str, to: str) -> None:
        file = self.files.pop(path)
        self.files[to] = evolve(file, changed_at=self.now * 1_000 + 1)

    def tick(self, us: int = SETTLE) -> None:
        self.now += us

    def kill_at(self, point: str) -> None:
        if self.killed_at == point:
            self.killed_at = None
            raise Killed

    # The ports

    def listed(self) -> Listing:
        found = (
            LandedFile(path, len(file.content), file.inode, file.modified_at, file.changed_at)
            for path, file in sorted(self.files.items())
        )
        return Listing(tuple(found), self.listing_problems)

    def source(self, file: LandedFile) -> Source:
        if file.path in self.problems:
            raise self.problems[file.path]
        self.reads[file.path] += 1
        content = self.files[file.path].content
        head = fingerprint(content[:_HEAD]) if len(content) >= _HEAD else ""
        return Source(*file.state, fingerprint(content), head)

    def begins_with(self, file: Source, former: Source) -> bool:
        content = self.files[file.path].content
        return fingerprint(content[: former.size_bytes]) == former.fingerprint

    def attempts(self) -> Sequence[Attempt]:
        return self.noted

    def add(self, attempt: Attempt) -> None:
        self.kill_at("before the note")
        self.noted.append(attempt)
        self.kill_at("after the note")

    def counted(self, attempts: Iterable[Attempt]) -> Counted:
        self.looks += 1
        return Counted.of(counted_runs(self.manifests.values(), "v1", "deltas"), attempts)

    def build(self, batch: ToBuild, run_id: str, front: int | None) -> Manifest:
        self.fronts.append(front)
        if batch.mini_batch_id in self.failing:
            raise self.failing[batch.mini_batch_id]
        content = [self.files[source.path].content for source in batch.sources]
        inputs = tuple(sorted(fingerprint(one) for one in content if one))
        bounds = SliceBounds(0, batch.written + 1) if self.has_bounds else None
        made = manifest(batch.mini_batch_id, run_id, inputs, bounds)
        self.manifests[batch.mini_batch_id] = made
        self.records[batch.mini_batch_id] = tuple(record for one in content for record in one)
        self.kill_at("after publication")
        if batch.mini_batch_id in self.after_publication:
            raise self.after_publication.pop(batch.mini_batch_id)
        return made

    # What a test asks

    def watcher(
        self,
        retry: int = 0,
        after_batch: Callable[[int | None, int | None], object] = lambda _before, _now: None,
    ) -> Watcher:
        """A process that begins to watch."""
        ids = count(len(self.noted))
        return Watcher(
            landing=self,
            notes=self,
            builder=self,
            log=self.news,
            clock=lambda: Moment(self.now, self.now),
            new_run_id=lambda: f"run-{len(self.noted)}-{next(ids)}",
            stillness=Stillness(SETTLE),
            retry=retry,
            after_batch=after_batch,
        )

    def counts(self) -> Counter[int]:
        """How often each record is counted."""
        return Counter(record for content in self.records.values() for record in content)


def fingerprint(content: Content) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]


def manifest(
    name: str,
    run_id: str,
    inputs: tuple[str, ...] = (),
    bounds: SliceBounds | None = None,
    slices: Sequence[int] = (),
    job_name: str = "deltas",
) -> Manifest:
    """A manifest of a delta run. `slices`: the starts of those that it has rows in, us."""
    facts = RunFacts(
        "test", job_name, "v1", "", name, run_id, "polars", "1", bounds=bounds, inputs=inputs
    )
    rows = tuple(Contribution(job_name, name, slice_place(start), "") for start in slices)
    return Manifest(1, "0" * 12, facts, {}, rows, ())


def minutes(number: int) -> int:
    return number * MINUTE_US
