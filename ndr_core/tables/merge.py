"""Merging: the rows of the parts of a table, of any split of the records, make those of the whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ndr_core.errors import OverflowingColumnError, printable
from ndr_core.int64 import is_int64
from ndr_core.tables.columns import Merge, OutputColumn
from ndr_core.tables.table import Table

Row = dict[str, Any]
"""Column -> value; times are us since 1970-01-01 UTC, histograms tuples of (bucket, count)."""


def merge_rows(
    parts: Iterable[Mapping[str, Any]],
    table: Table,
    where: Callable[[Mapping[str, Any]], str] | None = None,
) -> list[Row]:
    """Merge rows to one per key, sorted by key, nulls first. `parts`: as the core or as a reader gives rows.

    Each column that is stored merges by its `Merge`; columns that are derived are left out, to be made
    from the merged ones. `where` names a row in the message of an overflow. Raises OverflowingColumnError
    where a sum leaves int64, ValueError where rows of one key differ in another key column.
    """
    stored = [column for column in table.columns if column.merge.is_stored]
    name_row = where or (lambda row: _named(row, table))
    return [
        {column.name: _merged(column, rows, name_row) for column in stored}
        for _, rows in sorted(
            group(map(table.plain_row, parts), table.keys).items(),
            key=lambda item: nulls_first(item[0]),
        )
    ]


def group(
    rows: Iterable[Mapping[str, Any]], keys: Sequence[str]
) -> dict[tuple[Any, ...], list[Mapping[str, Any]]]:
    """Group rows by the values of some columns."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in keys)].append(row)
    return groups


def nulls_first(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Make a key that sorts, a null before any value."""
    return tuple((value is not None, value) for value in key)


def check_int64(column: str, total: int, where: str) -> None:
    """Raise OverflowingColumnError, naming column and row, for a sum that leaves int64."""
    if not is_int64(total):
        raise OverflowingColumnError(column, where)


def _merged(
    column: OutputColumn,
    rows: Sequence[Mapping[str, Any]],
    where: Callable[[Mapping[str, Any]], str],
) -> Any:
    try:
        value = column.merge.merged([row[column.name] for row in rows])
    except ValueError as error:
        raise ValueError(f"{column.name} of {where(rows[0])}: {error}") from error
    if column.merge is Merge.SUM and value is not None:
        check_int64(column.name, value, where(rows[0]))
    return value


def _named(row: Mapping[str, Any], table: Table) -> str:
    keys = ", ".join(f"{key} {printable(str(row[key]))}" for key in table.keys)
    return f"the row of {table.name} with {keys}"
