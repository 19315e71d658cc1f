"""What the first bytes of a file tell: how it is packed, and whether it is text of lines at all."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Final

from attrs import frozen

from ndr_core.flows.formats import FileFormat

HEAD_BYTES: Final = 4096
"""So many first bytes are enough to tell."""


GZIP_TAIL_BYTES: Final = 4
"""The last bytes of a gzip file say how long its last member is, modulo 2^32."""


class Compression(Enum):
    """How the bytes of a file are packed."""

    NONE = "uncompressed"
    GZIP = "gzip"
    ZLIB = "zlib"
    ZSTD = "zstd"


@frozen
class Head:
    """What the ends of a file tell without reading all of it."""

    compression: Compression = Compression.NONE
    unpacked_bytes: int | None = None
    """As the file itself says, where it says so."""
    format: str | None = None
    """What it is, or looks like, once it is unpacked, where that is something known."""
    is_text: bool = True
    """Whether it may be text of lines in UTF-8."""
    problem: str | None = None
    """Why it can't be read."""


_ZSTD_MAGIC: Final = (
    b"\x28\xb5\x2f\xfd",
    *(bytes([0x50 + n, 0x2A, 0x4D, 0x18]) for n in range(16)),
)
"""Of a frame with data, and of the frames that readers skip."""

PARQUET: Final = "Parquet"
JSON_LINES: Final = "JSON Lines"
_MOST_NAMED: Final = 3
"""Files of a kind that are named one by one."""

_OTHER_FORMATS: Final = {
    b"\xff\xfe\x00\x00": "UTF-32 text",
    b"\x00\x00\xfe\xff": "UTF-32 text",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"PAR1": PARQUET,
    b"ORC": "ORC",
    b"Obj\x01": "Avro",
    b"PK\x03\x04": "a ZIP archive",
    b"BZh": "bzip2 data",
    b"\xfd7zXZ\x00": "xz data",
    b"\x04\x22\x4d\x18": "LZ4 data",
    b"\xff\x06\x00\x00sNaPpY": "Snappy data",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
}
_UTF16_CHARACTERS: Final = 4


def compression_of(head: bytes) -> Compression:
    """Tell how a file is compressed from its first bytes, whatever its name says."""
    if head.startswith(b"\x1f\x8b"):
        return Compression.GZIP
    if head.startswith(_ZSTD_MAGIC):
        return Compression.ZSTD
    return Compression.ZLIB if _is_zlib(head) else Compression.NONE


def _is_zlib(head: bytes) -> bool:
    """A text may begin as zlib data do (`x^`, say), but hardly goes on as they do."""
    if head[:1] != b"x" or int.from_bytes(head[:2], "big") % 31:
        return False
    try:
        return bool(zlib.decompressobj().decompress(head, 1))
    except zlib.error:
        return False


def other_format(head: bytes) -> str | None:
    """Name what a file is by its first, unpacked bytes, where it is no text of lines in UTF-8."""
    for magic, name in _OTHER_FORMATS.items():
        if head.startswith(magic):
            return name
    return "UTF-16 text" if _is_utf16(head) else None


def format_problem(head: Head, chosen: FileFormat) -> str | None:
    """Say why a file can't be read as the format that a JobSpec says; None where it may be one, as far as seen."""
    if chosen is not FileFormat.PARQUET:
        return None if head.is_text else not_read_as(head.format or "data", chosen.title)
    if head.format in (None, PARQUET):
        return None
    return not_read_as(head.format or "", chosen.title)


def other_texts(heads: Mapping[str, Head], chosen: FileFormat) -> Iterator[str]:
    """Say which texts among the files of an input look like no text of the format that a JobSpec says.

    Says nothing where all of them do: what becomes of their records says more then. `heads`: by the names of the files.
    """
    texts = {name: head.format for name, head in heads.items() if head.is_text and head.format}
    is_json = chosen is FileFormat.JSON
    others = [name for name, found in texts.items() if (found == JSON_LINES) is not is_json]
    if chosen is FileFormat.PARQUET or len(others) == len(texts):
        return
    for name in others[:_MOST_NAMED]:
        yield (
            f"{name}: looks like {texts[name]}, not like {chosen.title}: its lines count as malformed records; "
            "leave it out by input.files, and read it by a job of its own"
        )
    if len(others) > _MOST_NAMED:
        yield f"{len(others) - _MOST_NAMED} more files look like another format, too"


def not_read_as(found: str, wanted: str) -> str:
    """Say that a file is of another format than the one that is wanted."""
    if found == PARQUET:
        to_do = "set input.format: parquet"
    else:
        to_do = "set input.format to what it is" if wanted == PARQUET else "convert it"
    return f"is {found}, no {wanted}; {to_do}, or leave it out of the mini-batch"


def _is_utf16(head: bytes) -> bool:
    """Text of ASCII characters has a zero in every other byte then."""
    first = head[: 2 * _UTF16_CHARACTERS]
    even, odd = first[::2], first[1::2]
    return len(odd) == _UTF16_CHARACTERS and any(
        not any(zeros) and all(others) for zeros, others in ((even, odd), (odd, even))
    )
