"""What an input looks like: for messages about one that is not in the format that the JobSpec says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Final

from attrs import field, frozen

from ndr_core.flows.file_format import JSON_LINES, PARQUET, other_format
from ndr_core.flows.formats import FileFormat, HeaderKind, HeaderPlace, Layout
from ndr_core.flows.json_text import BLANKS, BYTE_ORDER_MARK

LOOK_BYTES: Final = 64 << 10
"""So many first bytes are enough to tell."""

_LEAST_PARTS: Final = 4
"""Of a line, to be taken for parted values."""
_LINE_CHARACTERS: Final = 4096
"""So many of a line are looked at."""
_VPC_LINE: Final = re.compile(r"[0-9]+ [0-9]{12} \S+( \S+){10} (OK|NODATA|SKIPDATA)")
_KEY: Final = re.compile(r"(?:^|\s)[A-Za-z_][A-Za-z0-9_]*=")
_SEPARATORS: Final = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "'|'"}


@frozen
class Look:
    """What an input looks like, and what to do so that it can be read."""

    what: str
    to_do: str
    format: FileFormat | None = None
    """The format by which it can be read as it is, if there is one."""
    keys: Mapping[str, str] = field(factory=dict)
    """Keys of `input` to set for that, beside the format: each with its value in a JobSpec."""

    def fits(self, chosen: FileFormat, layout: Layout | None) -> bool:
        """Whether it is read as it is by what a JobSpec says."""
        if chosen is not FileFormat.DELIMITED or self.format is not FileFormat.DELIMITED:
            return chosen is self.format
        assert layout is not None, "delimited lines have one"
        return all(
            value == _written(getattr(layout, key))
            for key, value in self.keys.items()
            if key == "separator" or isinstance(layout.header, HeaderKind)
        )


def looks_like(
    head: bytes, chosen: FileFormat = FileFormat.JSON, layout: Layout | None = None
) -> str | None:
    """Say in a sentence or two what an input looks like by its first bytes, unpacked, and what to do about it.

    None where they look like what a JobSpec says they are, or like nothing known.
    """
    look = look_at(head)
    if look is None or look.fits(chosen, layout):
        return None
    return f"The input looks like {look.what}: {look.to_do}"


def look_at(head: bytes) -> Look | None:
    """Tell what an input is by its first bytes, unpacked; None where that is nothing known."""
    name = other_format(head)
    if name is not None:
        return _readable(name, FileFormat.PARQUET) if name == PARQUET else Look(name, _CONVERT)
    text = head.decode(errors="replace").lstrip(BYTE_ORDER_MARK + BLANKS + "\n")
    if text.startswith("{"):
        return _objects(text)
    stripped = (line.strip(BLANKS)[:_LINE_CHARACTERS] for line in text.split("\n"))
    lines = [line for line in stripped if line] or [""]
    return next((look for find in _LOOKS if (look := find(lines)) is not None), None)


_CONVERT: Final = "convert the files"


def _readable(what: str, by: FileFormat, **keys: HeaderPlace | str) -> Look:
    """What can be read as it is."""
    written = {key: _written(value) for key, value in keys.items()}
    asked = ", ".join(f"{key}: {value}" for key, value in {"format": by.value, **written}.items())
    return Look(what, f"set input: {{{asked}}}", by, written)


def _written(value: HeaderPlace | str) -> str:
    """A value as a JobSpec has it."""
    return value.value if isinstance(value, HeaderKind) else json.dumps(value)


def _objects(text: str) -> Look | None:
    """Objects, one a line or not."""
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    if "\n" in text[:end]:
        return Look("JSON objects of several lines each", "write each on one line (jq -c . FILE)")
    if text[end:].lstrip(BLANKS + ",").startswith("{"):
        return Look("several JSON objects on a line", "end each with a line feed (jq -c . FILE)")
    return _readable(JSON_LINES, FileFormat.JSON)


def _array(lines: list[str]) -> Look | None:
    if not re.match(r"\[\s*(\{|$)", lines[0]):
        return None
    return Look("one JSON array", "write its objects one a line (jq -c '.[]' FILE)")


def _zeek(lines: list[str]) -> Look | None:
    if not lines[0].startswith(("#separator", "#fields", "#path")):
        return None
    return _readable(
        "a log of Zeek with values parted by tabs", FileFormat.DELIMITED, header=HeaderKind.ZEEK
    )


def _vpc_text(lines: list[str]) -> Look | None:
    what = "flow logs of a VPC as text"
    if {"srcaddr", "dstaddr"} <= set(lines[0].split(" ")):
        return _readable(what, FileFormat.DELIMITED, separator=" ", header=HeaderKind.FIRST_LINE)
    if _VPC_LINE.fullmatch(lines[0]):
        return _of_unnamed(what, " ")
    return None


def _of_unnamed(what: str, separator: str) -> Look:
    """Delimited lines without a header."""
    asked = f"set input: {{format: delimited, separator: {_written(separator)}, header: [..]}}"
    return Look(
        what,
        f"{asked}, with the names of the columns in their order",
        FileFormat.DELIMITED,
        {"separator": _written(separator)},
    )


def _xml(lines: list[str]) -> Look | None:
    return Look("XML", _CONVERT) if re.match(r"<[?!A-Za-z]", lines[0]) else None


def _key_values(lines: list[str]) -> Look | None:
    if len(_KEY.findall(lines[0])) < _LEAST_PARTS:
        return None
    return Look("texts of KEY=VALUE", "make a JSON object of each line")


def _separated(lines: list[str]) -> Look | None:
    for separator, name in _SEPARATORS.items():
        counts = {line.count(separator) for line in lines[:2]}
        if len(counts) == 1 and counts.pop() + 1 >= _LEAST_PARTS:
            return _lines_of(lines[0].split(separator), separator, name)
    return None


def _lines_of(first: list[str], separator: str, name: str) -> Look:
    what = f"lines of values parted by {name}, such as CSV"
    if any(part[:1].isdigit() for part in first):
        return _of_unnamed(what, separator)
    return _readable(what, FileFormat.DELIMITED, separator=separator, header=HeaderKind.FIRST_LINE)


_LOOKS: Final[tuple[Callable[[list[str]], Look | None], ...]] = (
    _array,
    _zeek,
    _vpc_text,
    _xml,
    _key_values,
    _separated,
)
