"""Removing what no longer counts: what runs replaced, and what they left when they died."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from ndr_adapters.aws.errors import AwsError
from ndr_adapters.s3.claims import Claim, ClaimLog, State, manifests_of
from ndr_adapters.s3.compacted import list_day
from ndr_adapters.s3.objects import delete_objects, get_object, list_objects
from ndr_core.errors import NdrError
from ndr_core.publishing.entry import Entry
from ndr_core.publishing.location import S3Address
from ndr_core.publishing.manifest import STAGED_RUN, Manifest, ManifestError, plain_of
from ndr_core.publishing.ownership import live_files, superseded

STAGING: Final = "_staging"
MARK: Final = "run.json"


@frozen
class Cleanup:
    """Removes, from an output, what no longer counts at a moment."""

    log: ClaimLog
    dead_after: timedelta
    now: datetime | None
    """By S3's clock; where it is not known no run counts as dead."""

    def delete_files(self, claim: Claim) -> None:
        """Delete what a claim's run has placed, as far as it is there: a compacted day names files of others, too."""
        self._delete([(self.log.output / file.path).key for file in claim.manifest.own_files])

    def withdraw(self, claim: Claim) -> None:
        """Delete an aborted claim, and before it what its run has placed."""
        self.delete_files(claim)
        self._delete([claim.listed.key])

    def close_staging(self, place: S3Address) -> None:
        """Delete a run's staging place, but the mark of a run whose claim is there and not settled.

        What it replaced may be there still, or a copy of its own may yet be made, somewhere on the way to S3: the
        mark leads to them when the run counts as dead (`clear_dead_runs`).
        """
        if self._claim_of(place) is None:
            self.delete_staging(place)
        else:
            self.empty_staging(place)

    def delete_staging(self, place: S3Address) -> None:
        """Delete a run's staging place, its mark last: what is half deleted still says whose it is."""
        self.empty_staging(place)
        self._delete([(place / MARK).key])

    def empty_staging(self, place: S3Address) -> None:
        """Delete what an engine staged."""
        mark = (place / MARK).key
        keys = [item["Key"] for item in list_objects(self.log.client, place)]
        self._delete([key for key in keys if key != mark])

    def finish(self, claim: Claim) -> None:
        """Delete what a run that is published now replaced, and what stood in its way; of a day what it was made from.

        A run of the same owner that is being published still is aborted: it died, or begins again.
        """
        stopped = [self.stopped(one) for one in self._claims_of(claim.listed.entry)]
        claims = [one for one in stopped if one is not None]
        self._settle([*claims, *self._taken_by(claim, claims)])

    def _claims_of(self, owner: Entry) -> list[Claim]:
        met = self.log.survey(lambda: self.log.of_owner(owner.version, owner.owner))
        return [claim for claim in met if isinstance(claim, Claim)]

    def _taken_by(self, claim: Claim, known: Sequence[Claim]) -> list[Claim]:
        """The published claims, beside the known ones of its owner, that a compacted day may have taken over."""
        if not claim.manifest.day:
            return []
        keys = {one.listed.key for one in known}
        version, day = claim.listed.entry.version, claim.manifest.day
        met = self.log.survey(lambda: list_day(self.log, version, day))
        claims = [one for one in met if isinstance(one, Claim) and one.listed.key not in keys]
        return [one for one in claims if one.state is State.PUBLISHED]

    def _settle(self, claims: Sequence[Claim]) -> None:
        """Delete what no longer counts of claims, last the claims that named it.

        `claims`: of each owner all that are published, or none.
        """
        published = manifests_of(claims)
        stale, spent = superseded(published)
        stale += [
            file
            for claim in claims
            if claim.state is State.ABORTED
            for file in claim.manifest.own_files
        ]
        paths = {file.path for file in stale} - {file.path for file in live_files(published)}
        self._delete([(self.log.output / path).key for path in sorted(paths)])
        # By requests of their own: a file that stays after all must not lose the claim that names it, and a run that
        # a later one of its owner replaced must not be left alone when that one goes: it would count again.
        last = {manifest.owner: manifest.order for manifest in sorted(published, key=_order)}
        taken = {manifest.order for manifest in spent if manifest.order == last[manifest.owner]}
        replaced = {manifest.order for manifest in spent} - taken
        self._delete([claim.listed.key for claim in claims if self._is_spent(claim, replaced)])
        self._delete([claim.listed.key for claim in claims if claim.manifest.order in taken])

    def clear_dead_runs(self) -> None:
        """Remove what runs left that began long ago and never ended, their claims settled.

        What is no staging place of a run is named and passed over.
        """
        staging = self.log.output / STAGING
        runs: dict[str, datetime] = {}
        for item in list_objects(self.log.client, staging):
            run, slash, _ = item["Key"][len(staging.below) :].partition("/")
            if not run:
                continue  # an empty object that stands for the folder
            if not (slash and STAGED_RUN.fullmatch(run)):
                self.log.notice(f"{staging / run}: is no staging place of a run; it is passed over")
                continue
            runs[run] = max(item["LastModified"], runs.get(run, item["LastModified"]))
        for run, last_sign in runs.items():
            if self._is_dead(last_sign):
                self._clear_run(staging / run)

    def _clear_run(self, staging: S3Address) -> None:
        """Remove what a dead run left. What can't be judged is passed over: it is another mini-batch's, mostly."""
        try:
            claim = self._claim_of(staging)
            claim = None if claim is None else self.stopped(claim)
            if claim is not None and claim.state is State.PUBLISHED:
                known = self._claims_of(claim.listed.entry)
                self._settle([*known, *self._taken_by(claim, known)])
            elif claim is not None:
                self.withdraw(claim)
            self.delete_staging(staging)
        except AwsError:
            raise
        except NdrError as error:
            self.log.notice(f"{staging}: can't be cleared away: {error}; it is passed over")

    def _claim_of(self, staging: S3Address) -> Claim | None:
        """The claim that a run noted, if it is there. Raises NdrError for a note that is none, and as `read_one`."""
        found = get_object(self.log.client, staging.bucket, (staging / MARK).key)
        if found is None:
            return None
        key = _noted(found.content)
        if key is None:
            return None
        if not (isinstance(key, str) and self.log.names(key)):
            raise NdrError(f"{staging / MARK}: is no mark of a run")
        return self.log.read_one(key)

    def stopped(self, claim: Claim) -> Claim | None:
        """Give a claim once it is decided: aborted, unless its run was faster. None where it is gone by now."""
        if claim.state is not State.PENDING:
            return claim
        if self.log.decide(claim, State.ABORTED):
            return evolve(claim, state=State.ABORTED)
        return self.log.read_one(claim.listed.key)

    def _is_spent(self, claim: Claim, replaced: set[tuple[int, str]]) -> bool:
        if claim.state is State.PUBLISHED:
            return claim.manifest.order in replaced
        # The run that was aborted may be copying still: its files are named until it can't live any more.
        return claim.state is State.ABORTED and self._is_dead(claim.listed.modified)

    def _is_dead(self, since: datetime) -> bool:
        return self.now is not None and self.now - since > self.dead_after

    def _delete(self, keys: Sequence[str]) -> None:
        delete_objects(self.log.client, self.log.output.bucket, keys)


def _order(manifest: Manifest) -> tuple[int, str]:
    return manifest.order


def _noted(mark: bytes) -> object:
    """What a mark notes: the key of a claim, None before there is one, `` where it is no mark."""
    try:
        data = plain_of(mark)
    except ManifestError:
        return ""
    return data.get("claim", "") if isinstance(data, dict) else ""
