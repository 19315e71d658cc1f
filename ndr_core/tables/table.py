"""A table that runs publish: its name, its columns, what makes a row, and the folders it lies in."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile
from typing import Any, Final

from attrs import field, frozen

from ndr_core.names import COLUMN_NAME_RULE, is_column_name
from ndr_core.tables.columns import Merge, OutputColumn
from ndr_core.tables.slices import DAY_LEVELS, SLICE_LEVELS

RECORD_ID: Final = "record_id"
"""The column by which readers name a row: its key joined by `|`."""


@frozen
class Table:
    """What sinks, readers and merging need to know of a table; each builder defines its own."""

    name: str
    """Top folder of its files in an output."""
    keys: tuple[str, ...]
    """Columns that make a row: rows that are equal in all of them merge."""
    columns: tuple[OutputColumn, ...]
    """All columns that readers see, in order; those of `levels` are in paths, not in files."""
    levels: tuple[str, ...] = field(default=SLICE_LEVELS)
    """Folders below its own, outermost first; those of the slice, or of the day, come first."""

    def __attrs_post_init__(self) -> None:
        """Raise ValueError for a table that could not be published, read or merged."""
        if not is_column_name(self.name):
            raise ValueError(f"table {self.name!r}: the name {COLUMN_NAME_RULE}")
        columns = {column.name: column for column in self.columns}
        if len(columns) < len(self.columns):
            raise ValueError(f"table {self.name}: two columns have one name")
        for name in (*self.keys, *self.levels):
            if name not in columns or columns[name].merge is not Merge.KEY:
                raise ValueError(f"table {self.name}: {name} is not among its key columns")
        span = tuple(takewhile(SLICE_LEVELS.__contains__, self.levels))
        if span not in (SLICE_LEVELS, DAY_LEVELS):
            raise ValueError(
                f"table {self.name}: its first levels must be those of a slice or of a day"
            )

    @property
    def file_columns(self) -> tuple[OutputColumn, ...]:
        """The columns that its files hold, in order."""
        return tuple(column for column in self.columns if column.name not in self.levels)

    def plain_row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Give the stored columns of a row as the core has them, also from what readers give.

        A column that the row lacks is null, unless it is a key: then KeyError is raised.
        """
        return {
            column.name: column.plain(
                row[column.name] if column.name in self.keys else row.get(column.name)
            )
            for column in self.columns
            if column.merge.is_stored
        }

    def key_of(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """Give the key of a row."""
        return tuple(row[name] for name in self.keys)
