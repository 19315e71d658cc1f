"""Bytes of a file -> lines, of which none is held that is longer than a line may be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ndr_core.flows.json_text import MAX_LINE_BYTES

_MOST = MAX_LINE_BYTES + 1
"""What is left of a line that is too long: enough for every reader to see that it is."""


def line_blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Regroup the bytes of a file into blocks of whole lines, each with its line feed.

    The last line may lack it. A line of more than MAX_LINE_BYTES is cut after one byte more than that, so that
    a block is hardly longer than the longest of the `pieces`, whatever the file holds.
    """
    rest = b""
    for piece in pieces:
        end = piece.rfind(b"\n") + 1
        if not end:
            rest += piece[: _MOST - len(rest)]
            continue
        yield _cut(rest + memoryview(piece)[:end])
        rest = piece[end : end + _MOST]
    if rest:
        yield rest


def lines_of(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of blocks of whole lines, without their line feeds."""
    for block in blocks:
        lines = block.split(b"\n")
        if not lines[-1]:
            lines.pop()
        yield from lines


def _cut(block: bytes) -> bytes:
    """The block with its too long lines cut. Looks at a few places of a block that has none."""
    kept: list[bytes] = []
    copied = start = 0
    while len(block) - start > _MOST:
        feed = block.rfind(b"\n", start, start + _MOST)
        if feed < 0:
            kept.append(block[copied : start + _MOST])
            copied = feed = block.find(b"\n", start)
        start = feed + 1
    return b"".join([*kept, block[copied:]]) if kept else block
