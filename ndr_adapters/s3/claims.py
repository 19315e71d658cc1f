"""Runs that are being published, or were: one object each, decided once.

A run claims a place in the order of publication by an object that names all files it is about to put into
the tables, still *pending*. One conditional write of that object (If-Match) then decides: *published*, by the
run itself, or *aborted*, by another run that found it in its way. Whoever writes first wins; the other gets to know.

The object's key holds what is needed to pass it over unread: version, first and last slice, mini-batch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, frozen
from botocore.exceptions import ClientError

from ndr_adapters.aws.errors import AwsError, aws_errors_named, error_code
from ndr_adapters.aws.limits import THREADS
from ndr_adapters.s3.objects import get_object, list_objects
from ndr_core.errors import NdrError
from ndr_core.publishing.location import S3Address
from ndr_core.publishing.manifest import Manifest, ManifestError, plain_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MANIFESTS: Final = "_manifests"
_NO_SLICE: Final = "none"
_LABEL: Final = "%Y-%m-%dT%H%M"
_LOST: Final = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409")
_ATTEMPTS: Final = 5
_SPAN: Final = r"none|\d{4}-\d\d-\d\dT\d{4}"
_KEY: Final = re.compile(
    rf"feature_spec_version=(?P<version>[^/]+)/(?P<first>{_SPAN})_(?P<last>{_SPAN})/"
    r"(?P<sequence>\d{12,})-[^/-]+-(?P<mini_batch_id>[^/]+)\.json",
    re.ASCII,
)


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
    version: str
    """Feature_spec_version."""
    first: str
    """First slice, as `slice_label`, or 'none'."""
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


@frozen
class Odd:
    """A claim that was not decided for publication, and is not whole and right: nobody acts on it.

    Another version's, perhaps, whose run may live.
    """

    entry: Entry


class UndecidedError(AwsError):
    """It is not known what became of a claim."""


def slice_label(path: str) -> str:
    """Short form of a slice's path, sorting as time does: `2025-03-01T1015`."""
    keys = dict(part.split("=", 1) for part in path.split("/"))
    return f"{keys['dt']}T{keys['hh']}{keys['mm']}"


