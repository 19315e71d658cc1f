"""Files unpacked piece by piece, by what they are and not by their names."""

from __future__ import annotations

import importlib
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain
from typing import IO, Any, Final

from ndr_core.errors import UnreadableFileError
from ndr_core.flows.file_format import (
    HEAD_BYTES,
    Compression,
    Head,
    compression_of,
    not_read_as,
    other_format,
)
from ndr_core.flows.looks_like import look_at

INFLATERS: Final = ("isal.isal_zlib", "zlib")
"""The first one that is there: the first is compiled, and a cluster may get it while a job runs."""

PIECE_BYTES: Final = 4 << 20
"""Of unpacked data at most: with smaller ones Polars takes more processor time for the same lines."""
_PACKED_BYTES: Final = 256 << 10
_GZIP_WINDOW: Final = 31
_ZLIB_WINDOW: Final = 15
_ZSTD_WINDOW: Final = 27
"""Log2 of the bytes that a zstd file may make its reader hold: what zstd's own tool allows."""

Unpacker = Callable[[Iterator[bytes]], Iterator[bytes]]


def unpacked(stream: IO[bytes], read: Callable[[int], object] = lambda _: None) -> Iterator[bytes]:
    """The unpacked bytes of an open file, in pieces of at most PIECE_BYTES.

    `read` is called with the number of bytes that were read from `stream`, each time.
    Raises UnreadableFileError where it is corrupt or cut short; what `stream` raises passes.
    """

    def counted(size: int) -> bytes:
        piece = stream.read(size)
        read(len(piece))
        return piece

    head = counted(HEAD_BYTES)
    compression = compression_of(head)
    if compression is Compression.NONE:
        pieces: Iterator[bytes] = chain([head], iter(lambda: counted(PIECE_BYTES), b""))
    else:
        packed = chain([head], iter(lambda: counted(_PACKED_BYTES), b""))
        pieces = _UNPACKERS[compression](packed)
    try:
        yield from pieces
    except _corrupt() as error:
        raise UnreadableFileError(f"can't be read to its end: {error}") from error


def _inflate() -> Any:
    """The module that unpacks gzip and zlib data."""
    for name in INFLATERS[:-1]:
        with suppress(ImportError):
            return importlib.import_module(name)
    return importlib.import_module(INFLATERS[-1])


def _corrupt() -> tuple[type[Exception], ...]:
    return zlib.error, _inflate().error, EOFError


def head_of(head: bytes, tail: bytes, size: int) -> Head:
    """What the first HEAD_BYTES and the last GZIP_TAIL_BYTES of a file of `size` bytes tell."""
    compression = compression_of(head)
    length = {
        Compression.NONE: size,
        Compression.GZIP: int.from_bytes(tail, "little"),
    }.get(compression)
    try:
        first = _unpacked_head(head, compression)
    except UnreadableFileError as error:
        return Head(compression, length, problem=str(error))
    look = look_at(first)
    found = None if look is None else look.what
    return Head(compression, length, found, is_text=other_format(first) is None)


def _unpacked_head(head: bytes, compression: Compression) -> bytes:
    if compression is Compression.NONE:
        return head
    try:
        return next(_UNPACKERS[compression](iter([head])), b"")
    except _corrupt():
        return b""  # of a file that goes on, or is broken: reading it tells


def text_of(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The unpacked bytes of a file. Raises UnreadableFileError where the first ones are of something else than text."""
    first = next(pieces, b"")
    found = other_format(first)
    if found is not None:
        raise UnreadableFileError(not_read_as(found, "lines of text in UTF-8"))
    yield first
    yield from pieces


def _unpacked(
    packed: Iterator[bytes], new: Callable[[], Any], padding: bytes = b""
) -> Iterator[bytes]:
    """The data of one compressed stream after the other; `new` makes what unpacks one.

    `padding`: a byte that may stand between streams, and behind the last one.
    """
    unpacker = new()
    for piece in packed:
        while True:
            if unpacker.eof:
                piece = piece.lstrip(padding)
                if not piece:
                    break
                unpacker = new()
            data = unpacker.decompress(piece, PIECE_BYTES)
            if data:
                yield data
            piece = (
                unpacker.unused_data if unpacker.eof else getattr(unpacker, "unconsumed_tail", b"")
            )
            if not piece and (unpacker.eof or not data):
                break
    if not unpacker.eof:
        raise EOFError("the compressed data end before their end marker")


def _from_gzip(packed: Iterator[bytes]) -> Iterator[bytes]:
    return _unpacked(packed, lambda: _inflate().decompressobj(_GZIP_WINDOW), padding=b"\0")


def _from_zlib(packed: Iterator[bytes]) -> Iterator[bytes]:
    return _unpacked(packed, lambda: _inflate().decompressobj(_ZLIB_WINDOW))


def _from_zstd(packed: Iterator[bytes]) -> Iterator[bytes]:
    zstd = _zstd()
    options = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW}
    try:
        yield from _unpacked(packed, lambda: zstd.ZstdDecompressor(options=options))
    except zstd.ZstdError as error:
        raise zlib.error(str(error)) from error


def _zstd() -> Any:
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UnreadableFileError(
            "is compressed by zstd, which can't be read here: pip install backports.zstd"
        ) from error


_UNPACKERS: Final[dict[Compression, Unpacker]] = {
    Compression.GZIP: _from_gzip,
    Compression.ZLIB: _from_zlib,
    Compression.ZSTD: _from_zstd,
}
