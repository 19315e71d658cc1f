"""Publishing to S3: all of a run or nothing.

An engine stages its files below the output. Publishing claims a place in the order of runs (`claims.py`),
copies the staged files into their partitions under names that no other run uses, decides the claim, which is
the moment of publication, then deletes what it replaced. Copies are made by S3; files here are few and small.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from attrs import evolve, field, frozen
from boto3.s3.transfer import TransferConfig

from ndr_adapters.aws import THREADS, AwsError, told
from ndr_adapters.s3.claims import Claim, ClaimLog, State, manifests_of
from ndr_adapters.s3.objects import ObjectStream, delete_objects, get_object, list_objects
from ndr_core.delta import QUARANTINE, DeltaPlan
from ndr_core.errors import NdrError
from ndr_core.job_spec import RuntimeParams
from ndr_core.manifest import (
    REPORT_NAME,
    Manifest,
    OutputFile,
    RunFacts,
    Target,
    replaced_folders,
    superseded,
    targets,
    unreadable_name,
)
from ndr_core.ports import InputFile
from ndr_core.s3_address import S3Address

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

STAGING: Final = "_staging"
DEAD_AFTER: Final = timedelta(hours=24)
"""A run that began so long ago and has not ended is taken for dead; the pipeline stops its jobs well before."""

_MARK: Final = "run.json"
_RUN_FILE: Final = re.compile(r"-[0-9a-f]{12}[.-][^/]*$")
"""The name of a run's file, by the token in it."""
_ATTEMPTS: Final = 8
_HASH_CHUNK: Final = 1 << 20

_Copy = tuple[S3Address, OutputFile]
"""A staged object, and what it is once published."""


@frozen
class S3Writer:
    """Publishes runs below a prefix."""

    client: S3Client
    output: S3Address
    dead_after: timedelta = field(default=DEAD_AFTER)

    def open_staging(self, params: RuntimeParams, notice: Callable[[str], None]) -> S3Staging:
        del notice
        token = uuid.uuid4().hex[:12]
        staging = S3Staging(self, self.output / STAGING / f"{params.run_id}-{token}")
        staging.mark(None)
        return staging

    @property
    def log(self) -> ClaimLog:
        return ClaimLog(self.client, self.output)

    def delete_files(self, files: Iterable[OutputFile]) -> None:
        delete_objects(
            self.client, self.output.bucket, [(self.output / file.path).key for file in files]
        )

    def delete_below(self, place: S3Address, keep: str = "") -> None:
        keys = [item["Key"] for item in list_objects(self.client, place)]
        delete_objects(self.client, place.bucket, [key for key in keys if key != keep])

    def settle(self, around: Claim) -> None:
        """Delete what no longer counts near a decided claim: replaced runs, and runs in its way.

        A run that is still being published into the same folders is aborted; it begins anew if it lives.
        """
        # Listed before the claims are read: whatever counts has its claim by now.
        present = self._run_files(around.manifest.folders)
        claims = self.log.read(around.entry.meets)
        if around.state is State.PUBLISHED:
            claims = [self._aborted_if_in_the_way(claim, around) for claim in claims]
        stale, spent = superseded(manifests_of(claims))
        counting = {file.path for claim in claims for file in claim.manifest.files}
        counting -= {file.path for file in stale}
        for claim in claims:
            if claim.state is State.ABORTED:
                stale += claim.manifest.files
                counting -= {file.path for file in claim.manifest.files}
        orders = {manifest.order for manifest in spent}
        paths = {file.path for file in stale} | (present - counting)
        keys = [(self.output / path).key for path in sorted(paths)]
        keys += [claim.entry.key for claim in claims if self._is_spent(claim, orders)]
        delete_objects(self.client, self.output.bucket, keys)

    def _run_files(self, folders: Sequence[str]) -> set[str]:
        """Paths of what lies in folders under the name of a run's file; what others put there is theirs."""
        with ThreadPoolExecutor(THREADS) as pool:
            listed = pool.map(
                lambda folder: [i["Key"] for i in list_objects(self.client, self.output / folder)],
                folders,
            )
            root = len(self.output.below)
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
        return datetime.now(UTC) - since > self.dead_after

    def clear_dead_runs(self) -> None:
        """Remove what runs left that began long ago and never ended, their claims settled."""
        runs: dict[str, datetime] = {}
        for item in list_objects(self.client, self.output / STAGING):
            run = item["Key"][len((self.output / STAGING).below) :].partition("/")[0]
            runs[run] = max(item["LastModified"], runs.get(run, item["LastModified"]))
        for run, last_sign in runs.items():
            if self._is_dead(last_sign):
                self._clear_run(self.output / STAGING / run)

    def _clear_run(self, staging: S3Address) -> None:
        claim = self._claim_of(staging)
        if claim is not None:
            if claim.state is State.PENDING:
                self.log.decide(claim, State.ABORTED)
            self.settle(claim)
        self.delete_below(staging)

    def _claim_of(self, staging: S3Address) -> Claim | None:
        found = get_object(self.client, staging.bucket, (staging / _MARK).key)
        key = json.loads(found.content)["claim"] if found is not None else None
        return self.log.read_one(key) if key else None


