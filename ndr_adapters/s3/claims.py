"""Runs that are being published, or were: one object each, decided once.

A run claims a place in the order of publication by an object that names all files it is about to put into
the tables, still *pending*. One conditional write of that object (If-Match) then decides: *published*, by the
run itself, or *aborted*, by another run that found it in its way. Whoever writes first wins; the other is told.

The object's key holds what is needed to pass it over unread: version, first and last slice, mini-batch.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Final

from attrs import evolve, field, frozen
from botocore.exceptions import ClientError
from cattrs import BaseValidationError

from ndr_adapters.aws import THREADS, AwsError, error_code, told
from ndr_adapters.s3.objects import get_object, list_objects
from ndr_core.errors import NdrError
from ndr_core.manifest import Manifest
from ndr_core.s3_address import S3Address

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MANIFESTS: Final = "_manifests"
_NO_SLICE: Final = "none"
_LABEL: Final = "%Y-%m-%dT%H%M"
_LOST: Final = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409")
_ATTEMPTS: Final = 5


class State(Enum):
    """What became of a claim."""

    PENDING = "pending"
    PUBLISHED = "published"
    ABORTED = "aborted"


@frozen
class Entry:
    """What the key of a claim tells."""

    key: str
    modified: datetime
    version: str = field(metadata={"doc": "feature_spec_version"})
    first: str = field(metadata={"doc": "first slice, as `slice_label`, or 'none'"})
    last: str
    sequence: int
    mini_batch_id: str

    def meets(self, other: Entry) -> bool:
        """Whether the two may name a folder in common."""
        if self.version != other.version:
            return False
        return self.mini_batch_id == other.mini_batch_id or self.overlaps(other.first, other.last)

    def overlaps(self, first: str, last: str) -> bool:
        """Whether a slice of the claim may lie between two labels, both included."""
        return _NO_SLICE not in (self.first, first) and self.first <= last and first <= self.last

    def may_hold(self, since: datetime | None, until: datetime | None) -> bool:
        """Whether a slice of the claim may start in [since, until), as far as whole minutes tell."""
        return (since is None or self.last >= f"{since.astimezone(UTC):{_LABEL}}") and (
            until is None or self.first <= f"{until.astimezone(UTC):{_LABEL}}"
        )


@frozen
class Claim:
    """A claim as read."""

    entry: Entry
    etag: str
    state: State
    manifest: Manifest


def slice_label(path: str) -> str:
    """Short form of a slice's path, sorting as time does: `2025-03-01T1015`."""
    keys = dict(part.split("=", 1) for part in path.split("/"))
    return f"{keys['dt']}T{keys['hh']}{keys['mm']}"


