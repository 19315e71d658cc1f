"""A mini-batch under a prefix in S3."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, cast

from attrs import frozen

from ndr_adapters.aws import THREADS, told
from ndr_adapters.s3.objects import FIRST_BYTES, ObjectStream, list_objects
from ndr_core.batch_files import HEADER_BYTES, header_problem, is_data, lines_of
from ndr_core.errors import UsageError
from ndr_core.ports import InputFile
from ndr_core.s3_address import S3Address

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef


@frozen
class S3Reader:
    """Flow logs as JSON Lines below a prefix, or in one object; gzip by the name `*.gz`.

    Names that begin with `_` or `.` are no data, nor are the empty objects that stand for folders.
    """

    client: S3Client
    prefix: S3Address

    def files(self) -> tuple[InputFile, ...]:
        below = len(self.prefix.below)
        found = [
            _input_file(self.prefix.bucket, item)
            for item in list_objects(self.client, self.prefix)
            if not item["Key"].endswith("/")
            and is_data(item["Key"][below:], f"s3://{self.prefix.bucket}/{item['Key']}")
        ]
        found = found or self._single()
        if not found:
            raise UsageError(
                f"input {self.prefix}: no files there; check the prefix, and that the mini-batch has landed"
            )
        return tuple(sorted(found, key=lambda file: file.uri))

    def _single(self) -> list[InputFile]:
        """The object whose key is the prefix itself, if there is one."""
        with told(str(self.prefix)):
            first = self.client.list_objects_v2(
                Bucket=self.prefix.bucket, Prefix=self.prefix.key, MaxKeys=1
            ).get("Contents", [])
        return [
            _input_file(self.prefix.bucket, item)
            for item in first
            if item["Key"] == self.prefix.key
        ]

    def header_problems(self, files: Sequence[InputFile]) -> dict[InputFile, str]:
        with ThreadPoolExecutor(THREADS) as pool:
            problems = zip(files, pool.map(self._header_problem, files), strict=True)
            return {file: problem for file, problem in problems if problem is not None}

    def _header_problem(self, file: InputFile) -> str | None:
        if file.size_bytes < HEADER_BYTES:
            return header_problem(file.uri, b"")
        return header_problem(file.uri, self._object(file).read_range(0, HEADER_BYTES))

    def lines(self, file: InputFile) -> Iterator[bytes]:
        stream = cast(IO[bytes], io.BufferedReader(self._object(file), FIRST_BYTES))
        return lines_of(file.uri, stream)

    def _object(self, file: InputFile) -> ObjectStream:
        place = S3Address.of_object(file.uri)
        return ObjectStream(self.client, place.bucket, place.key, file.size_bytes)


def _input_file(bucket: str, item: ObjectTypeDef) -> InputFile:
    return InputFile(str(S3Address(bucket, item["Key"])), item["Size"])
