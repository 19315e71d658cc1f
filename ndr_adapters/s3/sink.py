"""Publishing to S3: all of a run or nothing.

An engine stages its files below the output. Publishing claims a place in the order of runs (`claims.py`),
copies the staged files into their partitions under names that no other run uses, decides the claim, which is
the moment of publication, then deletes what it replaced. Copies are made by S3; files here are few and small.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from attrs import field, frozen
from boto3.s3.transfer import TransferConfig

from ndr_adapters.aws.errors import AwsError, aws_errors_named
from ndr_adapters.aws.limits import THREADS
from ndr_adapters.s3.claims import Claim, ClaimLog, Odd, State, UndecidedError, manifests_of
from ndr_adapters.s3.cleanup import MARK, STAGING, Cleanup
from ndr_adapters.s3.clock import answered_at, check_clock
from ndr_adapters.s3.compacted import find_compacted_days, note_compacted
from ndr_adapters.s3.meeting import overtaken, stop_compactions, stop_runs
from ndr_adapters.s3.objects import ObjectStream
from ndr_adapters.s3.pruned import read_pruned
from ndr_core.errors import AfterPublicationError, NdrError, UsageError, shown
from ndr_core.flows.source import InputFile
from ndr_core.publishing.compaction import Compaction
from ndr_core.publishing.entry import owner_hash
from ndr_core.publishing.layout import Target, failed_path, unreadable_name
from ndr_core.publishing.location import S3Address, is_s3
from ndr_core.publishing.manifest import Manifest, OutputFile, RunFacts, day_owner
from ndr_core.publishing.ownership import last_live
from ndr_core.publishing.pruning import without_pruned
from ndr_core.publishing.sink import Publication
from ndr_core.publishing.standing import Standing, entries_of_note, standing_of
from ndr_core.tables.table import Table
from ndr_core.times import now_us

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DEAD_AFTER: Final = timedelta(hours=24)
"""A run that began so long ago and has not ended is taken for dead; the pipeline stops its jobs well before."""

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

    @property
    def place(self) -> S3Address:
        return self.output

    def standing(self, facts: RunFacts, since: int) -> Standing:
        version, owner = facts.feature_spec_version, owner_hash(facts.owner)
        log = ClaimLog(self.client, self.output)
        found = log.published(lambda known: entries_of_note(known, version, owner, since))
        pruned = read_pruned(self.client, self.output)
        return standing_of(found, facts, since, find_compacted_days(log, facts), pruned)

    def open_staging(
        self,
        run_id: str,
        tables: Iterable[Table],  # noqa: ARG002 - a prefix has no file system of its own
        notice: Callable[[str], None],
    ) -> S3Staging:
        """As `Sink`. Raises UsageError, too, where this machine's clock is far from S3's."""
        log = ClaimLog(self.client, self.output, _once(notice))
        place = self.output / STAGING / f"{run_id}-{uuid.uuid4().hex[:12]}"
        staging = S3Staging(log, place, self.dead_after)
        moment = staging.mark(None)
        if moment is not None:
            try:
                check_clock(moment)
            except UsageError:
                staging.close()
                raise
        return staging


def _once(notice: Callable[[str], None]) -> Callable[[str], None]:
    """Passes each message on once: what is odd is met at every look at the output."""
    seen: set[str] = set()

    def pass_on(message: str) -> None:
        if message not in seen:
            seen.add(message)
            notice(message)

    return pass_on


@frozen
class S3Staging:
    """A run's private prefix below the output."""

    log: ClaimLog
    place: S3Address
    dead_after: timedelta

    @property
    def root(self) -> str:
        return str(self.place)

    def mark(self, claim_key: str | None) -> datetime | None:
        """Note that a run is under way here, and its claim, from before that is made until it is settled.

        Gives the time of S3's own clock, if it tells.
        """
        body = json.dumps({"claim": claim_key}).encode()
        return self._put(self.place / MARK, body)

    def restart(self) -> None:
        self._cleanup(None).empty_staging(self.place)

    def publish(self, publication: Publication) -> Manifest:
        pruned = read_pruned(self.log.client, self.log.output)
        staged = self._staged(without_pruned(publication, pruned, self.log.notice))
        facts = publication.facts
        version, owner = facts.feature_spec_version, owner_hash(facts.owner)
        for _ in range(_ATTEMPTS):
            # New names each time: those of an aborted try may be deleted once more at any moment.
            token = uuid.uuid4().hex[:12]
            copies = [item.placed(token) for item in staged]
            met = self.log.survey(lambda: self.log.of_owner(version, owner))
            former = last_live(manifests_of(met))
            files = [file for _, file in copies]
            draft = self.log.draft(publication.manifest(_moment_after(met), token, files, former))
            now = self.mark(draft.listed.key)
            claim = self.log.put(draft)
            if claim is None:
                continue
            with self._withdrawing(claim):
                stop_compactions(self._cleanup(None), facts)
            if self._publish(claim, copies):
                self._tidy_up(claim, now)
                return claim.manifest
        raise AwsError(
            f"{self.log.output}: {_ATTEMPTS} tries to publish were overtaken by other runs of the "
            "same mini-batch; see to it that one run at a time is started for a mini-batch"
        )

    def publish_day(self, compaction: Compaction) -> Manifest:
        day = compaction.day
        token = uuid.uuid4().hex[:12]
        owner = owner_hash(day_owner(day.version, day.date))
        copies = [item.placed(token) for item in self._measured(compaction.targets())]
        met = self.log.survey(lambda: self.log.of_owner(day.version, owner))
        files = [file for _, file in copies]
        draft = self.log.draft(compaction.manifest(_moment_after(met), token, files))
        note_compacted(self.log, day)
        now = self.mark(draft.listed.key)
        claim = self.log.put(draft)
        if claim is None:
            raise overtaken(day)
        with self._withdrawing(claim):
            stop_runs(self._cleanup(None), day)
        if not self._publish(claim, copies):
            raise overtaken(day)
        self._tidy_up(claim, now)
        return claim.manifest

    @contextmanager
    def _withdrawing(self, claim: Claim) -> Iterator[None]:
        """Withdraw a pending claim where what is done meanwhile fails."""
        try:
            yield
        except NdrError:
            with suppress(NdrError):
                self._withdraw(claim)
            raise

    def set_aside(self, publication: Publication) -> str:
        folder = self.log.output / failed_path(publication.facts)
        targets = publication.aside_targets(self._stage_small(publication))
        with ThreadPoolExecutor(THREADS) as pool:
            sources = [self.place / target.staged for target in targets]
            list(pool.map(self._copy, sources, [folder / target.name for target in targets]))
        return str(folder)

    def close(self) -> None:
        # What can't be removed now is removed as a dead run's later.
        with suppress(NdrError):
            self._cleanup(None).close_staging(self.place)

    def _cleanup(self, now: datetime | None) -> Cleanup:
        return Cleanup(self.log, self.dead_after, now)

    def _publish(self, claim: Claim, copies: Sequence[_Copy]) -> bool:
        """Copy and decide; False where another run has aborted this one."""
        try:
            with ThreadPoolExecutor(THREADS) as pool:
                list(pool.map(self._place, copies))
        except NdrError:
            # As far as it goes; the next run of its owner does the rest, or whoever clears away dead runs. The claim
            # stays: a copy of which the answer was lost may be made after all.
            with suppress(NdrError):
                self.log.decide(claim, State.ABORTED)
                self._cleanup(None).delete_files(claim)
            raise
        try:
            published = self.log.decide(claim, State.PUBLISHED)
        except UndecidedError as error:
            raise NdrError(
                f"it is not known whether the run is published ({error}); run it again, which is safe"
            ) from error
        except NdrError:
            with suppress(NdrError):
                if not self._withdraw(claim):
                    return True  # a try that seemed lost was done late
            raise
        if not published:
            self._withdraw(claim)
        return published

    def _withdraw(self, claim: Claim) -> bool:
        """Undo a claim, so that it can't be published any more; False where it is published already."""
        if not self.log.decide(claim, State.ABORTED):
            left = self.log.read_one(claim.listed.key)
            if left is not None and left.state is State.PUBLISHED:
                return False
        self._cleanup(None).withdraw(claim)
        return True

    def _tidy_up(self, claim: Claim, now: datetime | None) -> None:
        cleanup = self._cleanup(now)
        try:
            cleanup.finish(claim)
            self.mark(None)
            cleanup.clear_dead_runs()
        except NdrError as error:
            if claim.manifest.day:
                raise AfterPublicationError(
                    f"{claim.manifest.day} is compacted, but what it was made from could not be removed ({error}); "
                    f"the first run that is published when {self.dead_after} have gone by removes it, and until then "
                    "readers that do not know the manifests see both"
                ) from error
            raise AfterPublicationError(
                f"the run is published, but what it replaces could not be removed ({error}); "
                "run it again, or readers that do not know the manifests see both"
            ) from error

    def _staged(self, publication: Publication) -> list[_Staged]:
        return self._measured(publication.targets(self._stage_small(publication)))

    def _measured(self, targets: Iterable[Target]) -> list[_Staged]:
        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(self._measured_one, targets))

    def _stage_small(self, publication: Publication) -> list[str]:
        """Stage what no engine does: report and unreadable input files, whose names it gives."""
        for name, text in publication.texts.items():
            self._put(self.place / name, text.encode())
        return self._copy_unreadable(publication.unreadable)

    def _copy_unreadable(self, files: Iterable[InputFile]) -> list[str]:
        """Stage unreadable input files. What can't be copied is named, as the report does."""
        names: list[str] = []
        for file in files:
            name = file.uri.rpartition("/")[2]
            try:
                if not is_s3(file.uri):
                    raise UsageError("it does not lie in S3")
                target = self.place / unreadable_name(len(names), name)
                self._copy(S3Address.of_object(file.uri), target)
            except NdrError as error:  # where nothing can be written, the report can't be either
                self.log.notice(f"{shown(file.uri)}: not copied to the quarantine: {error}")
            else:
                names.append(name)
        return names

    def _measured_one(self, target: Target) -> _Staged:
        source = self.place / target.staged
        with aws_errors_named(str(source)):
            head = self.log.client.head_object(Bucket=source.bucket, Key=source.key)
        size = head["ContentLength"]
        stream = ObjectStream(self.log.client, source.bucket, source.key, size)
        digest = hashlib.sha256()
        while chunk := stream.read(_HASH_CHUNK):
            digest.update(chunk)
        return _Staged(source, target, size, digest.hexdigest())

    def _place(self, copy: _Copy) -> None:
        source, file = copy
        self._copy(source, self.log.output / file.path)

    def _copy(self, source: S3Address, target: S3Address) -> None:
        with aws_errors_named(str(target)):
            self.log.client.copy(
                {"Bucket": source.bucket, "Key": source.key},
                target.bucket,
                target.key,
                ExtraArgs={"TaggingDirective": "REPLACE"},  # copying tags takes more permissions
                Config=TransferConfig(use_threads=False),
            )

    def _put(self, address: S3Address, body: bytes) -> datetime | None:
        with aws_errors_named(str(address)):
            answer = self.log.client.put_object(Bucket=address.bucket, Key=address.key, Body=body)
        return answered_at(answer)


def _moment_after(claims: Iterable[Claim | Odd]) -> int:
    """The moment of a publication that comes after these claims, us: now, unless clocks differ."""
    return max([now_us(), *(one.listed.entry.published_at + 1 for one in claims)])


@frozen
class _Staged:
    """A staged object, and what is in it."""

    source: S3Address
    target: Target
    size: int
    sha256: str

    def placed(self, token: str) -> _Copy:
        return self.source, self.target.placed(token, self.size, self.sha256)