@frozen
class ClaimLog:
    """The claims of one output."""

    client: S3Client
    output: S3Address

    def entries(self) -> list[Entry]:
        """All claims, unread."""
        listed = list_objects(self.client, self.output / MANIFESTS)
        return [_entry(self.output, item["Key"], item["LastModified"]) for item in listed]

    def read(self, wanted: Callable[[Entry], bool]) -> list[Claim]:
        """The wanted claims, as of one moment after the call began.

        One that is deleted between listing and reading may have given way to one not listed yet, so
        that the listing is taken anew.
        """
        for _ in range(_ATTEMPTS):
            entries = [entry for entry in self.entries() if wanted(entry)]
            with ThreadPoolExecutor(THREADS) as pool:
                claims = list(pool.map(self.read_one, [entry.key for entry in entries]))
            found = [claim for claim in claims if claim is not None]
            if len(found) == len(entries):
                return found
        raise AwsError(f"{self.output}: runs are published faster than they can be read; try again")

    def read_one(self, key: str) -> Claim | None:
        """The claim of that key; None if it is gone."""
        address = f"s3://{self.output.bucket}/{key}"
        found = get_object(self.client, self.output.bucket, key)
        if found is None:
            return None
        entry = _entry(self.output, key, found.modified)
        try:
            data = json.loads(found.content)
            manifest = Manifest.from_plain(data["manifest"])
            return Claim(entry, found.etag, State(data["state"]), manifest)
        except (ValueError, KeyError, TypeError, BaseValidationError) as error:
            raise NdrError(
                f"{address}: is no manifest of a run; restore it, or remove it and run its "
                "mini-batch again"
            ) from error

    def draft(self, manifest: Manifest) -> Claim:
        """A claim to write, later in order than all that it may meet, whatever its own sequence."""
        own = self._place(manifest)
        sequence = 1 + max((e.sequence for e in self.entries() if e.meets(own)), default=0)
        numbered = evolve(manifest, sequence=sequence)
        return Claim(self._place(numbered), "", State.PENDING, numbered)

    def put(self, draft: Claim) -> Claim | None:
        """Write a draft: from then on it is pending. None where it has been aborted already.

        Written only once: a second try, made for want of an answer to the first, must not undo an abort.
        """
        address = f"s3://{self.output.bucket}/{draft.entry.key}"
        with told(address):
            try:
                answer = self.client.put_object(
                    Bucket=self.output.bucket,
                    Key=draft.entry.key,
                    Body=_body(draft),
                    IfNoneMatch="*",
                )
                return evolve(draft, etag=answer["ETag"])
            except ClientError as error:
                if error_code(error) not in _LOST:
                    raise
        found = self.read_one(draft.entry.key)
        return found if found is not None and found.state is State.PENDING else None

    def decide(self, claim: Claim, state: State) -> bool:
        """Give a pending claim its last state, or learn that it has another one or is gone."""
        decided = evolve(claim, state=state)
        address = f"s3://{self.output.bucket}/{claim.entry.key}"
        for _ in range(_ATTEMPTS):
            try:
                with told(address):
                    self._put_if_unchanged(decided)
            except _ChangedError:
                found = self.read_one(claim.entry.key)
                # The answer to an earlier try of this very write may have been lost on its way.
                if found is None or found.state is not State.PENDING:
                    return found is not None and found.state is state
            else:
                return True
        raise AwsError(f"{address}: could not be decided in {_ATTEMPTS} tries; run it again")

    def _put_if_unchanged(self, claim: Claim) -> None:
        try:
            self.client.put_object(
                Bucket=self.output.bucket,
                Key=claim.entry.key,
                Body=_body(claim),
                IfMatch=claim.etag,
            )
        except ClientError as error:
            if error_code(error) in _LOST:
                raise _ChangedError from error
            raise

    def _place(self, manifest: Manifest) -> Entry:
        labels = [slice_label(path) for path in manifest.slices()] or [_NO_SLICE]
        facts = manifest.facts
        name = f"{manifest.sequence:012}-{manifest.token}-{facts.mini_batch_id}.json"
        version = f"feature_spec_version={facts.feature_spec_version}"
        place = self.output / MANIFESTS / version / f"{labels[0]}_{labels[-1]}" / name
        return _entry(self.output, place.key, datetime.now(UTC))


def _entry(output: S3Address, key: str, modified: datetime) -> Entry:
    try:
        version, slices, name = key.split("/")[-3:]
        first, last = slices.split("_")
        sequence, _, mini_batch = name.removesuffix(".json").split("-", 2)
        return Entry(
            key, modified, version.partition("=")[2], first, last, int(sequence), mini_batch
        )
    except ValueError as error:
        raise NdrError(
            f"s3://{output.bucket}/{key}: is no name of a run's manifest; remove it"
        ) from error


class _ChangedError(Exception):
    """A claim is no longer what it was when read."""


def _body(claim: Claim) -> bytes:
    data = {"state": claim.state.value, "manifest": claim.manifest.to_plain()}
    return json.dumps(data, indent=1).encode()


def manifests_of(claims: Sequence[Claim]) -> list[Manifest]:
    """The manifests of the published ones."""
    return [claim.manifest for claim in claims if claim.state is State.PUBLISHED]
