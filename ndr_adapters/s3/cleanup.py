"""Removing what no longer counts: what runs replaced, and what they left when they died."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from ndr_adapters.s3.claims import Claim, ClaimLog, State, manifests_of
from ndr_adapters.s3.objects import delete_objects, get_object, list_objects
from ndr_core.publishing.location import S3Address
from ndr_core.publishing.manifest import (
    STAGED_RUN,
    ManifestError,
    OutputFile,
    plain_of,
)
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

    def delete_files(self, files: Iterable[OutputFile]) -> None:
        self._delete([(self.log.output / file.path).key for file in files])

    def delete_staging(self, place: S3Address) -> None:
        """Delete a run's staging place, its mark last: what is half deleted still says whose it is."""
        mark = (place / MARK).key
        self.empty_staging(place)
        self._delete([mark])

    def empty_staging(self, place: S3Address) -> None:
        """Delete what an engine staged."""
        mark = (place / MARK).key
        keys = [item["Key"] for item in list_objects(self.log.client, place)]
        self._delete([key for key in keys if key != mark])

    def settle(self, around: Claim) -> None:
        """Delete what no longer counts of the owner of a decided claim: replaced runs, and runs in its way.

        A run of the same owner that is still being published is aborted; it begins again if it lives.
        """
        entry = around.listed.entry
        met = self.log.survey(lambda: self.log.of_owner(entry.version, entry.owner))
        claims = [claim for claim in met if isinstance(claim, Claim)]
        if around.state is State.PUBLISHED:
            claims = [self._aborted_if_pending(claim) for claim in claims]
        published = manifests_of(claims)
        stale, spent = superseded(published)
        stale += [
            file
            for claim in claims
            if claim.state is State.ABORTED
            for file in claim.manifest.files
        ]
        orders = {manifest.order for manifest in spent}
        paths = {file.path for file in stale} - {file.path for file in live_files(published)}
        keys = [(self.log.output / path).key for path in sorted(paths)]
        keys += [claim.listed.key for claim in claims if self._is_spent(claim, orders)]
        self._delete(keys)

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
        try:
            claim = self._claim_of(staging)
        except ManifestError as error:
            self.log.notice(f"{staging / MARK}: {error}; {staging} is passed over")
            return
        if claim is not None:
            if claim.state is State.PENDING:
                self.log.decide(claim, State.ABORTED)
            self.settle(claim)
        self.delete_staging(staging)

    def _claim_of(self, staging: S3Address) -> Claim | None:
        """The claim that a run noted, if it is there. Raises ManifestError for a note that is none."""
        found = get_object(self.log.client, staging.bucket, (staging / MARK).key)
        if found is None:
            return None
        data = plain_of(found.content)
        key = data.get("claim", "") if isinstance(data, dict) else ""
        if key is None:
            return None
        if not self.log.names(key):
            raise ManifestError("is no mark of a run")
        return self.log.read_one(key)

    def _aborted_if_pending(self, claim: Claim) -> Claim:
        if claim.state is not State.PENDING:
            return claim
        if self.log.decide(claim, State.ABORTED):
            return evolve(claim, state=State.ABORTED)
        return claim  # it was faster, and counts; its own settling sees to the rest

    def _is_spent(self, claim: Claim, replaced: set[tuple[int, str]]) -> bool:
        if claim.state is State.PUBLISHED:
            return claim.manifest.order in replaced
        # The run that was aborted may be copying still: its files are named until it can't live any more.
        return claim.state is State.ABORTED and self._is_dead(claim.listed.modified)

    def _is_dead(self, since: datetime) -> bool:
        return self.now is not None and self.now - since > self.dead_after

    def _delete(self, keys: Sequence[str]) -> None:
        delete_objects(self.log.client, self.log.output.bucket, keys)
