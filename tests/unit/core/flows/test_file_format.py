"""The first bytes of a file tell how it is packed, and what it is where it is no text of lines."""

from __future__ import annotations

import gzip
import zlib

import pytest

from ndr_core.flows.file_format import (
    GZIP_TAIL_BYTES,
    HEAD_BYTES,
    Compression,
    Head,
    compression_of,
    format_problem,
    not_read_as,
    other_format,
    other_texts,
)
from ndr_core.flows.formats import FileFormat

LINES = b'{"a":1}\n' * 100


@pytest.mark.parametrize("level", [0, 1, 6, 9])
def test_packed_data_are_known_whatever_the_file_is_named(level: int) -> None:
    assert compression_of(gzip.compress(LINES, level)) is Compression.GZIP
    assert compression_of(zlib.compress(LINES, level)) is Compression.ZLIB


@pytest.mark.parametrize(
    ("head", "compression"),
    [
        (b"", Compression.NONE),
        (b"{", Compression.NONE),
        (LINES, Compression.NONE),
        (b"\x1f", Compression.NONE),
        (b"\x1f\x8b", Compression.GZIP),
        (b"\x28\xb5\x2f\xfd", Compression.ZSTD),
        (b"\x28\xb5\x2f", Compression.NONE),
        (b"\x50\x2a\x4d\x18", Compression.ZSTD),
        (b"\x5f\x2a\x4d\x18", Compression.ZSTD),
        (b"\x60\x2a\x4d\x18", Compression.NONE),
        (b"\x4f\x2a\x4d\x18", Compression.NONE),
        (b"x", Compression.NONE),
        (b"x^ marks a text", Compression.NONE),
        (b"x]", Compression.NONE),
        (b"x\x9c", Compression.NONE),
        (zlib.compress(b""), Compression.NONE),
        (b"h\x81" + zlib.compress(LINES)[2:], Compression.NONE),
        (b"\x78\x9d" + zlib.compress(LINES)[2:], Compression.NONE),
    ],
)
def test_how_a_file_is_packed(head: bytes, compression: Compression) -> None:
    assert compression_of(head) is compression


def test_the_head_of_packed_data_is_enough() -> None:
    noise = bytes(range(256)) * 64

    assert compression_of(zlib.compress(noise, 0)[:HEAD_BYTES]) is Compression.ZLIB


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ("{}".encode("utf-32"), "UTF-32 text"),
        (b"\x00\x00\xfe\xff" + "{}".encode("utf-32-be"), "UTF-32 text"),
        ("{}".encode("utf-16"), "UTF-16 text"),
        (b"\xfe\xff" + "{}".encode("utf-16-be"), "UTF-16 text"),
        ('{"a"'.encode("utf-16-le"), "UTF-16 text"),
        ('{"a"'.encode("utf-16-be"), "UTF-16 text"),
        (b"PAR1....", "Parquet"),
        (b"ORC", "ORC"),
        (b"Obj\x01", "Avro"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"BZh9", "bzip2 data"),
        (b"\xfd7zXZ\x00", "xz data"),
        (b"\x04\x22\x4d\x18", "LZ4 data"),
        (b"\xff\x06\x00\x00sNaPpY", "Snappy data"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    ],
)
def test_what_is_no_text_of_lines_is_named(head: bytes, name: str) -> None:
    assert other_format(head) == name


@pytest.mark.parametrize(
    "head",
    [
        b"",
        LINES,
        b"\xef\xbb\xbf{}",
        b"ORACLE",
        '{"a'.encode("utf-16-le"),  # too short to tell
        b'{\x00"\x00a\x00\x00\x00',
        b"\x00" * 8,
        b'{\x00"\x00a\x00"x',
        b"x\x00y\x00zz\x00\x00",
    ],
)
def test_what_may_be_a_text_of_lines_has_no_name(head: bytes) -> None:
    assert other_format(head) is None


def test_a_head_is_plain_and_readable_unless_it_says_otherwise() -> None:
    assert Head() == Head(Compression.NONE, unpacked_bytes=None, problem=None)


@pytest.mark.parametrize(
    ("head", "chosen", "problem"),
    [
        (Head(), FileFormat.JSON, None),
        (Head(format="JSON Lines"), FileFormat.JSON, None),
        (Head(format="JSON Lines"), FileFormat.DELIMITED, None),
        (Head(), FileFormat.PARQUET, None),
        (Head(format="Parquet", is_text=False), FileFormat.PARQUET, None),
        (
            Head(format="Parquet", is_text=False),
            FileFormat.JSON,
            "is Parquet, no JSON Lines in UTF-8; set input.format: parquet, or leave it out of the "
            "mini-batch",
        ),
        (
            Head(format="UTF-16 text", is_text=False),
            FileFormat.DELIMITED,
            "is UTF-16 text, no delimited lines in UTF-8; convert it, or leave it out of the mini-batch",
        ),
        (
            Head(format="JSON Lines"),
            FileFormat.PARQUET,
            "is JSON Lines, no Parquet; set input.format to what it is, or leave it out of the mini-batch",
        ),
    ],
)
def test_a_file_of_another_format_than_the_spec_says_is_named_by_its_own(
    head: Head, chosen: FileFormat, problem: str | None
) -> None:
    assert format_problem(head, chosen) == problem


ZEEK_TSV = Head(format="a log of Zeek with values parted by tabs")
JSON = Head(format="JSON Lines")


def test_texts_of_another_format_beside_those_of_the_right_one_are_named() -> None:
    heads = {"a.log": ZEEK_TSV, "b.json": JSON, "c": Head(), "d": Head(format="ZIP", is_text=False)}

    assert list(other_texts(heads, FileFormat.JSON)) == [
        "a.log: looks like a log of Zeek with values parted by tabs, not like JSON Lines in UTF-8: its lines count as "
        "malformed records; leave it out by input.files, and read it by a job of its own"
    ]
    (notice,) = other_texts(heads, FileFormat.DELIMITED)
    assert notice.startswith("b.json: looks like JSON Lines, not like delimited lines in UTF-8: ")


def test_of_many_texts_of_another_format_some_are_named_and_the_others_counted() -> None:
    heads = {f"{n}.log": ZEEK_TSV for n in range(7)} | {"b.json": JSON}

    *named, more = other_texts(heads, FileFormat.JSON)

    assert [one.partition(":")[0] for one in named] == ["0.log", "1.log", "2.log"]
    assert more == "4 more files look like another format, too"


@pytest.mark.parametrize("heads", [{}, {"a.log": ZEEK_TSV, "b": Head()}, {"a.log": JSON}])
def test_where_all_texts_are_of_one_format_none_is_named(heads: dict[str, Head]) -> None:
    assert list(other_texts(heads, FileFormat.JSON)) == []


def test_what_is_no_parquet_is_set_aside_and_not_named_twice() -> None:
    assert list(other_texts({"a": JSON, "b": ZEEK_TSV}, FileFormat.PARQUET)) == []


def test_what_can_be_read_as_another_format_says_so() -> None:
    assert "; set input.format: parquet, or" in not_read_as("Parquet", "lines of text in UTF-8")


def test_a_gzip_file_ends_with_its_unpacked_size() -> None:
    tail = gzip.compress(LINES)[-GZIP_TAIL_BYTES:]

    assert int.from_bytes(tail, "little") == len(LINES)