@frozen
class ClaimLog:
    """The claims of one output."""

    client: S3Client
    output: S3Address
    notice: Callable[[str], None] = lambda _: None
    """Takes what is odd among the claims."""

    def entries(self) -> list[Entry]:
        """All claims, unread. What has no key of a claim is named and passed over."""
        found = []
        for item in list_objects(self.client, self.output / MANIFESTS):
            entry = _entry(self.output, item["Key"], item["LastModified"])
            if entry is not None:
                found.append(entry)
            elif not item["Key"].endswith("/"):  # an empty object that stands for a folder
                address = f"s3://{self.output.bucket}/{item['Key']}"
                self.notice(f"{address}: is no name of a run's manifest; it is passed over")
        return found

    def read(self, wanted: Callable[[Entry], bool]) -> list[Claim]:
        """The wanted claims, without odd ones. Raises as `survey`."""
        return [claim for claim in self.survey(wanted) if isinstance(claim, Claim)]

    def survey(self, wanted: Callable[[Entry], bool]) -> list[Claim | Odd]:
        """The wanted claims, as of one moment after the call began. Raises as `read_one`.

        One that is deleted between listing and reading may have given way to one not listed yet, so
        that the listing is taken again.
        """
        for _ in range(_ATTEMPTS):
            entries = [entry for entry in self.entries() if wanted(entry)]
            with ThreadPoolExecutor(THREADS) as pool:
                claims = list(pool.map(self._read, entries))
            found = [claim for claim in claims if claim is not None]
            if len(found) == len(entries):
                return found
        raise AwsError(f"{self.output}: runs are published faster than they can be read; try again")

    def read_one(self, key: str) -> Claim | None:
        """The claim of that key; None if it is gone, or undecided and odd, which is named.

        Raises NdrError for one that can't be read, or is published and wrong: it may own slices.
        """
        entry = _entry(self.output, key, datetime.now(UTC))
        found = self._read(entry) if entry is not None else None
        return found if isinstance(found, Claim) else None

    def names(self, key: object) -> bool:
        """Whether a text is the key of a claim, written or not."""
        return isinstance(key, str) and _entry(self.output, key, datetime.now(UTC)) is not None

    def _read(self, entry: Entry) -> Claim | Odd | None:
        address = f"s3://{self.output.bucket}/{entry.key}"
        found = get_object(self.client, self.output.bucket, entry.key)
        if found is None:
            return None
        state = None
        try:
            data = plain_of(found.content)
            state, plain = _parts(data)
            manifest = Manifest.from_plain(plain)
            if self._place(manifest).key != entry.key:
                raise ManifestError("is another run's manifest than its name says")
            if state is not State.PUBLISHED:
                manifest.must_be_exactly(plain)
        except ManifestError as error:
            if state in (State.PENDING, State.ABORTED):
                self.notice(
                    f"{address}: {error}; it is passed over, and nothing is deleted on its word"
                )
                return Odd(entry)
            raise NdrError(
                f"{address}: {error}; restore it, or remove it and run its mini-batch again"
            ) from error
        return Claim(evolve(entry, modified=found.modified), found.etag, state, manifest)

    def draft(self, manifest: Manifest) -> Claim:
        """A claim to write, later in order than all that it may meet, whatever its own sequence.

        Raises NdrError where one of those is published and wrong: it may own the same slices.
        """
        met = self.survey(self._place(manifest).meets)
        sequence = 1 + max((claim.entry.sequence for claim in met), default=0)
        numbered = evolve(manifest, sequence=sequence)
        return Claim(self._place(numbered), "", State.PENDING, numbered)

    def put(self, draft: Claim) -> Claim | None:
        """Write a draft: from then on it is pending. None where it has been aborted already.

        Written only once: a second try, made for want of an answer to the first, must not undo an abort.
        """
        address = f"s3://{self.output.bucket}/{draft.entry.key}"
        with aws_errors_named(address):
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
        """Give a pending claim its last state, or learn that it has another one or is gone.

        Raises NdrError where S3 does not take the decision, UndecidedError where it can't be known.
        """
        decided = evolve(claim, state=state)
        address = f"s3://{self.output.bucket}/{claim.entry.key}"
        for _ in range(_ATTEMPTS):
            failure = None
            try:
                with aws_errors_named(address):
                    self._put_if_unchanged(decided)
            except _ChangedError:
                pass
            except NdrError as error:
                failure = error  # the answer may be all that failed
            else:
                return True
            try:
                found = self.read_one(claim.entry.key)
            except NdrError as error:
                raise UndecidedError(str(failure or error)) from error
            # An earlier try of this very write may have been done, its answer lost on its way.
            if found is None or found.state is not State.PENDING:
                return found is not None and found.state is state
            if failure is not None:
                raise failure
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
        """Where a manifest's claim lies. Raises ManifestError for one that has no place."""
        facts = manifest.facts
        try:
            labels = [slice_label(path) for path in manifest.slices()] or [_NO_SLICE]
        except (KeyError, ValueError) as error:
            raise ManifestError("names a folder that is no slice") from error
        name = f"{manifest.sequence:012}-{manifest.token}-{facts.mini_batch_id}.json"
        version = f"feature_spec_version={facts.feature_spec_version}"
        place = self.output / MANIFESTS / version / f"{labels[0]}_{labels[-1]}" / name
        entry = _entry(self.output, place.key, datetime.now(UTC))
        if entry is None:
            raise ManifestError("says what can't be the name of a run's manifest")
        return entry


def _entry(output: S3Address, key: str, modified: datetime) -> Entry | None:
    """What a key tells; None for one that is no claim's of this output."""
    root = (output / MANIFESTS).below
    found = _KEY.fullmatch(key.removeprefix(root)) if key.startswith(root) else None
    if found is None:
        return None
    return Entry(
        key,
        modified,
        found["version"],
        found["first"],
        found["last"],
        int(found["sequence"]),
        found["mini_batch_id"],
    )


def _parts(data: Any) -> tuple[State, Any]:
    """State and manifest of a claim's data."""
    try:
        return State(data["state"]), data["manifest"]
    except (ValueError, KeyError, TypeError) as error:
        raise ManifestError("is no manifest of a run") from error


class _ChangedError(Exception):
    """A claim is no longer what it was when read."""


def _body(claim: Claim) -> bytes:
    data = {"state": claim.state.value, "manifest": claim.manifest.to_plain()}
    return json.dumps(data, indent=1).encode()


def manifests_of(claims: Sequence[Claim]) -> list[Manifest]:
    """The manifests of the published ones."""
    return [claim.manifest for claim in claims if claim.state is State.PUBLISHED]
