"""Which files Spark's text reader can read as the core does, found out before it is asked to."""

from __future__ import annotations

from typing import Final

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from ndr_adapters.spark.runtime.paths import as_glob, spark_address
from ndr_core.errors import UnreadableFileError
from ndr_core.flows.file_format import Compression, Head
from ndr_core.flows.json_text import MAX_LINE_BYTES
from ndr_core.flows.line_blocks import lines_of
from ndr_core.flows.source import InputBatch, InputFile
from ndr_core.publishing.location import S3Address, is_s3

LONGEST_LINE: Final = 64 << 20
"""Bytes. Spark's reader passes over a longer line without a word; shorter ones are judged as too long."""
_BY_NAME: Final = {
    ".gz": Compression.GZIP.value,
    ".zst": Compression.ZSTD.value,
    ".deflate": Compression.ZLIB.value,
    ".bz2": "bzip2",
    ".lz4": "LZ4",
    ".snappy": "Snappy",
}
"""How Hadoop takes a file to be packed."""
_READ: Final = (Compression.NONE, Compression.GZIP)
_CAUSES: Final = ("java.io.IOException", "java.io.EOFException", "java.util.zip.")
_ADVICE: Final = "; take --engine polars, which reads it"


def unfit_files(batch: InputBatch) -> dict[InputFile, str]:
    """The files that Spark's reader can't read, or not as the core does, and why."""
    problems = {file: _problem(batch, file) for file in batch.files}
    return {file: problem + _ADVICE for file, problem in problems.items() if problem is not None}


def _problem(batch: InputBatch, file: InputFile) -> str | None:
    try:
        file.uri.encode()
    except UnicodeEncodeError:
        return "has a name that is no UTF-8, which Spark can't open"
    if _is_no_path(file.uri):
        return "has an address that Hadoop's file systems can't name"
    head = batch.heads.get(file)
    if head is None:
        return None
    by_name = next(
        (packed for suffix, packed in _BY_NAME.items() if file.uri.endswith(suffix)),
        Compression.NONE.value,
    )
    if head.compression not in _READ:
        return f"is compressed by {head.compression.value}, which Spark's reader can't unpack"
    if head.compression.value != by_name and file.size_bytes:
        return (
            f"is {head.compression.value} by its content, {by_name} by its name, by which Spark's "
            "reader goes"
        )
    try:
        if _is_padded(batch, file, head):
            return "has zeros behind its compressed data, which Spark's reader does not take"
        if _may_hold_a_long_line(file, head) and _holds_a_long_line(batch, file):
            return f"holds a line of more than {MAX_LINE_BYTES:,} bytes"
    except UnreadableFileError:
        return None  # broken, as reading it will show
    return None


def _is_no_path(uri: str) -> bool:
    """Whether an address in S3 has parts that a path can't have, or that are cut from it."""
    if not is_s3(uri):
        return False
    parts = S3Address.of_object(uri).key.split("/")
    return not {"", ".", ".."}.isdisjoint(parts) or any(ord(char) < 32 for char in uri)


def _is_padded(batch: InputBatch, file: InputFile, head: Head) -> bool:
    """Whether a gzip file that says of itself that it is empty, is not: zeros stand where it tells its length."""
    is_empty = head.compression is Compression.GZIP and head.unpacked_bytes == 0
    return is_empty and next(batch.read_blocks(file), None) is not None


def _may_hold_a_long_line(file: InputFile, head: Head) -> bool:
    """By the file's length; gzip tells that of its last part only, which may be less than the whole file's."""
    length = head.unpacked_bytes or 0
    return length > LONGEST_LINE or (
        head.compression is Compression.GZIP and length < file.size_bytes
    )


def _holds_a_long_line(batch: InputBatch, file: InputFile) -> bool:
    return any(len(line) > MAX_LINE_BYTES for line in lines_of(batch.read_blocks(file)))


def file_to_blame(session: SparkSession, batch: InputBatch, cause: str) -> str | None:
    """The address of the file that Spark's reader fails at, each tried by itself, where `cause` speaks of one."""
    if not cause.startswith(_CAUSES):
        return None
    return next((uri for uri in batch.uris if not _can_be_read(session, uri)), None)


def _can_be_read(session: SparkSession, uri: str) -> bool:
    try:
        session.read.text(as_glob(spark_address(uri))).count()
    except (Py4JJavaError, PySparkException):
        return False
    return True
