"""A pruning may die before any step of it: readers see old slices or none, and the next pruning finishes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.publishing.compaction import compacted_days
from ndr_core.publishing.entry import entry_of
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.ownership import live_files, live_manifests
from ndr_core.publishing.pruned import Pruned
from ndr_core.publishing.pruning import Pruning, Removed, entries_to_prune, pruning_of
from ndr_core.publishing.upkeep import Upkeep
from ndr_core.tables.slices import slice_path
from tests.unit.core.publishing.histories import (
    DAY,
    STEPS,
    Compacting,
    Publishing,
    compact,
    rows,
    run_of,
)
from tests.unit.core.publishing.makers import after_ten

MIDNIGHT = 14 * 60
"""Minutes after 10:00 at which the day ends."""


class DeadError(Exception):
    """The machine is gone."""


@define
class MemoryOutput:
    """An output in memory. A pruning of it dies before one of its steps, where that is set."""

    known: list[Manifest]
    files: set[str]
    pruned: Pruned = field(factory=Pruned)
    steps_left: int | None = None
    root: str = "memory:/out"

    @property
    def tables(self) -> MemoryOutput:
        return self

    def manifests(self, since: datetime | None, until: datetime | None) -> Sequence[Manifest]:
        assert (since, until) == (None, None)
        return self.pruned.left(live_manifests(self.known))

    def of_owners(self, version: str, owners: Iterable[str]) -> Sequence[Manifest]:
        raise AssertionError(f"not asked for {owners} of {version}")

    def pruned_up_to(self) -> Pruned:
        return self.pruned

    def counting(self) -> tuple[Sequence[Manifest], Pruned]:
        return live_manifests(self.known), self.pruned

    def sizes(self, paths: Iterable[str]) -> Mapping[str, int]:
        return {path: 10 for path in paths if path in self.files}

    def listed(self) -> Iterator[str]:
        return iter(sorted(self.files))

    def content(self, path: str) -> Iterator[bytes]:
        raise AssertionError(f"not asked for {path}")

    def migrate(
        self, columns_of: Callable[[str], Mapping[str, str]], notice: Callable[[str], None]
    ) -> Sequence[Manifest]:
        raise AssertionError(f"not asked for, with {columns_of} and {notice}")

    def prune(
        self, before: int, notice: Callable[[str], None], *, dry_run: bool = False
    ) -> Removed:
        entries = {entry_of(manifest): manifest for manifest in self.known}
        looked_at = [entries[entry] for entry in entries_to_prune(entries, before)]
        pruning = pruning_of(looked_at, self.pruned, before)
        removed = Removed.of(pruning, self.sizes(file.path for file in pruning.files), 0)
        for number, step in enumerate(() if dry_run else self._steps(pruning)):
            if number == self.steps_left:
                notice(f"dies before step {number}")
                raise DeadError
            step()
        return removed

    def _steps(self, pruning: Pruning) -> Iterator[Callable[[], None]]:
        yield partial(setattr, self, "pruned", pruning.pruned)
        for file in pruning.files:
            yield partial(self.files.discard, file.path)
        for manifest in (one for group in pruning.manifests for one in group):
            yield partial(self.known.remove, manifest)


def made(steps: Iterable[Publishing | Compacting]) -> list[Manifest]:
    """The manifests of a history. A run of which something was compacted is refused."""
    known: list[Manifest] = []
    for moment, step in enumerate(steps, 1):
        if isinstance(step, Compacting):
            known = compact(known, step, moment)
        elif not compacted_days(live_manifests(known), run_of(step, moment).facts):
            known.append(run_of(step, moment))
    return known


def output_of(known: Iterable[Manifest], steps_left: int | None = None) -> MemoryOutput:
    runs = list(known)
    files = {file.path for manifest in runs for file in manifest.files}
    return MemoryOutput(runs, files, steps_left=steps_left)


def table_rows(output: Upkeep) -> dict[str, int]:
    """Folder of a slice -> its rows that readers see."""
    found = rows(list(output.tables.manifests(None, None)))
    return {place: count for place, count in found.items() if place.startswith("delta/")}


def missing(output: Upkeep) -> set[str]:
    """What readers see and is not there."""
    seen = {file.path for file in live_files(output.tables.manifests(None, None))}
    return seen.difference(output.tables.listed())


def old_files(output: MemoryOutput) -> list[str]:
    return [path for path in output.listed() if output.pruned.of_file(path)]


def unknown_files(output: MemoryOutput) -> set[str]:
    """Files that no manifest names, so that nobody would ever remove them."""
    return output.files.difference(file.path for run in output.known for file in run.files)


MINUTES = st.sampled_from([0, 15, 29, 60, 120, MIDNIGHT, DAY + 15, 2 * DAY, 2 * DAY + 60])


@settings(deadline=None)
@given(STEPS, MINUTES)
def test_a_pruning_takes_the_older_slices_out_of_what_readers_see_and_nothing_else(
    steps: list[Publishing | Compacting], minutes: int
) -> None:
    output = output_of(made(steps))
    every, first = table_rows(output), slice_path("", after_ten(minutes // 15 * 15))

    output.prune(after_ten(minutes), print)

    place = first.partition("/")[2]
    assert table_rows(output) == {
        folder: count for folder, count in every.items() if folder.partition("/dt=")[2] >= place[3:]
    }
    assert missing(output) == set()


@settings(deadline=None)
@given(STEPS, MINUTES)
def test_when_a_pruning_dies_before_any_step_readers_see_all_or_the_end_and_the_next_one_gets_there(
    steps: list[Publishing | Compacting], minutes: int
) -> None:
    known, before = made(steps), after_ten(minutes)
    finished = output_of(known)
    every = table_rows(finished)
    finished.prune(before, print)
    step, notices = 0, list[str]()
    while len(notices) == step:
        output = output_of(known, steps_left=step)
        try:
            output.prune(before, notices.append)
        except DeadError:
            assert table_rows(output) == (table_rows(finished) if step else every)
            assert missing(output) == set()
            output.steps_left = None
            output.prune(before, notices.append)
        assert output.pruned == finished.pruned
        assert live_manifests(output.known) == live_manifests(finished.known)
        assert missing(output) == set()
        assert old_files(output) == []
        assert unknown_files(output) == set()
        step += 1


def test_what_a_compacted_day_holds_of_an_older_run_without_rows_stays_with_the_day() -> None:
    empty = Publishing(("v1", "a"), frozenset())
    late = Publishing(("v1", "b"), frozenset([10 * 60]))
    output = output_of(made([empty, late, Compacting(end=1, count=1, sweeps=False)]))

    output.prune(after_ten(120), print)

    assert [run.day for run in output.known] == ["2025-03-01"]
    assert missing(output) == set()


@settings(deadline=None)
@given(STEPS, MINUTES)
def test_a_dry_run_says_the_same_and_does_nothing_and_pruning_again_removes_nothing(
    steps: list[Publishing | Compacting], minutes: int
) -> None:
    output, untouched = output_of(made(steps)), output_of(made(steps))

    told = output.prune(after_ten(minutes), print, dry_run=True)

    assert output == untouched
    assert told == output.prune(after_ten(minutes), print)
    assert (told.files, told.runs) == (
        len(untouched.files) - len(output.files),
        len(untouched.known) - len(output.known),
    )
    again = output.prune(after_ten(minutes), print)
    assert (again.slices, again.files, again.bytes, again.runs) == (0, 0, 0, 0)
