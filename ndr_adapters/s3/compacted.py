"""Which mini-batches of an output in S3 were compacted: one small object for each day of each of them.

The object is a hint, written before the claim of the day; the manifest of the day is what says so. A run finds the
days of its mini-batch by one short listing, however many days were compacted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from ndr_adapters.aws.errors import aws_errors_named
from ndr_adapters.aws.limits import THREADS
from ndr_adapters.s3.claims import Claim, ClaimLog, Listed, manifests_of
from ndr_adapters.s3.objects import delete_objects, list_objects
from ndr_core.publishing.compaction import Day, compacted_days
from ndr_core.publishing.entry import Entry, owner_hash, owner_prefix
from ndr_core.publishing.location import S3Address
from ndr_core.publishing.manifest import RunFacts, day_owner, mini_batch_owner
from ndr_core.publishing.ownership import live_manifests
from ndr_core.publishing.published import entries_to_read

COMPACTED: Final = "_compacted"
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def find_compacted_days(log: ClaimLog, facts: RunFacts) -> list[str]:
    """Give the compacted days that hold contributions of a run's mini-batch. Raises as `ClaimLog.survey`."""
    published = manifests_of(claims_of_days(log, facts))
    return compacted_days(live_manifests(published), facts)


def claims_of_days(log: ClaimLog, facts: RunFacts) -> list[Claim]:
    """Read the claims, decided or not, of the days that may hold contributions of a run's mini-batch."""
    version = facts.feature_spec_version
    owners = [owner_hash(day_owner(version, day)) for day in _hinted_days(log, facts)]
    met = log.survey(lambda: [one for owner in owners for one in log.of_owner(version, owner)])
    return [claim for claim in met if isinstance(claim, Claim)]


def note_compacted(log: ClaimLog, day: Day) -> None:
    """Note that mini-batches have contributions in a day that is about to be compacted."""
    names = [f"{owner_prefix(day.version, owner)}{day.date}" for owner in sorted(held_owners(day))]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda name: _put_hint(log, log.output / COMPACTED / name), names))


def forget_day(log: ClaimLog, version: str, date: str, owners: Iterable[str]) -> None:
    """Delete the notes of a day, for these owners, that is about to be removed."""
    root = log.output / COMPACTED
    names = sorted(f"{owner_prefix(version, owner_hash(owner))}{date}" for owner in owners)
    delete_objects(log.client, log.output.bucket, [(root / name).key for name in names])


def list_day(log: ClaimLog, version: str, date: str, owners: Iterable[str] = ()) -> list[Listed]:
    """List the claims that may count in a day, its own among them, and all of some owners. Raises as `ClaimLog.all`.

    `date`: as in `Day`; `owners`: as `owner_hash`.
    """
    slices = Day(version, date, (), ()).slices
    wanted = {*owners, owner_hash(day_owner(version, date))}

    def choose(known: list[Entry]) -> list[Entry]:
        same = [entry for entry in known if entry.version == version]
        own = [entry for entry in same if entry.owner in wanted]
        return [*own, *entries_to_read(same, slices.since, slices.until)]

    return log.chosen(choose)


def held_owners(day: Day) -> set[str]:
    """Give the hashes of the owners of which a compacted day holds contributions, or all of a run."""
    owners = {
        mini_batch_owner(day.version, one.job_name, one.mini_batch_id) for one in day.contributions
    }
    return {owner_hash(owner) for owner in owners | {manifest.owner for manifest in day.whole}}


def _hinted_days(log: ClaimLog, facts: RunFacts) -> Iterator[str]:
    root = log.output / COMPACTED
    prefix = owner_prefix(facts.feature_spec_version, owner_hash(facts.owner))
    for item in list_objects(log.client, root, prefix):
        day = item["Key"][len(root.below) + len(prefix) :]
        if _DATE.fullmatch(day):
            yield day


def _put_hint(log: ClaimLog, place: S3Address) -> None:
    with aws_errors_named(str(place)):
        log.client.put_object(Bucket=place.bucket, Key=place.key, Body=b"")
