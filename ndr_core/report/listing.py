"""Rows as a report shows them: as a table for people, and as data of a plot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any, Final

from attrs import frozen

from ndr_core.times import SECOND_US, to_datetime


class Kind(Enum):
    """What the values of a column are, and so how they are shown."""

    TEXT = "text"
    TIME = "time"
    """Moments, in seconds since 1970-01-01 UTC."""
    COUNT = "count"
    BYTES = "bytes"
    NUMBER = "number"
    """Floats."""

    @property
    def is_number(self) -> bool:
        """Whether values stand flush right."""
        return self in (Kind.COUNT, Kind.BYTES, Kind.NUMBER)


@frozen
class Column:
    """One column of a listing."""

    name: str
    """Under which plots find it."""
    title: str
    kind: Kind = Kind.COUNT


@frozen
class Listing:
    """Rows with named columns. None stands for a value that is not known."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]

    @classmethod
    def of(cls, columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> Listing:
        """Make a listing of rows whose values stand in the order of the columns."""
        return cls(tuple(columns), tuple(tuple(row) for row in rows))

    def to_plain(self) -> dict[str, Any]:
        """Give JSON-ready data: names, titles and kinds of the columns, and the rows."""
        return {
            "columns": [[one.name, one.title, one.kind.value] for one in self.columns],
            "rows": [list(row) for row in self.rows],
        }


UNKNOWN: Final = "–"
"""How a value is shown that is not known."""
_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


def shown_as(value: Any, kind: Kind) -> str:
    """Give the text of a value of a kind; `UNKNOWN` for None."""
    if value is None:
        return UNKNOWN
    if kind is Kind.TIME:
        return f"{to_datetime(value * SECOND_US):%Y-%m-%d %H:%M}"
    if kind is Kind.BYTES:
        return _size(value)
    if kind is Kind.NUMBER:
        return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if kind is Kind.COUNT else str(value)


def _size(count: int) -> str:
    """Bytes in the unit that leaves three digits before the point, as far as there are units."""
    size = float(count)
    for unit in _UNITS[:-1]:
        if abs(size) < 1000:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} {_UNITS[-1]}"
