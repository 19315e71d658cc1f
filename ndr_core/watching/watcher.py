"""One round of a watcher: look at the landing folder, build what is finished, in the order in which it was written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from attrs import define, evolve, field, frozen

from ndr_core.errors import AfterPublicationError, InputChangedError, NdrError
from ndr_core.publishing.manifest import Manifest
from ndr_core.watching.attempts import Source
from ndr_core.watching.counted import Counted, counted_run
from ndr_core.watching.decide import ToBuild, decide
from ndr_core.watching.landed import LandedFile
from ndr_core.watching.ports import Builder, Landing, Notes, WatchLog
from ndr_core.watching.stillness import Moment, Stillness

_LOOK_AGAIN: Final = 25
"""Mini-batches after which the output is looked at anew: others may publish to it, too. Each run reads what was
published since the last look."""

_State = tuple[str, int, str, int]


@frozen
class Round:
    """What a round has done."""

    built: tuple[str, ...]
    """Ids of the mini-batches that were published, in this order."""
    failed: Mapping[str, str]
    """Name in the landing folder -> why it could not be built."""
    growing: int
    """Files that may still be written."""
    wait: int | None
    """us until the first of these may be finished; None where there are none."""
    front: int | None
    """The end of the span of the last mini-batch, us."""


@define
class Watcher:
    """Builds what lands, through its ports. State is what the output counts, and the notes that it confirms."""

    landing: Landing
    notes: Notes
    builder: Builder
    log: WatchLog
    clock: Callable[[], Moment]
    new_run_id: Callable[[], str]
    stillness: Stillness
    retry: int = 0
    """us until what failed is tried again, where its files lie as they did."""
    after_batch: Callable[[int | None, int | None], object] = field(
        default=lambda _before, _now: None
    )
    """Called after each mini-batch, with the end of what is published before and now, us."""
    _told: set[_State] = field(factory=set, init=False)
    """States of files of which it was told that they count already."""
    _seen: dict[_State, Source] = field(factory=dict, init=False)
    """State of a file -> its content, so that each is read once."""
    _counted: Counted = field(factory=Counted, init=False)
    _published: int = field(default=0, init=False)
    _failed: dict[str, tuple[int, frozenset[_State]]] = field(factory=dict, init=False)
    """Name of what has failed -> when, us of the steady clock, and the states of its files."""

    def round(self) -> Round:
        """Do all that can be done now. A mini-batch that fails stops none of the others.

        Raises what the landing folder and the output raise when they are looked at.
        """
        listing = self.landing.listed()
        now = self.clock()
        found = self.stillness.look(listing.files, now)
        self._look_at_output()
        failed: dict[str, str] = {}
        for place, problem in listing.problems.items():
            self._fail(place, problem, failed, frozenset(), now)
        growing = {file.place for file in found.growing}
        waiting = self._waiting(found.files, growing | failed.keys(), failed, now)
        self.log.found(len(waiting), len(growing))
        built: list[str] = []
        for place, sources in waiting:
            states = frozenset(source.state for source in sources)
            if self._failed_lately(place, states, now):
                self.log.passed(place)
                continue
            try:
                self._build_all(place, sources, built)
            except InputChangedError:
                growing.add(place)  # the next look sees it as it is by then
            except (NdrError, OSError) as error:
                self._fail(place, str(error), failed, states, now)
                if isinstance(error, AfterPublicationError):
                    self._look_at_output()
            self.log.passed(place)
        changed = len(growing) > len({file.place for file in found.growing})
        wait = self.stillness.settle if changed and found.wait is None else found.wait
        return Round(tuple(built), failed, len(growing), wait, self._counted.front)

    def _failed_lately(self, place: str, states: frozenset[_State], now: Moment) -> bool:
        """Whether a name has failed with the same files, too short a time ago to try it again."""
        since, before = self._failed.get(place, (0, None))
        return states == before and now.steady - since < self.retry

    def _look_at_output(self) -> None:
        self._counted = self.builder.counted(self.notes.attempts())

    def _waiting(
        self,
        files: Iterable[LandedFile],
        left_out: set[str],
        failed: dict[str, str],
        now: Moment,
    ) -> list[tuple[str, list[Source]]]:
        """Names with their finished files, where some of these don't count yet, in the order of writing."""
        by_place: dict[str, list[LandedFile]] = {}
        for file in files:
            if file.place not in left_out:
                by_place.setdefault(file.place, []).append(file)
        seen, self._seen = self._seen, {}
        found = []
        for place, lying in by_place.items():
            try:
                sources = [self._source(file, seen) for file in lying]
            except (NdrError, OSError) as error:
                states = frozenset(file.state for file in lying)
                self._fail(place, str(error), failed, states, now)
                continue
            if any(self._is_new(source) for source in sources):
                found.append((place, sources))
        return sorted(found, key=lambda one: (max(map(_written, one[1])), one[0]))

    def _source(self, file: LandedFile, seen: Mapping[_State, Source]) -> Source:
        source = seen.get(file.state) or self._counted.noted(file.state)
        self._seen[file.state] = source or self.landing.source(file)
        return self._seen[file.state]

    def _is_new(self, source: Source) -> bool:
        """Whether a file's content does not count yet. Says once of a file that it counts by another name."""
        holder = self._counted.holder(source)
        if holder is None:
            return True
        if not self._counted.was_read(source) and source.state not in self._told:
            self._told.add(source.state)
            self.log.known(source, holder)
        return False

    def _build_all(self, place: str, sources: Sequence[Source], built: list[str]) -> None:
        while True:
            batch = decide(place, sources, self._counted, self.landing.begins_with)
            if batch is None:
                for source in sources:
                    self._is_new(source)  # which says of copies that they count already
                return
            before = self._counted.front
            manifest = self._build(batch)
            built.append(batch.mini_batch_id)
            self.log.built(batch, manifest)
            self.after_batch(before, self._counted.front)

    def _build(self, batch: ToBuild) -> Manifest:
        """Note, build, count; note of what slices it was, too. What is noted and not published leaves nothing."""
        attempt = batch.attempt(self.new_run_id())
        self.notes.add(attempt)
        manifest = self.builder.build(batch, attempt.run_id, self._counted.front)
        self._published += 1
        run = counted_run(manifest)
        if self._published % _LOOK_AGAIN:
            self._counted.add(run, attempt)
        else:
            self._look_at_output()
        if run.until is not None:
            self.notes.add(evolve(attempt, until=run.until))
        return manifest

    def _fail(
        self,
        place: str,
        problem: str,
        failed: dict[str, str],
        states: frozenset[_State],
        now: Moment,
    ) -> None:
        """Keep in mind that a name has failed; say so, unless that was said lately."""
        failed[place] = problem
        if not self._failed_lately(place, states, now):
            self._failed[place] = (now.steady, states)
            self.log.failed(place, problem)


def _written(source: Source) -> int:
    return source.modified_at
