"""What of a landing folder an output counts: told by its live manifests, and by notes that these confirm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import define, evolve, field, frozen

from ndr_core.publishing.manifest import Contribution, Manifest
from ndr_core.tables.slices import SLICE_MINUTES, SLICE_MINUTES_KEY, SliceBounds, place_us
from ndr_core.times import MINUTE_US
from ndr_core.watching.attempts import Attempt, Source


@frozen
class CountedRun:
    """A published run that counts, as far as a watcher must know it."""

    mini_batch_id: str
    run_id: str
    inputs: tuple[str, ...]
    """Fingerprints of its input files that held records."""
    bounds: SliceBounds | None
    rows: SliceBounds | None = None
    """From the first slice that it has rows in to the end of the last one."""
    grid: int = SLICE_MINUTES * MINUTE_US
    """The length of its slices, us."""

    @property
    def until(self) -> int | None:
        """The end of the last slice that it is for, or has rows in, us; None where there is none."""
        return max((one.end for one in (self.bounds, self.rows) if one is not None), default=None)


def counted_run(manifest: Manifest) -> CountedRun:
    """Give the run of a mini-batch's own manifest."""
    facts, grid = manifest.facts, _grid(manifest)
    rows = _around(None, manifest.contributions, grid)
    return CountedRun(facts.mini_batch_id, facts.run_id, facts.inputs, facts.bounds, rows, grid)


def counted_runs(manifests: Iterable[Manifest], version: str, job_name: str) -> list[CountedRun]:
    """Give the runs of a delta job among the manifests that count, those within compacted days too."""
    found: dict[str, CountedRun] = {}
    rows: dict[str, SliceBounds] = {}
    for manifest in manifests:
        facts, grid = manifest.facts, _grid(manifest)
        if facts.feature_spec_version != version:
            continue
        runs = [run.facts for run in manifest.runs] if manifest.day else [facts]
        for run in runs:
            if run.job_name == job_name:
                name = run.mini_batch_id
                found[name] = CountedRun(name, run.run_id, run.inputs, run.bounds, None, grid)
        for one in manifest.contributions:
            if one.job_name == job_name:
                around = _around(rows.get(one.mini_batch_id), [one], grid)
                rows |= {} if around is None else {one.mini_batch_id: around}
    return [evolve(run, rows=rows.get(name)) for name, run in found.items()]


def _around(
    rows: SliceBounds | None, contributions: Iterable[Contribution], grid: int
) -> SliceBounds | None:
    """The span around all of some slices, and another span."""
    starts = [place_us(one.slice) for one in contributions]
    ends = [start + grid for start in starts]
    if rows is not None:
        starts.append(rows.start)
        ends.append(rows.end)
    return SliceBounds(min(starts), max(ends)) if starts else None


def _grid(manifest: Manifest) -> int:
    return int(manifest.facts.meaning.get(SLICE_MINUTES_KEY) or SLICE_MINUTES) * MINUTE_US


@define
class Counted:
    """What is counted, by what it can be found by."""

    runs: dict[str, CountedRun] = field(factory=dict)
    """Mini-batch id -> its run."""
    _batches: dict[str, str] = field(factory=dict)
    """Fingerprint of a content that is counted -> the mini-batch that holds it."""
    _read: dict[tuple[str, str], str] = field(factory=dict)
    """Path and fingerprint of a file of which a run was made -> likewise: it may have held nothing that counts."""
    _noted: dict[tuple[str, int, str, int], Source] = field(factory=dict)
    """State of a file of which a run was made -> the file."""
    _attempts: dict[str, list[tuple[Source, Attempt]]] = field(factory=dict)
    """Path, inode or head of a file of which a live run was made -> the file, and the run."""
    _front: int | None = None

    @classmethod
    def of(cls, runs: Iterable[CountedRun], attempts: Iterable[Attempt], first: int = 0) -> Counted:
        """Put together what is known. `attempts`: all notes; those that nothing confirms are left out.

        `first`: the start of the first slice that prune has left, us.
        """
        found = cls()
        noted = {attempt.run_id: attempt for attempt in attempts}
        for attempt in noted.values():
            if attempt.is_pruned(first):
                # Its files by their names, as they are: what else has their content may be for other slices.
                found._know(attempt)
        for run in runs:
            found.add(run, noted.get(run.run_id))
        return found

    def add(self, run: CountedRun, attempt: Attempt | None) -> None:
        """Count a run that is published. `attempt`: its note, where a watcher began it."""
        self.runs[run.mini_batch_id] = run
        self._batches |= dict.fromkeys(run.inputs, run.mini_batch_id)
        if attempt is not None:
            self._batches |= dict.fromkeys(attempt.covers, run.mini_batch_id)
            self._know(attempt)
            for source in attempt.sources:
                for key in _keys(source):
                    self._attempts.setdefault(key, []).append((source, attempt))
        end = _end_of(run, attempt)
        if end is not None:
            self._front = max(end, self._front or end)

    def _know(self, attempt: Attempt) -> None:
        """Take the files of a run for read, each by its name."""
        for source in attempt.sources:
            self._read[source.path, source.fingerprint] = attempt.mini_batch_id
            self._noted[source.state] = source

    @property
    def front(self) -> int | None:
        """The end of the span of the last mini-batch, us; None before the first one."""
        return self._front

    def holder(self, source: Source) -> str | None:
        """Give the mini-batch that counts the content of a file; None where none does."""
        read = self._read.get((source.path, source.fingerprint))
        return read or self._batches.get(source.fingerprint)

    def was_read(self, source: Source) -> bool:
        """Whether a run was made of the file with this content by this name."""
        return (source.path, source.fingerprint) in self._read

    def noted(self, state: tuple[str, int, str, int]) -> Source | None:
        """Give what is known of the content of a file in a state, which a run was made of; None where none was."""
        return self._noted.get(state)

    def may_have_been(self, source: Source) -> Iterator[tuple[Source, Attempt]]:
        """Give the files that one may have grown from, with the live run of each: of its name, inode or first bytes."""
        for key in _keys(source):
            for former, attempt in self._attempts.get(key, ()):
                run = self.runs[attempt.mini_batch_id]
                if former.size_bytes < source.size_bytes and run.run_id == attempt.run_id:
                    yield former, attempt


def _keys(source: Source) -> list[str]:
    return [f"path {source.path}", f"inode {source.inode}"] + (
        [f"head {source.head}"] if source.head else []
    )


def _end_of(run: CountedRun, attempt: Attempt | None) -> int | None:
    """The end of a run's span. Without bounds, nothing counts that is later than its files were written.

    A time of writing that lies before all records is none: not all file systems keep it.
    """
    if run.bounds is not None:
        return run.bounds.end
    if run.rows is None:
        return None
    written = 0 if attempt is None else attempt.written
    return (
        min(run.rows.end, -(-written // run.grid) * run.grid)
        if written >= run.rows.start
        else run.rows.end
    )
