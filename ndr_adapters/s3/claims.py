"""Runs that are being published, or were: one object each, decided once.

A run claims a place in the order of its mini-batch's runs by an object that names all files it is about to put into
the tables, still *pending*. One conditional write of that object (If-Match) then decides: *published*, by the
run itself, or *aborted*, by another run that found it in its way. Whoever writes first wins; the other gets to know.

The object's key holds what is needed to pass it over unread (`ndr_core.publishing.entry`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, field, frozen
from botocore.exceptions import ClientError

from ndr_adapters.aws.errors import AwsError, aws_errors_named, error_code
from ndr_adapters.aws.limits import THREADS
from ndr_adapters.s3.objects import get_object, list_groups
from ndr_core.errors import NdrError
from ndr_core.publishing.entry import (
    MANIFESTS,
    Entry,
    entry_of,
    former_output,
    is_former_name,
    owner_prefix,
    parse_entry,
    settled,
)
from ndr_core.publishing.location import S3Address
from ndr_core.publishing.manifest import Manifest, ManifestError, plain_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LOST: Final = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409")
_ATTEMPTS: Final = 5


class State(Enum):
    """What became of a claim."""

    PENDING = "pending"
    PUBLISHED = "published"
    ABORTED = "aborted"


@frozen
class Listed:
    """A claim as listed, unread."""

    key: str
    modified: datetime = field(eq=False)
    entry: Entry


@frozen
class Claim:
    """A claim as read."""

    listed: Listed
    etag: str
    state: State
    manifest: Manifest


@frozen
class Odd:
    """A claim that was not decided for publication, and is not whole and right: nobody acts on it.

    Another version's, perhaps, whose run may live.
    """

    listed: Listed


class UndecidedError(AwsError):
    """It is not known what became of a claim."""


@frozen
class ClaimLog:
    """The claims of one output."""

    client: S3Client
    output: S3Address
    notice: Callable[[str], None] = lambda _: None
    """Takes what is odd among the claims."""

    def all(self) -> list[Listed]:
        """List all claims, as of one moment. What has no key of a claim is named and passed over.

        Raises UsageError for an output of a version in which runs owned whole slices, NdrError where claims change too
        fast to be listed.
        """
        return list(settled(lambda: list(self._listed(""))))

    def of_owner(self, version: str, hashed: str) -> list[Listed]:
        """List the claims of one owner. `hashed`: as `owner_hash`."""
        return list(self._listed(owner_prefix(version, hashed)))

    def _listed(self, beginning: str) -> Iterator[Listed]:
        root = self.output / MANIFESTS
        for item in list_groups(self.client, root, beginning, _owner_in):
            name = item["Key"][len(root.below) :]
            entry = parse_entry(name)
            if entry is not None:
                yield Listed(item["Key"], item["LastModified"], entry)
            elif is_former_name(name):
                raise former_output(self.output)
            elif not name.endswith("/"):  # an empty object that stands for a folder
                address = f"s3://{self.output.bucket}/{item['Key']}"
                self.notice(f"{address}: is no name of a run's manifest; it is passed over")

    def published(self, choose: Callable[[list[Entry]], Iterable[Entry]]) -> list[Manifest]:
        """Read the published ones of chosen claims. Raises as `all` and as `survey`."""
        return manifests_of(self.survey(lambda: self.chosen(choose)))

    def chosen(self, choose: Callable[[list[Entry]], Iterable[Entry]]) -> list[Listed]:
        """List the claims that are chosen by what their keys tell. Raises as `all`."""
        known = self.all()
        wanted = set(choose([one.entry for one in known]))
        return [one for one in known if one.entry in wanted]

    def survey(self, listed: Callable[[], Sequence[Listed]]) -> list[Claim | Odd]:
        """Read claims, all as of one moment after the call began where `listed` lists them so. Raises as `read_one`.

        One that is deleted between listing and reading may have given way to one not listed yet, so that
        the listing is taken again; a claim that was decided when it was read is not read again then.
        """
        decided: dict[str, Claim | Odd | None] = {}
        for _ in range(_ATTEMPTS):
            entries = listed()
            unread = [one for one in entries if one.key not in decided]
            with ThreadPoolExecutor(THREADS) as pool:
                read = dict(
                    zip((one.key for one in unread), pool.map(self._read, unread), strict=True)
                )
            known = decided | read
            found = [claim for one in entries if (claim := known[one.key]) is not None]
            if len(found) == len(entries):
                return found
            decided |= {key: claim for key, claim in read.items() if _is_decided(claim)}
        raise AwsError(f"{self.output}: runs are published faster than they can be read; try again")

    def read_one(self, key: str) -> Claim | None:
        """The claim of that key; None if it is gone, or not published and odd, which is named.

        Raises NdrError for one that can't be read, or is published and wrong: its files may count.
        """
        listed = self._named(key)
        found = self._read(listed) if listed is not None else None
        return found if isinstance(found, Claim) else None

    def names(self, key: str) -> bool:
        """Whether a text is the key of a claim, written or not."""
        return self._named(key) is not None

    def _named(self, key: str) -> Listed | None:
        root = (self.output / MANIFESTS).below
        entry = parse_entry(key.removeprefix(root)) if key.startswith(root) else None
        return None if entry is None else Listed(key, datetime.now(UTC), entry)

    def _read(self, listed: Listed) -> Claim | Odd | None:
        address = f"s3://{self.output.bucket}/{listed.key}"
        found = get_object(self.client, self.output.bucket, listed.key)
        if found is None:
            return None
        state = None
        try:
            data = plain_of(found.content)
            state, plain = parts_of(data)
            manifest = Manifest.from_plain(plain)
            if entry_of(manifest) != listed.entry:
                raise ManifestError("is another run's manifest than its name says")
            if state is not State.PUBLISHED:
                manifest.must_be_exactly(plain)
        except ManifestError as error:
            if state in (State.PENDING, State.ABORTED):
                self.notice(
                    f"{address}: {error}; it is passed over, and nothing is deleted on its word"
                )
                return Odd(listed)
            raise error.at(address) from error
        return Claim(evolve(listed, modified=found.modified), found.etag, state, manifest)

    def draft(self, manifest: Manifest) -> Claim:
        """Make a claim to write. Raises ManifestError for a manifest that has no place."""
        entry = entry_of(manifest)
        key = (self.output / MANIFESTS / entry.name).key
        return Claim(Listed(key, datetime.now(UTC), entry), "", State.PENDING, manifest)

    def put(self, draft: Claim) -> Claim | None:
        """Write a draft: from then on it is pending. None where it has been aborted already.

        Written only once: a second try, made for want of an answer to the first, must not undo an abort.
        """
        address = f"s3://{self.output.bucket}/{draft.listed.key}"
        with aws_errors_named(address):
            try:
                answer = self.client.put_object(
                    Bucket=self.output.bucket,
                    Key=draft.listed.key,
                    Body=_body(draft),
                    IfNoneMatch="*",
                )
                return evolve(draft, etag=answer["ETag"])
            except ClientError as error:
                if error_code(error) not in _LOST:
                    raise
        found = self.read_one(draft.listed.key)
        return found if found is not None and found.state is State.PENDING else None

    def put_published(self, manifest: Manifest) -> None:
        """Write the claim of a run that counts already, by what was written of it elsewhere."""
        claim = evolve(self.draft(manifest), state=State.PUBLISHED)
        with aws_errors_named(f"s3://{self.output.bucket}/{claim.listed.key}"):
            self.client.put_object(
                Bucket=self.output.bucket, Key=claim.listed.key, Body=_body(claim)
            )

    def decide(self, claim: Claim, state: State) -> bool:
        """Give a pending claim its last state, or learn that it has another one or is gone.

        Raises NdrError where S3 does not take the decision, UndecidedError where it can't be known.
        """
        decided = evolve(claim, state=state)
        address = f"s3://{self.output.bucket}/{claim.listed.key}"
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
                found = self.read_one(claim.listed.key)
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
                Key=claim.listed.key,
                Body=_body(claim),
                IfMatch=claim.etag,
            )
        except ClientError as error:
            if error_code(error) in _LOST:
                raise _ChangedError from error
            raise


def _owner_in(key: str) -> str:
    """What all keys of claims of one owner begin with."""
    folder, slash, name = key.rpartition("/")
    return folder + slash + name.partition("-")[0]


def _is_decided(claim: Claim | Odd | None) -> bool:
    """Whether a claim will be what it is for as long as it is there."""
    return isinstance(claim, Claim) and claim.state is not State.PENDING


def parts_of(data: Any) -> tuple[State, Any]:
    """Give state and manifest of a claim's data. Raises ManifestError for data of no claim."""
    try:
        return State(data["state"]), data["manifest"]
    except (ValueError, KeyError, TypeError) as error:
        raise ManifestError("is no manifest of a run") from error


class _ChangedError(Exception):
    """A claim is no longer what it was when read."""


def _body(claim: Claim) -> bytes:
    data = {"state": claim.state.value, "manifest": claim.manifest.to_plain()}
    return json.dumps(data, indent=1).encode()


def manifests_of(claims: Iterable[Claim | Odd]) -> list[Manifest]:
    """The manifests of the published ones."""
    return [
        claim.manifest
        for claim in claims
        if isinstance(claim, Claim) and claim.state is State.PUBLISHED
    ]
