"""What a delimited line means: the names of a header and the parts of the line, put together as one object.

The header is no record. `first_line`: it is the first line of each file on which something stands. A list: the
JobSpec gives the names. `zeek`: each line that begins with `#` tells something of the lines after it, by its first
word: `#separator` what stands between two parts (`\\x09` is a tab), `#fields` the names, `#unset_field` the part that
stands for no value, `#empty_field` the one that stands for an empty text, `#path` the kind of log, which is the
column `_path`. Other words tell nothing that is needed. All of this may change within a file.

A line is taken without its line feed, one carriage return before that, and byte order marks at the start of the file.
A line of more than MAX_LINE_BYTES, one that is no UTF-8, and one with another number of parts than the header has
names, is malformed. A line with nothing but spaces, tabs and carriage returns is blank. Quotes mean nothing. Of a
name that the header has twice, the last part counts.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from attrs import asdict, evolve, frozen

from ndr_core.flows.formats import HeaderKind, Layout
from ndr_core.flows.json_text import BLANKS, MAX_LINE_BYTES, cut_raw
from ndr_core.flows.raw_record import Blank, Malformed, RawRecord, object_text

PATH: Final = "_path"
"""The column that says which of its logs Zeek wrote a line to."""

_MARK: Final = b"#"
_MARK_OF_BYTES: Final = codecs.BOM_UTF8
_ESCAPED: Final = re.compile(r"\\x([0-9a-fA-F]{2})")


@frozen
class Header:
    """What is known of the parts of a line."""

    names: tuple[str, ...]
    separator: str
    unset: str | None = None
    """The part that stands for no value."""
    empty: str | None = None
    """The part that stands for an empty text."""
    path: str | None = None
    """The value of the column PATH in each record, if there is one."""

    def object(self, text: str) -> dict[str, str | None] | None:
        """Give the object of a line's text; None where its number of parts is another one than that of the names."""
        parts = text.split(self.separator)
        if len(parts) != len(self.names):
            return None
        found: dict[str, str | None] = {} if self.path is None else {PATH: self.path}
        found.update(zip(self.names, map(self._value, parts), strict=True))
        return found

    def _value(self, part: str) -> str | None:
        if part == self.unset:
            return None
        return "" if part == self.empty else part

    @property
    def text(self) -> str:
        """The header as a text that `header_of` reads: so it travels with its lines."""
        return json.dumps(asdict(self))


def header_of(text: str) -> Header:
    """Read a header from the text that it gave of itself."""
    plain: dict[str, Any] = json.loads(text)
    return Header(**plain | {"names": tuple(plain["names"])})


def headed(blocks: Iterable[bytes], layout: Layout) -> Iterator[tuple[Header, bytes]]:
    """Give the lines of one file in blocks, each with the header that its lines have; headers are left out.

    `blocks`: whole lines, from the start of the file on.
    """
    unmarked = _without_marks(blocks)
    match layout.header:
        case HeaderKind.ZEEK:
            return _by_zeek(unmarked, layout.separator)
        case HeaderKind.FIRST_LINE:
            return _by_first_line(unmarked, layout.separator)
        case names:
            header = Header(names, layout.separator)
            return ((header, block) for block in unmarked)


def read_delimited(line: bytes | str, header: Header) -> Blank | Malformed | RawRecord:
    """Give the record on one line, given as bytes or as text that was valid UTF-8, by its header."""
    data = line.encode() if isinstance(line, str) else line
    text = line_text(data)
    if len(data) > MAX_LINE_BYTES:
        return Malformed(cut_raw(text))
    if not text.strip(BLANKS):
        return Blank()
    value = header.object(text) if _is_utf8(data) else None
    if value is None:
        return Malformed(cut_raw(text))
    return RawRecord(value, text, object_text(value))


def line_text(line: bytes) -> str:
    """Text of a line as quarantine and tie-breaks see it; bytes that are no UTF-8 as U+FFFD."""
    return line.removesuffix(b"\r").decode(errors="replace")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _without_marks(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks of a file without the byte order marks that it begins with."""
    at_start = True
    for block in blocks:
        while at_start and block.startswith(_MARK_OF_BYTES):
            block = block.removeprefix(_MARK_OF_BYTES)
        if block:
            at_start = False
            yield block


def _by_first_line(blocks: Iterator[bytes], separator: str) -> Iterator[tuple[Header, bytes]]:
    header: Header | None = None
    for block in blocks:
        place = 0
        while header is None and place < len(block):
            end = _line_end(block, place)
            text = line_text(block[place:end].removesuffix(b"\n"))
            if text.strip(BLANKS):
                header = Header(tuple(text.split(separator)), separator)
            place = end
        if header is not None and place < len(block):
            yield header, block[place:]


def _by_zeek(blocks: Iterator[bytes], separator: str) -> Iterator[tuple[Header, bytes]]:
    header = Header((), separator)
    for block in blocks:
        place = 0
        while place < len(block):
            start = _next_mark(block, place)
            if start > place:
                yield header, block[place:start]
            place = _line_end(block, start) if start < len(block) else start
            header = told_by_mark(header, line_text(block[start:place].removesuffix(b"\n")))


def _next_mark(block: bytes, place: int) -> int:
    """Where the next line begins with a mark, from the start of a line on; the end of the block where none does."""
    if block.startswith(_MARK, place):
        return place
    found = block.find(b"\n" + _MARK, place)
    return len(block) if found < 0 else found + 1


def _line_end(block: bytes, place: int) -> int:
    """Where the line at a place ends, its line feed included."""
    return block.find(b"\n", place) + 1 or len(block)


def told_by_mark(header: Header, line: str) -> Header:
    """The header after a line that begins with a mark."""
    if line.startswith("#separator "):
        separator = _ESCAPED.sub(lambda code: chr(int(code[1], 16)), line.partition(" ")[2])
        return evolve(header, separator=separator) if separator else header
    word, _, rest = line.partition(header.separator)
    match word:
        case "#fields":
            return evolve(header, names=tuple(rest.split(header.separator)))
        case "#unset_field":
            return evolve(header, unset=rest)
        case "#empty_field":
            return evolve(header, empty=rest)
        case "#path":
            return evolve(header, path=rest)
    return header
