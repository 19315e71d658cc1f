"""Removing what no longer counts: what runs replaced, and what they left when they died."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from ndr_adapters.aws.limits import THREADS
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
_RUN_FILE: Final = re.compile(r"-[0-9a-f]{12}[.-][^/]*$")
"""The name of a run's file, by the token in it."""


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
        """Delete what no longer counts near a decided claim: replaced runs, and runs in its way.

        A run that is still being published into the same folders is aborted; it begins again if it lives.
        """
        # Listed before the claims are read: whatever counts has its claim by now.
        present = self._run_files(around.manifest.folders)
        met = self.log.survey(around.entry.meets)
        claims = [claim for claim in met if isinstance(claim, Claim)]
        if len(claims) < len(met):
            present = set()  # some may be files of an odd claim, whose run may live
        if around.state is State.PUBLISHED:
            claims = [self._aborted_if_in_the_way(claim, around) for claim in claims]
        published = manifests_of(claims)
        stale, spent = superseded(published)
        counting = {file.path for claim in claims for file in claim.manifest.files}
        counting -= {file.path for file in stale}
        for claim in claims:
            if claim.state is State.ABORTED:
                stale += claim.manifest.files
                counting -= {file.path for file in claim.manifest.files}
        orders = {manifest.order for manifest in spent}
        paths = {file.path for file in stale} | (present - counting)
        paths -= {file.path for file in live_files(published)}
        keys = [(self.log.output / path).key for path in sorted(paths)]
        keys += [claim.entry.key for claim in claims if self._is_spent(claim, orders)]
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

    def _run_files(self, folders: Sequence[str]) -> set[str]:
        """Paths of what lies in folders under the name of a run's file; what others put there is theirs."""
        output = self.log.output
        with ThreadPoolExecutor(THREADS) as pool:
            listed = pool.map(
                lambda folder: [i["Key"] for i in list_objects(self.log.client, output / folder)],
                folders,
            )
            root = len(output.below)
            return {key[root:] for keys in listed for key in keys if _RUN_FILE.search(key)}

    def _aborted_if_in_the_way(self, claim: Claim, of: Claim) -> Claim:
        if claim.state is not State.PENDING or claim.manifest.folders_apart(of.manifest):
            return claim
        if self.log.decide(claim, State.ABORTED):
            return evolve(claim, state=State.ABORTED)
        return claim  # it was faster, and counts; its own settling sees to the rest

    def _is_spent(self, claim: Claim, replaced: set[tuple[int, str]]) -> bool:
        if claim.state is State.PUBLISHED:
            return claim.manifest.order in replaced
        # The run that was aborted may be copying still: its files are named until it can't live any more.
        return claim.state is State.ABORTED and self._is_dead(claim.entry.modified)

    def _is_dead(self, since: datetime) -> bool:
        return self.now is not None and self.now - since > self.dead_after

    def _delete(self, keys: Sequence[str]) -> None:
        delete_objects(self.log.client, self.log.output.bucket, keys)
