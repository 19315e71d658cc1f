"""Days of pairs as the history knows them: each by the digest of what was contributed to it.

The history of a day is a function of what was contributed to it and to the 29 days before. So what is made of it is
known by the digests of these days, not by the bytes of its files: a day that is built again of the same contributions
is the same, whenever it was published and whether it was made from the day before or anew; and a late contribution
leaves no trace after 30 days.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date

from attrs import frozen

from ndr_core.features.coverage import PublishedDeltas
from ndr_core.publishing.manifest import Manifest, mini_batch_owner
from ndr_core.publishing.published import FollowedOutput
from ndr_core.publishing.read_facts import FEATURES, DayRead, ReadContribution, ReadFacts
from ndr_core.times import EPOCH, day_start, to_datetime


def date_of(day: int) -> str:
    """Write a UTC day, in days since 1970-01-01: `2025-03-01`."""
    return f"{to_datetime(day_start(day)):%Y-%m-%d}"


def day_of_date(text: str) -> int:
    """Read a UTC day, `2025-03-01`: gives days since 1970-01-01. Raises ValueError for another text."""
    return (date.fromisoformat(text) - EPOCH.date()).days


def day_digest(contributions: Iterable[ReadContribution]) -> str:
    """Hash what was contributed to a day: another one where anything was added, replaced or taken away."""
    lines = sorted(
        f"{one.job_name} {one.mini_batch_id} {one.slice} {one.digest}\n" for one in contributions
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def history_digest(read: ReadFacts) -> str:
    """Hash what the history of a day was made of."""
    lines = [f"{one.date} {one.digest}\n" for one in read.days]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def read_of(run: Manifest) -> ReadFacts:
    """Give what a feature run read."""
    return run.facts.read or ReadFacts()


def history_runs(
    features: FollowedOutput, version: str, job_name: str, days: Iterable[int]
) -> dict[int, Manifest]:
    """Give the published runs of a history job that count, by their days. Raises as `FollowedOutput.of_owners`."""
    owners = [mini_batch_owner(version, job_name, date_of(day)) for day in days]
    found = features.of_owners(version, owners)
    return {day_of_date(run.facts.mini_batch_id): run for run in found}


def read_run(run: Manifest) -> ReadContribution:
    """Say of a history run that it was read."""
    date = run.facts.mini_batch_id
    digest = history_digest(read_of(run))
    return ReadContribution(FEATURES, run.facts.job_name, date, f"dt={date}", digest)


def own_digest(run: Manifest) -> str | None:
    """Give the digest of the day of a history run itself; None where nothing was contributed to the day."""
    return next(
        (one.digest for one in read_of(run).days if one.date == run.facts.mini_batch_id), None
    )


@frozen
class LiveDays:
    """What days of pairs are now, by what is contributed to them."""

    digests: Mapping[int, str]
    """Day -> digest, of the days with contributions."""
    unknown: frozenset[int]
    """Days of which slices were pruned, without a run of the history that tells what was in them."""

    def read(self, since: int, until: int) -> tuple[DayRead, ...]:
        """Say of the days of [since, until) that have contributions that they are read."""
        return tuple(
            DayRead(date_of(day), self.digests[day])
            for day in range(since, until)
            if day in self.digests
        )


def live_days(deltas: PublishedDeltas, runs: Mapping[int, Manifest], days: range) -> LiveDays:
    """Tell what days are now. `runs`: the history runs of these days, as far as there are any.

    A day of which slices were pruned is as its history run knew it: prune changes nothing.
    """
    digests, unknown = {}, set()
    for day in days:
        digest: str | None
        if deltas.is_pruned(day_start(day)):
            if day not in runs:
                unknown.add(day)
                continue
            digest = own_digest(runs[day])
        else:
            found = deltas.contributed(day_start(day), day_start(day + 1))
            digest = day_digest(found) if found else None
        if digest is not None:
            digests[day] = digest
    return LiveDays(digests, frozenset(unknown))
