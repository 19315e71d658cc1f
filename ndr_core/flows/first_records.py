"""The first records of a mini-batch: a source that gives no others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from attrs import frozen

from ndr_core.errors import UnreadableFileError
from ndr_core.flows.file_format import Head
from ndr_core.flows.json_line import line_text
from ndr_core.flows.line_blocks import lines_of
from ndr_core.flows.source import FlowSource, InputFile
from ndr_core.place import Place

_ALL: Final = 1 << 62
"""More lines than a file can have."""


@frozen
class FirstRecords:
    """The first records of another source, file by file in the order of their addresses.

    For readers of lines: what reads files by their addresses reads all of them.
    """

    source: FlowSource
    listed: tuple[InputFile, ...]
    """The files that hold the records."""
    lines: Mapping[InputFile, int]
    """How many lines of a file are given: those of the last one end with the last record."""

    @classmethod
    def of(cls, source: FlowSource, most: int, notice: Callable[[str], None]) -> FirstRecords:
        """Look for the first `most` records of a source. Raises as `source.files`.

        `notice` is told that it ends with these. A file that can't be read is among the files: its reader learns why.
        """
        files = source.files(notice)
        lines: dict[InputFile, int] = {}
        left = most
        for file in files:
            if not left:
                break
            lines[file] = 0
            try:
                for line in lines_of(source.blocks(file)):
                    lines[file] += 1
                    left -= bool(line_text(line))
                    if not left:
                        break
            except UnreadableFileError:
                lines[file] = _ALL
        if not left:
            notice(
                f"only the first {most:,} records are read, of {len(lines):,} of {len(files):,} files"
            )
        return cls(source, tuple(lines), lines)

    @property
    def place(self) -> Place:
        return self.source.place

    def places(self, files: Sequence[InputFile]) -> Iterable[Place]:
        return self.source.places(files)

    def files(self, notice: Callable[[str], None]) -> tuple[InputFile, ...]:
        """Give the files that hold the records: what there was to notice, `of` was told."""
        del notice
        return self.listed

    def heads(self, files: Sequence[InputFile]) -> Mapping[InputFile, Head]:
        return self.source.heads(files)

    def fingerprints(self, files: Sequence[InputFile]) -> Mapping[InputFile, str]:
        return self.source.fingerprints(files)

    def blocks(
        self, file: InputFile, read: Callable[[int], object] = lambda _: None
    ) -> Iterator[bytes]:
        """Give the lines of a file that are among the first, else as the source."""
        left = self.lines[file]
        for block in self.source.blocks(file, read):
            feeds = block.count(b"\n")
            if feeds >= left:
                yield _first_lines(block, left)
                return
            left -= feeds
            yield block

    def changed(self, files: Sequence[InputFile]) -> list[InputFile]:
        return self.source.changed(files)


def _first_lines(block: bytes, lines: int) -> bytes:
    end = 0
    for _ in range(lines):
        end = block.index(b"\n", end) + 1
    return block[:end]
