"""What an output of deltas holds: which slices are published, and who contributed what to them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from attrs import frozen

from ndr_core.publishing.manifest import Contribution, Manifest, RunFacts
from ndr_core.publishing.pinned import PinnedTables
from ndr_core.publishing.published import FollowedOutput
from ndr_core.publishing.read_facts import DELTAS, ReadContribution
from ndr_core.tables.slices import SLICE_MINUTES, SLICE_MINUTES_KEY, place_us, slice_place
from ndr_core.times import DAY_US, MINUTE_US, to_datetime


@frozen(slots=False)
class PublishedDeltas:
    """The deltas of one feature_spec_version in a span of time, as of one moment."""

    tables: FollowedOutput
    version: str
    since: int
    """us; nothing is known of slices before it."""
    until: int
    """us; nothing is known of slices from it on."""
    manifests: tuple[Manifest, ...]
    """Of the runs that count, without slices that were pruned."""
    pruned_before: int | None = None
    """Start of the first slice that stays, us, where the output was pruned."""

    def pinned(self, since: int, until: int) -> PinnedTables:
        """Give the runs of slices that start in [since, until), us, for readers, as of this moment.

        They are those that contributed to such slices, and those whose span holds some: readers learn the columns of
        runs without rows from them.
        """
        first, end = slice_place(since), slice_place(until)
        runs = (
            one
            for one in self.manifests
            if any(first <= contribution.slice < end for contribution in one.contributions)
            or any(
                facts.bounds is not None and facts.bounds.start < until and since < facts.bounds.end
                for facts in runs_of(one)
            )
        )
        return PinnedTables(self.tables, tuple(runs))

    @property
    def slice_minutes(self) -> int:
        """Length of the slices: all jobs of a feature_spec_version agree in it."""
        known = (one.facts.meaning.get(SLICE_MINUTES_KEY) for one in self.manifests)
        return int(next((minutes for minutes in known if minutes is not None), SLICE_MINUTES))

    @property
    def grid(self) -> int:
        """Length of the slices, us."""
        return self.slice_minutes * MINUTE_US

    @cached_property
    def contributions(self) -> Mapping[int, tuple[ReadContribution, ...]]:
        """Start of a slice -> what was contributed to it, sorted."""
        found: dict[int, set[ReadContribution]] = {}
        for manifest in self.manifests:
            for one in manifest.contributions:
                start = place_us(one.slice)
                if self.since <= start < self.until and not self.is_pruned(start):
                    found.setdefault(start, set()).add(read_contribution(DELTAS, one))
        return {start: tuple(sorted(found[start], key=_order)) for start in sorted(found)}

    @cached_property
    def published_by(self) -> Mapping[str, frozenset[int]]:
        """Name of a job -> starts of the slices that it has published."""
        found: dict[str, set[int]] = {}
        for job, start in self._published():
            if self.since <= start < self.until and not self.is_pruned(start):
                found.setdefault(job, set()).add(start)
        return {job: frozenset(starts) for job, starts in found.items()}

    def published(self, sources: Iterable[str] = ()) -> frozenset[int]:
        """Give the starts of published slices: of those that each of some jobs has published, or, of none, any job."""
        names = tuple(sources)
        if not names:
            return frozenset().union(*self.published_by.values())
        every = [self.published_by.get(name, frozenset()) for name in names]
        return every[0].intersection(*every)

    def is_pruned(self, start: int) -> bool:
        """Whether the slice that starts at a moment, us, was pruned."""
        return self.pruned_before is not None and start < self.pruned_before

    def contributed(self, since: int, until: int) -> tuple[ReadContribution, ...]:
        """Give what was contributed to the slices that start in [since, until), us, in the order of time."""
        starts = self._starts
        chosen = starts[bisect_left(starts, since) : bisect_left(starts, until)]
        return tuple(one for start in chosen for one in self.contributions[start])

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        return tuple(self.contributions)

    def _published(self) -> Iterator[tuple[str, int]]:
        """Each job with each slice that it has published, the same one more than once at times.

        The span of a run is that of its bounds. Without bounds these are the slices in which it has rows.
        """
        runs = [facts for manifest in self.manifests for facts in runs_of(manifest)]
        for facts in runs:
            if facts.bounds is not None:
                first = max(facts.bounds.start, self.since)
                first = -(-first // self.grid) * self.grid
                for start in range(first, min(facts.bounds.end, self.until), self.grid):
                    yield facts.job_name, start
        has_bounds = {
            (facts.job_name, facts.mini_batch_id) for facts in runs if facts.bounds is not None
        }
        for manifest in self.manifests:
            for one in manifest.contributions:
                if one.key[:2] not in has_bounds:
                    yield one.job_name, place_us(one.slice)


def look_at_deltas(tables: FollowedOutput, version: str, since: int, until: int) -> PublishedDeltas:
    """Look at the deltas of the slices that start in [since, until), us. Raises as `PublishedTables.manifests`."""
    # A run that a compacted day holds whole is in the manifest of its last day only: so one day more is looked at.
    found = tables.manifests(to_datetime(max(since, 0)), to_datetime(until + DAY_US))
    own = tuple(one for one in found if one.facts.feature_spec_version == version)
    first = tables.pruned_up_to().firsts.get(version)
    return PublishedDeltas(tables, version, since, until, own, first)


def first_slice_before(tables: FollowedOutput, version: str, moment: int) -> int | None:
    """Give the start of the first slice that was ever published before a moment, both us; None where there is none.

    Of an output that was pruned it is not known any more, and 0 is given.
    """
    if tables.pruned_up_to().firsts.get(version) is not None:
        return 0
    found = tables.manifests(None, to_datetime(moment))
    own = tuple(one for one in found if one.facts.feature_spec_version == version)
    starts = PublishedDeltas(tables, version, 0, moment, own).published()
    return min(starts, default=None)


def runs_of(manifest: Manifest) -> tuple[RunFacts, ...]:
    """Give the facts of the run of a manifest, or of those that a compacted day holds whole."""
    return tuple(run.facts for run in manifest.runs) if manifest.day else (manifest.facts,)


def read_contribution(output: str, one: Contribution) -> ReadContribution:
    """Say of a contribution that it was read. `output`: DELTAS or FEATURES."""
    return ReadContribution(output, one.job_name, one.mini_batch_id, one.slice, one.digest)


def _order(one: ReadContribution) -> tuple[str, str, str, str]:
    return one.slice, one.job_name, one.mini_batch_id, one.digest
