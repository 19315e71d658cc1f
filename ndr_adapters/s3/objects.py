"""Objects in S3: listed, read in ranges, deleted in bulk."""

from __future__ import annotations

import io
import posixpath
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen
from botocore.exceptions import BotoCoreError, ClientError

from ndr_adapters.aws.errors import AwsError, aws_errors_named, error_code
from ndr_adapters.aws.limits import THREADS
from ndr_core.errors import InputChangedError, printable
from ndr_core.publishing.location import S3Address

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef

FIRST_BYTES: Final = 256 << 10
_CHUNK_BYTES: Final = 8 << 20
_READ_ATTEMPTS: Final = 5
_DELETE_BATCH: Final = 1000
_CHANGED: Final = ("PreconditionFailed", "412", "InvalidRange", "416")
_DAY_LEVELS: Final = 3
"""Of a table's paths: table, version, day."""


def list_objects(
    client: S3Client, place: S3Address, beginning: str = ""
) -> Iterator[ObjectTypeDef]:
    """The objects below a place, in the order of their keys; those whose path below it begins so."""
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=place.bucket, Prefix=place.below + beginning
    )
    with aws_errors_named(str(place)):
        for page in pages:
            yield from page.get("Contents", ())


def list_groups(
    client: S3Client, place: S3Address, beginning: str, group_of: Callable[[str], str]
) -> Iterator[ObjectTypeDef]:
    """As `list_objects`, but each group of neighbouring keys as of one moment. `group_of`: of a key.

    S3 gives a listing page by page. In between, the one object of a group may give way to another one, whose
    key lies on the page before: no page would show any. So the last group of a page is left to the next page.
    """
    start: dict[str, Any] = {}
    while True:
        with aws_errors_named(str(place)):
            answer = client.list_objects_v2(
                Bucket=place.bucket, Prefix=place.below + beginning, **start
            )
        items = answer.get("Contents", [])
        if not answer["IsTruncated"]:
            yield from items
            return
        last = group_of(items[-1]["Key"])
        count = len(items)
        while count and group_of(items[count - 1]["Key"]) == last:
            count -= 1
        page = items[:count] or items  # of one group alone: nothing better can be done
        yield from page
        start = {"StartAfter": page[-1]["Key"]}


def sizes(client: S3Client, output: S3Address, paths: Iterable[str]) -> dict[str, int]:
    """Bytes of those of the named files below an output that are there, by one listing for each day."""
    days: dict[tuple[str, ...], list[str]] = {}
    for path in paths:
        days.setdefault(tuple(path.split("/")[:_DAY_LEVELS]), []).append(path)
    wanted = {path for day in days.values() for path in day}
    places = [output / posixpath.commonpath(map(posixpath.dirname, day)) for day in days.values()]
    root = len(output.below)
    with ThreadPoolExecutor(THREADS) as pool:
        listed = pool.map(lambda place: list(list_objects(client, place)), places)
        return {
            path: item["Size"]
            for items in listed
            for item in items
            if (path := item["Key"][root:]) in wanted
        }


class ObjectStream(io.RawIOBase):
    """An object read in ranges, each tried again by itself: a lost connection is no broken file."""

    def __init__(
        self, client: S3Client, bucket: str, key: str, size: int, etag: str | None = None
    ) -> None:
        """`etag`: of the version to read; default: whatever is there."""
        self._client = client
        self._bucket = bucket
        self._key = key
        self._size = size
        self._etag = etag
        self._offset = 0
        self._chunk = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        if not self._chunk and self._offset < self._size:
            # Small at first: a look at the first lines should not fetch megabytes of each file.
            length = _CHUNK_BYTES if self._offset else FIRST_BYTES
            self._chunk = memoryview(self.read_range(self._offset, length))
            self._offset += len(self._chunk)
        target = memoryview(buffer).cast("B")
        count = min(len(target), len(self._chunk))
        target[:count] = self._chunk[:count]
        self._chunk = self._chunk[count:]
        return count

    def read_range(self, start: int, length: int) -> bytes:
        """Bytes from `start`, fewer than `length` at the end.

        Raises AwsError when they can't be had, InputChangedError where the object is another one by now.
        """
        end = min(start + length, self._size) - 1
        found = get_object(
            self._client, self._bucket, self._key, f"bytes={start}-{end}", self._etag
        )
        if found is None or found.etag != (self._etag or found.etag):
            raise InputChangedError(printable(f"s3://{self._bucket}/{self._key}"))
        return found.content


@frozen
class Found:
    """An object, or a range of it, as fetched."""

    content: bytes
    etag: str
    modified: datetime


def get_object(
    client: S3Client,
    bucket: str,
    key: str,
    byte_range: str | None = None,
    etag: str | None = None,
) -> Found | None:
    """Fetch an object; None if there is none, or no more the one of that `etag`.

    An answer that breaks off is asked for again.

    Raises AwsError when that does not help.
    """
    address = f"s3://{bucket}/{key}"
    wanted: dict[str, Any] = {"Bucket": bucket, "Key": key}
    if byte_range is not None:
        wanted["Range"] = byte_range
    if etag is not None:
        wanted["IfMatch"] = etag
    for attempt in range(_READ_ATTEMPTS):
        with aws_errors_named(address):
            try:
                answer = client.get_object(**wanted)
            except client.exceptions.NoSuchKey:
                return None
            except ClientError as error:
                if error_code(error) in _CHANGED:
                    return None
                raise
        try:
            content = answer["Body"].read()
        except (BotoCoreError, OSError) as error:
            broken: Exception = error
        else:
            if len(content) == answer["ContentLength"]:
                return Found(content, answer["ETag"], answer["LastModified"])
            broken = EOFError(f"{len(content)} of {answer['ContentLength']} bytes")
        time.sleep(0.1 * 2**attempt)
    raise AwsError(f"{address}: reading broke off {_READ_ATTEMPTS} times: {broken}")


def delete_objects(client: S3Client, bucket: str, keys: Sequence[str]) -> None:
    """Delete objects; those that are gone already do no harm. Raises AwsError for any that stays."""
    for start in range(0, len(keys), _DELETE_BATCH):
        batch = keys[start : start + _DELETE_BATCH]
        with aws_errors_named(f"s3://{bucket}/{batch[0]}"):
            answer = client.delete_objects(
                Bucket=bucket, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True}
            )
        for left in answer.get("Errors", ()):
            raise AwsError(
                f"s3://{bucket}/{left.get('Key')}: can't be deleted: {left.get('Message')}"
            )
