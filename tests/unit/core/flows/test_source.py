"""The files of a mini-batch, their names and sizes, and errors that name the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ndr_core.errors import UnreadableFileError
from ndr_core.flows.file_format import Compression, Head
from ndr_core.flows.source import InputBatch, InputFile, read_named
from ndr_core.progress import Meter

FILE = InputFile("/data/a.json", 7)


def test_a_file_is_shown_by_a_name_that_can_be_printed() -> None:
    assert FILE.name == "/data/a.json"
    assert InputFile("/data/\udcff\n.json", 0).name == "/data/\\xff\\n.json"


def test_a_file_of_another_version_is_another_file() -> None:
    assert InputFile("a", 7, "v1") != InputFile("a", 7, "v2")
    assert (FILE.version, FILE.problem) == ("", None)


def test_a_batch_knows_its_addresses_and_its_size() -> None:
    files = (FILE, InputFile("/data/b.json", 5))

    batch = InputBatch(files, lambda _file, _read: iter(()), key_orders=())

    assert batch.uris == ["/data/a.json", "/data/b.json"]
    assert batch.size_bytes == 12
    assert batch.heads == {}


def test_a_file_counts_by_what_it_takes_packed() -> None:
    plain, unknown = InputFile("/data/b.json", 800), InputFile("/data/c.json", 5)
    heads = {FILE: Head(Compression.GZIP), plain: Head(Compression.NONE)}

    batch = InputBatch((FILE, plain, unknown), lambda _file, _read: iter(()), (), heads)

    assert [batch.packed_bytes(file) for file in batch.files] == [FILE.size_bytes, 100, 5]
    assert batch.total_packed_bytes == FILE.size_bytes + 105


@pytest.mark.parametrize(
    ("size", "head", "may"),
    [
        (0, None, False),
        (0, Head(), False),
        (1, None, True),
        (1, Head(), True),
        (1, Head(unpacked_bytes=1), True),
        (20, Head(Compression.GZIP, 0), False),
        (512, Head(Compression.GZIP, 0), False),
        (513, Head(Compression.GZIP, 0), True),
        (20, Head(Compression.GZIP, 1), True),
        (9, Head(Compression.ZSTD, None), True),
    ],
)
def test_a_file_may_hold_records_unless_it_is_empty_or_a_small_one_says_that_it_packs_nothing(
    size: int, head: Head | None, may: bool
) -> None:
    file = InputFile("a.gz", size)
    heads = {} if head is None else {file: head}

    batch = InputBatch((file,), lambda _file, _read: iter(()), (), heads)

    assert batch.may_hold_records(file) is may


def test_what_is_read_of_a_batch_is_counted() -> None:
    def read(_file: InputFile, count: Callable[[int], object]) -> Iterator[bytes]:
        count(3)
        yield b"a\nb"

    batch = InputBatch((FILE,), read, (), meter=Meter(FILE.size_bytes))

    assert list(batch.read_blocks(FILE)) == [b"a\nb"]
    progress = batch.meter.progress()
    assert (progress.done_bytes, progress.records) == (3, 2)


def test_pieces_of_a_file_are_counted_by_their_bytes_and_not_by_their_lines() -> None:
    def read(_file: InputFile, count: Callable[[int], object]) -> Iterator[bytes]:
        count(3)
        yield b"a\nb"

    batch = InputBatch((FILE,), read, (), meter=Meter(FILE.size_bytes))

    assert list(batch.read_pieces(FILE)) == [b"a\nb"]
    progress = batch.meter.progress()
    assert (progress.done_bytes, progress.records) == (3, 0)


def test_blocks_are_passed_on_as_they_are_read() -> None:
    assert list(read_named(lambda file: iter([file.uri.encode(), b"x"]), FILE)) == [
        b"/data/a.json",
        b"x",
    ]


def test_a_file_that_breaks_off_is_named_by_its_address() -> None:
    def read(_file: InputFile) -> Iterator[bytes]:
        yield b"first\n"
        raise UnreadableFileError("truncated")

    blocks = read_named(read, FILE)

    assert next(blocks) == b"first\n"
    with pytest.raises(UnreadableFileError, match=r"^truncated$") as broken:
        next(blocks)
    assert broken.value.uri == "/data/a.json"


def test_another_error_stays_what_it_is() -> None:
    def read(_file: InputFile) -> Iterator[bytes]:
        raise OSError("no space")
        yield b""

    with pytest.raises(OSError, match="no space"):
        list(read_named(read, FILE))
