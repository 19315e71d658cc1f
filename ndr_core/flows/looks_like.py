"""What an input looks like that is no JSON Lines: for the message of a run that could use none of its records."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

from ndr_core.flows.file_format import other_format
from ndr_core.flows.json_text import BLANKS, BYTE_ORDER_MARK

LOOK_BYTES: Final = 64 << 10
"""So many first bytes are enough to tell."""

_JSON_LINES: Final = "This version reads one JSON object a line"
_LEAST_PARTS: Final = 4
"""Of a line, to be taken for parted values."""
_LINE_CHARACTERS: Final = 4096
"""So many of a line are looked at."""
_VPC_LINE: Final = re.compile(r"[0-9]+ [0-9]{12} \S+( \S+){10} (OK|NODATA|SKIPDATA)")
_KEY: Final = re.compile(r"(?:^|\s)[A-Za-z_][A-Za-z0-9_]*=")
_SEPARATORS: Final = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "'|'"}


def looks_like(head: bytes) -> str | None:
    """Say in a sentence or two what an input looks like by its first bytes, unpacked, and what to do about it.

    None where they look like JSON Lines, or like nothing known.
    """
    name = other_format(head)
    if name is not None:
        return _told(name, "convert the files")
    text = head.decode(errors="replace").lstrip(BYTE_ORDER_MARK + BLANKS + "\n")
    if text.startswith("{"):
        return _objects(text)
    stripped = (line.strip(BLANKS)[:_LINE_CHARACTERS] for line in text.split("\n"))
    lines = [line for line in stripped if line] or [""]
    return next((told for look in _LOOKS if (told := look(lines)) is not None), None)


def _told(what: str, to_do: str) -> str:
    return f"The input looks like {what}. {_JSON_LINES}: {to_do}"


def _objects(text: str) -> str | None:
    """Objects that are not one a line."""
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    if "\n" in text[:end]:
        return _told("JSON objects of several lines each", "write each on one (jq -c . FILE)")
    if text[end:].lstrip(BLANKS + ",").startswith("{"):
        return _told("several JSON objects on a line", "end each with a line feed (jq -c . FILE)")
    return None


def _array(lines: list[str]) -> str | None:
    if not re.match(r"\[\s*(\{|$)", lines[0]):
        return None
    return _told("one JSON array", "write its objects one a line (jq -c '.[]' FILE)")


def _zeek_tsv(lines: list[str]) -> str | None:
    if not lines[0].startswith(("#separator", "#fields", "#path")):
        return None
    return _told(
        "a log of Zeek with values parted by tabs",
        "have Zeek write JSON (redef LogAscii::use_json = T;)",
    )


def _vpc_text(lines: list[str]) -> str | None:
    has_names = {"srcaddr", "dstaddr"} <= set(lines[0].split(" "))
    if not has_names and not _VPC_LINE.fullmatch(lines[0]):
        return None
    return _told(
        "flow logs of a VPC as text",
        "make an object of each line, by the names of the header (srcaddr, dstaddr, srcport ..)",
    )


def _xml(lines: list[str]) -> str | None:
    return _told("XML", "convert the files") if re.match(r"<[?!A-Za-z]", lines[0]) else None


def _key_values(lines: list[str]) -> str | None:
    if len(_KEY.findall(lines[0])) < _LEAST_PARTS:
        return None
    return _told("texts of KEY=VALUE", "make an object of each line")


def _separated(lines: list[str]) -> str | None:
    for separator, name in _SEPARATORS.items():
        counts = {line.count(separator) for line in lines[:2]}
        if len(counts) == 1 and counts.pop() + 1 >= _LEAST_PARTS:
            return _told(
                f"lines of values parted by {name}, such as CSV",
                "make an object of each line, by the names of the columns",
            )
    return None


_LOOKS: Final[tuple[Callable[[list[str]], str | None], ...]] = (
    _array,
    _zeek_tsv,
    _vpc_text,
    _xml,
    _key_values,
    _separated,
)
