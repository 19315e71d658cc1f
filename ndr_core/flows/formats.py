"""The formats of input files, as a JobSpec names them, and how delimited lines are laid out."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final, TypeAlias

from attrs import frozen

from ndr_core.errors import Problem

_MOST_CHARACTERS: Final = 8
"""Of a separator."""


class FileFormat(Enum):
    """What the files of a mini-batch are, once they are unpacked."""

    JSON = "json"
    DELIMITED = "delimited"
    PARQUET = "parquet"

    @property
    def title(self) -> str:
        """The format as messages name it."""
        return _TITLES[self]


_TITLES: Final = {
    FileFormat.JSON: "JSON Lines in UTF-8",
    FileFormat.DELIMITED: "delimited lines in UTF-8",
    FileFormat.PARQUET: "Parquet",
}


class HeaderKind(Enum):
    """Where a file tells the names of its columns."""

    ZEEK = "zeek"
    FIRST_LINE = "first_line"


HeaderPlace: TypeAlias = HeaderKind | tuple[str, ...]
"""Where the names of columns stand, or the names themselves."""

_SEPARATOR_OF_ZEEK: Final = "\t"
_USUAL_SEPARATOR: Final = ","


@frozen
class Layout:
    """How delimited lines are cut into parts, and where the names of the parts stand."""

    separator: str
    """Between two parts. A log of Zeek may name another one."""
    header: HeaderPlace


def layout_of(separator: str | None, header: HeaderPlace) -> Layout:
    """Give the layout that a JobSpec asks for; the separator is a tab for Zeek, else a comma, if none is given."""
    if separator is None:
        separator = _SEPARATOR_OF_ZEEK if header is HeaderKind.ZEEK else _USUAL_SEPARATOR
    return Layout(separator, header)


def format_problems(
    chosen: FileFormat, separator: str | None, header: HeaderPlace | None
) -> list[Problem]:
    """List what is wrong with the keys `separator` and `header` of an input; nothing when all is well."""
    if chosen is not FileFormat.DELIMITED:
        given = {"separator": separator, "header": header}
        return [
            Problem(key, "is for format: delimited only")
            for key, value in given.items()
            if value is not None
        ]
    found = []
    if separator is not None and not _is_separator(separator):
        found.append(
            Problem(
                "separator",
                f"must be 1 to {_MOST_CHARACTERS} characters, none of them the end of a line",
            )
        )
    if header is None:
        found.append(
            Problem(
                "header",
                "is required for format: delimited: zeek, first_line, or a list of the columns' names",
            )
        )
    elif not isinstance(header, HeaderKind):
        found += _name_problems(header)
    return found


def _is_separator(text: str) -> bool:
    return 0 < len(text) <= _MOST_CHARACTERS and not {"\n", "\r"} & set(text)


def _name_problems(names: Sequence[str]) -> list[Problem]:
    if not names:
        return [Problem("header", "needs at least one name")]
    if len(set(names)) < len(names):
        return [Problem("header", "has a name twice")]
    return []
