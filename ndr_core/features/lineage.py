"""Runs of feature jobs as those that read them know them: each by the digest of what it was made of.

A run is a function of what its jobs mean and of what it read. So a run that is done again of the same has the same
digest, whenever it was published: whatever was made of it is not out of date.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import asdict

from ndr_core.features.days import day_digest
from ndr_core.publishing.manifest import Manifest, mini_batch_owner
from ndr_core.publishing.published import FollowedOutput
from ndr_core.publishing.read_facts import DELTAS, FEATURES, ReadContribution, ReadFacts


def run_digest(run: Manifest) -> str:
    """Hash what a run was made of: another one where its rows may be others."""
    return digest_of(run.facts.meaning, run.facts.read or ReadFacts())


def digest_of(meaning: Mapping[str, Any], read: ReadFacts) -> str:
    """Hash what a run of this meaning is made of that reads this. The way by which it came to it does not count."""
    plain = {
        "meaning": meaning,
        "days": [asdict(day) for day in read.days],
        "contributions": [list(one) for one in _made_of(read)],
        "unpublished": read.unpublished,
        "built": read.built,
        "without_history": read.without_history,
        "covered": [asdict(one) for one in read.covered],
        "settings": [asdict(one) for one in read.settings],
        "without_baseline": read.without_baseline,
    }
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def read_as(run: Manifest, place: str) -> ReadContribution:
    """Say of a run that it was read. `place`: its slice or day, `dt=../hh=../mm=..` or `dt=..`."""
    facts = run.facts
    return ReadContribution(FEATURES, facts.job_name, facts.mini_batch_id, place, run_digest(run))


def runs_named(
    features: FollowedOutput, version: str, job_name: str, names: Iterable[str]
) -> dict[str, Manifest]:
    """Give the published runs of a job that count, by their names (mini_batch_id). Raises as `of_owners`."""
    owners = [mini_batch_owner(version, job_name, name) for name in names]
    return {run.facts.mini_batch_id: run for run in features.of_owners(version, owners)}


def _made_of(read: ReadFacts) -> list[tuple[str, ...]]:
    """What was contributed to a run, sorted; what the days behind its history tell is left out.

    The same day may be read from rows of the history or from its slices, with equal results.
    """
    told = {day.date: day.digest for day in read.days}
    by_date: dict[str, list[ReadContribution]] = {}
    for one in read.contributions:
        if one.output == DELTAS:
            by_date.setdefault(_date_of(one.slice), []).append(one)
    whole_days = {date for date, ones in by_date.items() if told.get(date) == day_digest(ones)}
    return sorted(
        (one.output, one.job_name, one.mini_batch_id, one.slice, one.digest)
        for one in read.contributions
        if not _is_day_of_history(one)
        and not (one.output == DELTAS and _date_of(one.slice) in whole_days)
    )


def _is_day_of_history(one: ReadContribution) -> bool:
    """Whether it is a run of the pair history: these are named by their day."""
    return one.output == FEATURES and one.slice == f"dt={one.mini_batch_id}"


def _date_of(place: str) -> str:
    return place.partition("/")[0].removeprefix("dt=")
