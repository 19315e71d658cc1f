"""Rejected records of an output, read from the files of its quarantine; and as a source, to run them again."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, cast

from attrs import field, frozen

from ndr_adapters.compression import unpacked
from ndr_core.errors import NdrError, UnreadableFileError
from ndr_core.flows.file_format import Compression, Head
from ndr_core.flows.line_blocks import line_blocks, lines_of
from ndr_core.flows.source import FINGERPRINT_DIGITS, InputFile
from ndr_core.place import Place
from ndr_core.publishing.manifest import OutputFile
from ndr_core.publishing.nowhere import NoPlace
from ndr_core.publishing.published import WholeOutput
from ndr_core.publishing.rejected import RejectedBatch
from ndr_core.quality.quarantine import Quarantined
from ndr_core.quality.replay import Left, why_left


def rejected_records(output: WholeOutput, files: Iterable[OutputFile]) -> Iterator[Quarantined]:
    """Give the records of files of a quarantine, in their order. Raises NdrError for a file that can't be read."""
    for file in files:
        try:
            stream = cast(IO[bytes], io.BufferedReader(_Pieces(output.content(file.path))))
            for line in lines_of(line_blocks(unpacked(stream))):
                yield Quarantined.from_line(line)
        except UnreadableFileError as error:
            raise NdrError(f"{output.root}/{file.path}: {error}") from error


@frozen
class RejectedSource:
    """The records that a mini-batch rejected, as lines that can be read again."""

    output: WholeOutput
    batch: RejectedBatch
    left: Mapping[Left, int] = field(init=False, eq=False)
    """How many records are left out, and why."""

    @left.default
    def _counted(self) -> Mapping[Left, int]:
        found = map(why_left, rejected_records(self.output, self.batch.files))
        return Counter(reason for reason in found if reason is not None)

    @property
    def place(self) -> Place:
        """No place: the output that it is read from is the one that its records are published to."""
        return NoPlace()

    def places(self, files: Sequence[InputFile]) -> Iterable[Place]:
        del files
        return ()

    def files(self, notice: Callable[[str], None]) -> tuple[InputFile, ...]:
        del notice
        return tuple(self._files())

    def heads(self, files: Sequence[InputFile]) -> Mapping[InputFile, Head]:
        return dict.fromkeys(files, Head(Compression.GZIP))

    def fingerprints(self, files: Sequence[InputFile]) -> Mapping[InputFile, str]:
        return {file: file.version[:FINGERPRINT_DIGITS] for file in files}

    def blocks(
        self, file: InputFile, read: Callable[[int], object] = lambda _: None
    ) -> Iterator[bytes]:
        """Give a file's records that can be run again, one a line."""
        items = rejected_records(self.output, [self._files()[file]])
        lines = (item.text.encode() + b"\n" for item in items if why_left(item) is None)
        yield from line_blocks(lines)
        read(file.size_bytes)

    def changed(self, files: Sequence[InputFile]) -> list[InputFile]:
        """Give those that are gone: a later run of the mini-batch has replaced them."""
        known = self._files()
        sizes = self.output.sizes([known[file].path for file in files])
        return [file for file in files if sizes.get(known[file].path) != file.size_bytes]

    def _files(self) -> dict[InputFile, OutputFile]:
        return {
            InputFile(f"{self.output.root}/{file.path}", file.bytes, file.sha256): file
            for file in self.batch.files
        }


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)
