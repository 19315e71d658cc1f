"""Where records come from: the files of a mini-batch, and the port that reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

from attrs import field, frozen

from ndr_core.errors import UnreadableFileError, printable
from ndr_core.flows.file_format import PARQUET, Compression, Head
from ndr_core.flows.key_order import KeyOrder
from ndr_core.place import Place
from ndr_core.progress import Meter

_PACKED_TO: Final = 8
"""A line takes so many times the room where it is not packed, about."""

_LARGEST_EMPTY: Final = 512
"""A gzip file without data is no larger, with the name of what was packed."""

FINGERPRINT_DIGITS: Final = 16
"""Length of the fingerprint of an input file, in hexadecimal digits."""


@frozen
class InputFile:
    """One file of a mini-batch, by the address under which engines and sources know it."""

    uri: str
    size_bytes: int
    version: str = ""
    """Another one when the file was changed."""
    problem: str | None = None
    """Why it can't be read, where that is known."""

    @property
    def name(self) -> str:
        """Its address as messages and reports show it: names on disk may be no text."""
        return printable(self.uri)


def read_named(read: Callable[[InputFile], Iterator[bytes]], file: InputFile) -> Iterator[bytes]:
    """Read a file by `read`; an UnreadableFileError names the file by its address."""
    with naming(file):
        yield from read(file)


@contextmanager
def naming(file: InputFile) -> Iterator[None]:
    """Have an UnreadableFileError of the block name a file by its address."""
    try:
        yield
    except UnreadableFileError as error:
        raise UnreadableFileError(str(error), file.uri) from error


@frozen
class InputBatch:
    """The readable files of a mini-batch, and what a first look at them showed."""

    files: tuple[InputFile, ...]
    reader: Callable[[InputFile, Callable[[int], object]], Iterator[bytes]]
    """Gives a file in blocks of whole lines, as `FlowSource.blocks`, or in pieces, where it is Parquet.

    Other processes may get a copy of it."""
    key_orders: tuple[KeyOrder, ...]
    """Distinct key orders of the first lines: a hint for fast reading."""
    heads: Mapping[InputFile, Head] = field(factory=dict)
    """What the first and last bytes of the files show."""
    meter: Meter = field(factory=Meter, eq=False)
    """Counts what `read_blocks` reads of the files."""

    @property
    def total_packed_bytes(self) -> int:
        """As `packed_bytes`, of all files."""
        return sum(map(self.packed_bytes, self.files))

    def packed_bytes(self, file: InputFile) -> int:
        """Give the bytes of a file; of one that is not packed, what it would take about."""
        head = self.heads.get(file)
        is_packed = (
            head is None or head.compression is not Compression.NONE or head.format == PARQUET
        )
        return file.size_bytes if is_packed else file.size_bytes // _PACKED_TO

    def may_hold_records(self, file: InputFile) -> bool:
        """Whether a file may have bytes once it is unpacked; False only where its size and its ends rule it out.

        A large gzip file has some, though it says 0: its last member may be an empty one.
        """
        head = self.heads.get(file)
        says_none = head is not None and head.unpacked_bytes == 0
        return file.size_bytes > (_LARGEST_EMPTY if says_none else 0)

    def read_blocks(self, file: InputFile) -> Iterator[bytes]:
        """Give a file in blocks of whole lines, and count what is read of it."""
        return self.meter.metered(self.reader)(file)

    def read_pieces(self, file: InputFile) -> Iterator[bytes]:
        """Give a file in pieces, and count their bytes; whoever makes records of them counts those."""
        return self.reader(file, lambda packed: self.meter.add(packed_bytes=packed))

    @property
    def uris(self) -> list[str]:
        return [file.uri for file in self.files]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


class FlowSource(Protocol):
    """Where a mini-batch lands."""

    @property
    def place(self) -> Place:
        """The place itself."""
        ...

    def places(self, files: Sequence[InputFile]) -> Iterable[Place]:
        """Give where files really lie, one place of each folder: links may lead out of `place`."""
        ...

    def files(self, notice: Callable[[str], None]) -> tuple[InputFile, ...]:
        """Its data files, sorted by address. Raises UsageError when there is no such place.

        What can hold no data of the batch, as a link that leads back up, goes to `notice`.
        """
        ...

    def heads(self, files: Sequence[InputFile]) -> Mapping[InputFile, Head]:
        """What the first and last bytes of files tell."""
        ...

    def fingerprints(self, files: Sequence[InputFile]) -> Mapping[InputFile, str]:
        """Give a short text for each file, made of its content only: copies have equal ones, wherever they lie."""
        ...

    def blocks(
        self, file: InputFile, read: Callable[[int], object] = lambda _: None
    ) -> Iterator[bytes]:
        """A file, unpacked, in blocks of whole lines with their line feeds (`line_blocks`).

        `read` is called with the number of bytes, as they lie in the file, whenever some were read.
        Raises as `pieces`, and UnreadableFileError where the file is no text.
        """
        ...

    def pieces(
        self, file: InputFile, read: Callable[[int], object] = lambda _: None
    ) -> Iterator[bytes]:
        """A file, unpacked, in pieces as they come. `read`: as for `blocks`.

        Raises UnreadableFileError where the file is truncated, corrupt or can't be opened, InputChangedError where it
        was changed since it was listed.
        """
        ...

    def changed(self, files: Sequence[InputFile]) -> list[InputFile]:
        """Those of the files that are no more what they were when listed."""
        ...