@frozen
class S3Staging:
    """A run's private prefix below the output."""

    writer: S3Writer
    place: S3Address

    @property
    def root(self) -> str:
        return str(self.place)

    def mark(self, claim_key: str | None) -> None:
        """Note that a run is under way here, and the claim that it is about to make."""
        body = json.dumps({"claim": claim_key}).encode()
        self._put(self.place / _MARK, body)

    def restart(self) -> None:
        self.writer.delete_below(self.place, keep=(self.place / _MARK).key)

    def publish(
        self,
        plan: DeltaPlan,
        facts: RunFacts,
        rows: Mapping[str, int],
        unreadable: Sequence[InputFile],
    ) -> Manifest:
        staged = self._staged(plan, facts, rows, unreadable)
        folders = replaced_folders(plan, rows)
        for _ in range(_ATTEMPTS):
            # New names each time: those of an aborted try may be deleted once more at any moment.
            token = uuid.uuid4().hex[:12]
            copies = [item.placed(token) for item in staged]
            manifest = Manifest(0, token, facts, folders, tuple(file for _, file in copies))
            draft = self.writer.log.draft(manifest)
            self.mark(draft.entry.key)
            claim = self.writer.log.put(draft)
            if claim is not None and self._publish(claim, copies):
                self._tidy_up(evolve(claim, state=State.PUBLISHED))
                return claim.manifest
        raise AwsError(
            f"{self.writer.output}: {_ATTEMPTS} tries to publish were overtaken by other runs of the "
            "same slices; see to it that one run at a time is started for a slice"
        )

    def close(self) -> None:
        # What can't be removed now is removed as a dead run's later.
        with suppress(AwsError):
            self.writer.delete_below(self.place)

    def _publish(self, claim: Claim, copies: Sequence[_Copy]) -> bool:
        """Copy and decide; False where another run has aborted this one."""
        try:
            with ThreadPoolExecutor(THREADS) as pool:
                list(pool.map(self._place, copies))
        except NdrError:
            # As far as it goes; the next run of these slices does the rest.
            with suppress(NdrError):
                self._withdraw(claim)
            raise
        if self.writer.log.decide(claim, State.PUBLISHED):
            return True
        self._withdraw(claim)
        return False

    def _withdraw(self, claim: Claim) -> None:
        self.writer.log.decide(claim, State.ABORTED)
        self.writer.delete_files(claim.manifest.files)
        delete_objects(self.writer.client, self.place.bucket, [claim.entry.key])

    def _tidy_up(self, claim: Claim) -> None:
        try:
            self.writer.settle(claim)
            self.writer.clear_dead_runs()
        except AwsError as error:
            raise AwsError(
                f"the run is published, but what it replaces could not be removed ({error}); "
                "run it again, lest readers without the manifests see both"
            ) from error

    def _staged(
        self,
        plan: DeltaPlan,
        facts: RunFacts,
        rows: Mapping[str, int],
        unreadable: Sequence[InputFile],
    ) -> list[_Staged]:
        names = [file.uri.rpartition("/")[2] for file in unreadable]
        for number, file in enumerate(unreadable):
            target = self.place / unreadable_name(number, names[number])
            self._copy(S3Address.of_object(file.uri), target)
        self._put(self.place / REPORT_NAME, json.dumps(facts.report.to_plain(), indent=1).encode())
        quarantine = [
            item["Key"][len(self.place.below) :]
            for item in list_objects(self.writer.client, self.place / QUARANTINE)
            if item["Key"].endswith(".gz")
        ]
        rejected = facts.report.read - facts.report.kept
        found = targets(plan, rows, quarantine, rejected, names)
        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(self._measured, found))

    def _measured(self, target: Target) -> _Staged:
        source = self.place / target.staged
        with told(str(source)):
            head = self.writer.client.head_object(Bucket=source.bucket, Key=source.key)
        size = head["ContentLength"]
        stream = ObjectStream(self.writer.client, source.bucket, source.key, size)
        digest = hashlib.sha256()
        while chunk := stream.read(_HASH_CHUNK):
            digest.update(chunk)
        return _Staged(source, target, size, digest.hexdigest())

    def _place(self, copy: _Copy) -> None:
        source, file = copy
        self._copy(source, self.writer.output / file.path)

    def _copy(self, source: S3Address, target: S3Address) -> None:
        with told(str(target)):
            self.writer.client.copy(
                {"Bucket": source.bucket, "Key": source.key},
                target.bucket,
                target.key,
                ExtraArgs={"TaggingDirective": "REPLACE"},  # copying tags takes more permissions
                Config=TransferConfig(use_threads=False),
            )

    def _put(self, address: S3Address, body: bytes) -> None:
        with told(str(address)):
            self.writer.client.put_object(Bucket=address.bucket, Key=address.key, Body=body)


@frozen
class _Staged:
    """A staged object, and what is in it."""

    source: S3Address
    target: Target
    size: int
    sha256: str

    def placed(self, token: str) -> _Copy:
        return self.source, self.target.placed(token, self.size, self.sha256)
