"""Runs of feature jobs whose rows would be others if they were built now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import frozen

from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.pruned import Pruned
from ndr_core.publishing.published import PublishedTables
from ndr_core.publishing.read_facts import DELTAS, FEATURES, ReadContribution, ReadFacts
from ndr_core.times import to_datetime

_MOST_NAMED: Final = 3


@frozen
class StaleRun:
    """A run that is to be done again, or that was left out."""

    job_name: str
    mini_batch_id: str
    """Its day, or the end of its windows."""
    start: int
    """The same, us: start of the day, end of the windows."""
    reasons: tuple[str, ...]
    allows_missing: bool = False
    """Whether it builds what it can of what is missing, as it did before."""
    read: ReadFacts | None = None
    """What it would be made of now, where those that read it must know."""


def runs_of_job(
    features: PublishedTables, version: str, job_name: str, since: int | None
) -> dict[int, Manifest]:
    """Give the runs of a feature job that count, by the start of their day or the end of their windows, us.

    `since`: runs before it may be left out. Raises as `PublishedTables.manifests`.
    """
    found = features.manifests(None if since is None else to_datetime(since), None)
    return {
        run.facts.bounds.start: run
        for run in found
        if (run.facts.feature_spec_version, run.facts.job_name) == (version, job_name)
        and run.facts.bounds is not None
        and run.facts.read is not None
    }


def changed_contributions(before: ReadFacts, now: ReadFacts, first: str) -> list[str]:
    """Say which contributions of deltas to slices from `first` on, `dt=../hh=../mm=..`, are others than before."""
    old, new = _deltas(before, first), _deltas(now, first)
    keys = {_key(one): one for one in old}
    found = []
    for one in sorted(new - old, key=_key):
        how = "has changed" if _key(one) in keys else "is new"
        found.append(f"{_name(one)} {how}")
    gone = keys.keys() - {_key(one) for one in new}
    found += [f"{_name(keys[key])} is gone" for key in sorted(gone)]
    return found


def changed_days(before: ReadFacts, now: ReadFacts, unknown: Iterable[str]) -> list[str]:
    """Say which days of the history are others than before. `unknown`: dates of which that can't be told."""
    skipped = set(unknown)
    found = {one.date for one in set(before.days) ^ set(now.days)} - skipped
    return [f"the pairs of {date} have changed" for date in sorted(found)]


def changed_runs(before: ReadFacts, now: ReadFacts) -> list[str]:
    """Say what of the features, and of the settings, that a run was made of is another one than before."""
    old = {(one.job_name, one.mini_batch_id): one.digest for one in _features(before)}
    new = {(one.job_name, one.mini_batch_id): one.digest for one in _features(now)}
    found = []
    for job, name in sorted({*old, *new}):
        if (job, name) not in old:
            found.append(f"run {name} of job {job} is new")
        elif (job, name) not in new:
            found.append(f"run {name} of job {job} is gone")
        elif old[job, name] != new[job, name]:
            found.append(f"run {name} of job {job} has changed")
    settings = {one.name for one in set(before.settings) ^ set(now.settings)}
    found += [f"{name} of the JobSpec have changed" for name in sorted(settings)]
    if not found and (before.covered, before.built) != (now.covered, now.built):
        found.append("windows of other labels are asked for")
    return found


def is_lost(read: ReadFacts, pruned: Pruned, version: str) -> bool:
    """Whether features that a run was made of were pruned: it can't be built any more, and prune changes nothing."""
    return any(pruned.holds(version, one.slice) for one in _features(read))


def few(reasons: list[str]) -> tuple[str, ...]:
    """Shorten a list of reasons to what people read."""
    if len(reasons) <= _MOST_NAMED:
        return tuple(reasons)
    return (*reasons[:_MOST_NAMED], f"and {len(reasons) - _MOST_NAMED} more")


def _features(read: ReadFacts) -> list[ReadContribution]:
    return [one for one in read.contributions if one.output == FEATURES]


def _deltas(read: ReadFacts, first: str) -> set[ReadContribution]:
    return {one for one in read.contributions if one.output == DELTAS and one.slice >= first}


def _key(one: ReadContribution) -> tuple[str, str, str]:
    return one.slice, one.job_name, one.mini_batch_id


def _name(one: ReadContribution) -> str:
    return f"mini-batch {one.mini_batch_id} of job {one.job_name} in {one.slice}"
