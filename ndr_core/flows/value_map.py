"""Value maps: from the values of one or several columns of the source to a value of a field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final, Literal, TypeAlias

from attrs import field, frozen

from ndr_core.flows.leaf import Leaf


class Default(Enum):
    """What becomes of values that no row fits."""

    KEEP = "keep"
    """They stay as they are."""


Result: TypeAlias = str | None
ANYTHING: Final = "*"
"""In a row of a map that names its columns: fits whatever there is; of several columns also no value."""


@frozen
class MapRow:
    """One row of a map: where the values are these, the field has this value."""

    values: tuple[str, ...]
    result: Result


@frozen
class ValueMap:
    """Rows of which the first that fits gives the value of a field."""

    rows: tuple[MapRow, ...]
    columns: tuple[Leaf, ...] = ()
    """The columns whose values rows speak of; none: the one value that the field is read from."""
    default: Result | Literal[Default.KEEP] = field(default=Default.KEEP)
    """For values that no row fits, never for null. Of several columns there is none to keep: null."""

    @property
    def width(self) -> int:
        """How many values a row has."""
        return max(len(self.columns), 1)

    @property
    def combinations(self) -> int:
        """How many combinations of values rows tell apart."""
        found = 1
        for place in range(self.width):
            found *= len({row.values[place] for row in self.rows}) + 2
        return found

    def is_anything(self, cell: str) -> bool:
        """Whether a value of a row fits whatever there is."""
        return bool(self.columns) and cell == ANYTHING

    def lookup(self, texts: Sequence[str | None]) -> Result:
        """Give the value of a field by the texts of the columns."""
        if all(text is None for text in texts):
            return None
        for row in self.rows:
            cells = zip(row.values, texts, strict=True)
            if all(cell == text or self.is_anything(cell) for cell, text in cells):
                return row.result
        if self.default is Default.KEEP:
            return texts[0] if len(texts) == 1 else None
        return None if None in texts else self.default


def value_map(given: Mapping[str, Result] | ValueMap | None) -> ValueMap | None:
    """Take a mapping from source values to values of a field for a map of one column; None for an empty one."""
    if isinstance(given, ValueMap):
        return given
    rows = tuple(MapRow((value,), result) for value, result in (given or {}).items())
    return ValueMap(rows) if rows else None
