"""Blocks of lines with the header that they have, where the format has headers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from ndr_core.flows.delimited import headed
from ndr_core.flows.formats import FileFormat
from ndr_core.flows.mapping import InputMapping

Headed: TypeAlias = tuple[str | None, bytes]
"""A block of whole lines with the header that they have, as a text; None where the format has no headers."""


def headed_blocks(blocks: Iterator[bytes], mapping: InputMapping) -> Iterator[Headed]:
    """The blocks of one file with their headers."""
    if mapping.format is FileFormat.DELIMITED:
        for header, block in headed(blocks, mapping.layout):
            yield header.text, block
    else:
        yield from ((None, block) for block in blocks)


def joined(blocks: Iterable[Headed], least: int) -> Iterator[list[Headed]]:
    """Blocks that are together of a size that is worth a query of its own."""
    kept: list[Headed] = []
    size = 0
    for head, block in blocks:
        kept.append((head, block if block.endswith(b"\n") else block + b"\n"))
        size += len(block)
        if size >= least:
            yield kept
            kept, size = [], 0
    if kept:
        yield kept
