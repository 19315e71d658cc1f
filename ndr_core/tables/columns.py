"""The columns of published tables: their types, and how the values of one column merge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Final

from attrs import field, frozen

from ndr_core.tables.origin import UNSAID, Origin
from ndr_core.times import to_us

Histogram = tuple[tuple[int, int], ...]
"""(bucket, count) pairs in ascending order of bucket."""


class ColumnType(Enum):
    """Type of an output column; the same in every engine's Parquet."""

    STRING = "string"
    INT64 = "int64"
    FLOAT64 = "float64"
    TIMESTAMP = "timestamp[us, UTC]"
    HISTOGRAM = "list<struct<bucket: int64, count: int64>>"


def add_histograms(histograms: Iterable[Iterable[tuple[int, int]]]) -> Histogram:
    """Add counts by bucket, in ascending order of bucket."""
    counts: Counter[int] = Counter()
    for histogram in histograms:
        for bucket, count in histogram:
            counts[bucket] += count
    return tuple(sorted(counts.items()))


def _same(values: Sequence[Any]) -> Any:
    first, *others = values
    if any(other != first for other in others):
        raise ValueError("rows of one key must agree in this column")
    return first


def _only(values: Sequence[Any]) -> Any:
    if len(values) > 1:
        raise ValueError("a key has one row, and here are several")
    return values[0]


class Merge(Enum):
    """How the values that rows of one key hold in a column become one value.

    `KEY` values must be equal. Of `NEVER` a key has one row, since a run replaces the rows of the one before it.
    Columns of `DERIVED` and `PAIRS` are not merged: they are made from merged columns, of the row itself or of the
    host's rows in the merged pair table.
    """

    KEY = "key"
    SUM = "sum"
    MAX = "maximum"
    HISTOGRAM = "counts add by bucket"
    NEVER = "never: a key has one row"
    DERIVED = "derived from the merged row"
    PAIRS = "derived from the merged pair table"

    @property
    def is_stored(self) -> bool:
        """Whether merged values are made from values, and not derived from other columns."""
        return self in _FUNCTIONS

    def merged(self, values: Sequence[Any]) -> Any:
        """Make one value of the values of one or more rows. A null is unknown, and so is what it merges to.

        Raises ValueError for keys that differ, for several rows of a key that has one, and for columns that are
        derived.
        """
        if self not in _FUNCTIONS:
            raise ValueError(f"a column that is {self.value} has no values to merge")
        if self is not Merge.KEY and any(value is None for value in values):
            return None
        return _FUNCTIONS[self](values)


_FUNCTIONS: Final[dict[Merge, Callable[[Sequence[Any]], Any]]] = {
    Merge.KEY: _same,
    Merge.SUM: sum,
    Merge.MAX: max,
    Merge.HISTOGRAM: add_histograms,
    Merge.NEVER: _only,
}


@frozen
class OutputColumn:
    """One column of an output table."""

    name: str
    type: ColumnType
    merge: Merge
    meaning: str
    origin: Origin = field(default=UNSAID, eq=False)
    """How its values come about. Columns that differ in nothing else are equal."""

    def plain(self, value: Any) -> Any:
        """Give a value as the core has it, also from what readers give: moments, histograms as dicts of each bucket."""
        if self.type is ColumnType.TIMESTAMP and isinstance(value, datetime):
            return to_us(value)
        if self.type is ColumnType.HISTOGRAM and value is not None:
            return tuple(
                (cell["bucket"], cell["count"]) if isinstance(cell, Mapping) else tuple(cell)
                for cell in value
            )
        return value


def key_column(
    name: str, column_type: ColumnType, meaning: str, origin: Origin = UNSAID
) -> OutputColumn:
    """Make a column whose values are equal in all rows of a key."""
    return OutputColumn(name, column_type, Merge.KEY, meaning, origin)


def text_key(name: str, meaning: str) -> OutputColumn:
    """Make a column of text whose values are equal in all rows of a key."""
    return key_column(name, ColumnType.STRING, meaning)


def value_column(
    name: str, column_type: ColumnType, meaning: str, origin: Origin = UNSAID
) -> OutputColumn:
    """Make a column of a row that nothing adds to: a later run replaces the row."""
    return OutputColumn(name, column_type, Merge.NEVER, meaning, origin)
