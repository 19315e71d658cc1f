"""A mini-batch under a prefix in S3."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Any, cast

from attrs import frozen

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.aws.endpoint import foreign_endpoint
from ndr_adapters.aws.errors import aws_errors_named
from ndr_adapters.aws.limits import THREADS
from ndr_adapters.compression import head_of, text_of, unpacked
from ndr_adapters.s3.objects import FIRST_BYTES, ObjectStream, list_objects
from ndr_core.errors import UsageError
from ndr_core.flows.file_format import (
    GZIP_TAIL_BYTES,
    HEAD_BYTES,
    Compression,
    Head,
    compression_of,
)
from ndr_core.flows.files import is_hidden
from ndr_core.flows.line_blocks import line_blocks
from ndr_core.flows.source import FINGERPRINT_DIGITS, InputFile
from ndr_core.publishing.location import S3Address

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef


@frozen
class S3Reader:
    """Flow logs below a prefix, or in one object.

    Names that begin with `_` or `.` are no data, nor are the empty objects that stand for folders.
    """

    client: S3Client
    prefix: S3Address

    def __reduce__(self) -> tuple[Any, ...]:
        """Let other processes have a copy, with a client of their own: a client can't go with it."""
        meta = self.client.meta
        return _reader_elsewhere, (self.prefix, meta.region_name, foreign_endpoint(self.client))

    @property
    def place(self) -> S3Address:
        return self.prefix

    def places(self, files: Sequence[InputFile]) -> list[S3Address]:
        del files  # keys are all that there is: no links
        return []

    def files(self, notice: Callable[[str], None]) -> tuple[InputFile, ...]:
        del notice  # keys are all that there is: no links, no other kinds of file
        found = self._listed()
        if not found:
            raise UsageError(
                f"input {self.prefix}: no files there; check the prefix, and that the mini-batch has landed"
            )
        return tuple(sorted(found, key=lambda file: file.uri))

    def _listed(self) -> list[InputFile]:
        below = len(self.prefix.below)
        found = [
            _input_file(self.prefix.bucket, item)
            for item in list_objects(self.client, self.prefix)
            if not item["Key"].endswith("/") and not is_hidden(item["Key"][below:])
        ]
        return found or self._single()

    def _single(self) -> list[InputFile]:
        """The object whose key is the prefix itself, if there is one."""
        with aws_errors_named(str(self.prefix)):
            first = self.client.list_objects_v2(
                Bucket=self.prefix.bucket, Prefix=self.prefix.key, MaxKeys=1
            ).get("Contents", [])
        return [
            _input_file(self.prefix.bucket, item)
            for item in first
            if item["Key"] == self.prefix.key
        ]

    def heads(self, files: Sequence[InputFile]) -> dict[InputFile, Head]:
        with ThreadPoolExecutor(THREADS) as pool:
            return dict(zip(files, pool.map(self._head, files), strict=True))

    def _head(self, file: InputFile) -> Head:
        if not file.size_bytes:
            return Head(unpacked_bytes=0)
        found = self._object(file)
        head = found.read_range(0, HEAD_BYTES)
        tail = head[-GZIP_TAIL_BYTES:]
        if compression_of(head) is Compression.GZIP and file.size_bytes > len(head):
            tail = found.read_range(file.size_bytes - GZIP_TAIL_BYTES, GZIP_TAIL_BYTES)
        return head_of(head, tail, file.size_bytes)

    def fingerprints(self, files: Sequence[InputFile]) -> dict[InputFile, str]:
        return {file: _fingerprint(file) for file in files}

    def blocks(
        self, file: InputFile, read: Callable[[int], object] = lambda _: None
    ) -> Iterator[bytes]:
        return line_blocks(text_of(self.pieces(file, read)))

    def pieces(
        self, file: InputFile, read: Callable[[int], object] = lambda _: None
    ) -> Iterator[bytes]:
        stream = cast(IO[bytes], io.BufferedReader(self._object(file), FIRST_BYTES))
        return unpacked(stream, read)

    def changed(self, files: Sequence[InputFile]) -> list[InputFile]:
        present = set(self._listed())
        return [file for file in files if file not in present]

    def _object(self, file: InputFile) -> ObjectStream:
        place = S3Address.of_object(file.uri)
        return ObjectStream(self.client, place.bucket, place.key, file.size_bytes, file.version)


def _reader_elsewhere(prefix: S3Address, region: str, endpoint: str | None) -> S3Reader:
    return S3Reader(s3_client(region, endpoint), prefix)


def _fingerprint(file: InputFile) -> str:
    """Hash of an object's size and ETag, which is another one for other content."""
    digest = hashlib.sha256(f"{file.size_bytes} {file.version}".encode())
    return digest.hexdigest()[:FINGERPRINT_DIGITS]


def _input_file(bucket: str, item: ObjectTypeDef) -> InputFile:
    return InputFile(str(S3Address(bucket, item["Key"])), item["Size"], item["ETag"])
