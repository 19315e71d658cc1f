"""What the catalogue says of a column: meaning, formula, unit, type, where it is null, and what it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from attrs import asdict, field, frozen

from ndr_core.correlations.tables import BASELINE_STEPS, FG_C, X
from ndr_core.deltas.tables import DELTA
from ndr_core.expressions.expr import Expr, columns_of
from ndr_core.expressions.nulls import null_text, null_where
from ndr_core.measures.kinds import CELL_AGGREGATES
from ndr_core.tables import units
from ndr_core.tables.columns import ColumnType, OutputColumn
from ndr_core.tables.origin import FOLDER, KEY, UNSAID, Origin
from ndr_core.tables.table import Table
from ndr_core.windows.aggregates import AGGREGATES, PAIR_AGGREGATES
from ndr_core.windows.tables import BEACON, FG_A

_UNITS: Final = {ColumnType.STRING: units.TEXT, ColumnType.TIMESTAMP: units.TIME}
"""The units of values that have none of their own."""


@frozen
class Entry:
    """A column of a table, or a number that its formulas read and that no column holds."""

    name: str
    type: str
    unit: str
    meaning: str
    formula: str
    """A formula, or in words how it is made of other rows."""
    inputs: tuple[str, ...]
    """`table.column`, or the name of a column or number of the same row."""
    null: str
    """Where it is null; nothing: nowhere."""


@frozen
class TableEntries:
    """What the catalogue says of a table."""

    table: str
    keys: tuple[str, ...]
    """What makes a row."""
    columns: tuple[Entry, ...]
    numbers: tuple[Entry, ...]
    """What formulas of its columns read and no column holds."""

    def plain(self) -> dict[str, object]:
        """Give it as JSON data."""
        return asdict(self)


@frozen
class _Number:
    """A number that formulas read and no column holds."""

    name: str
    meaning: str
    origin: Origin
    type: ColumnType = ColumnType.INT64


_CELLS: Final = tuple(
    _Number(one.name, one.meaning, one.origin(key))
    for key, aggregates in CELL_AGGREGATES.items()
    for one in aggregates
)
_NUMBERS: Final[Mapping[str, tuple[_Number, ...]]] = {
    DELTA: _CELLS,
    FG_A: (*_CELLS, *(_Number(one.name, one.meaning, one.origin, one.type) for one in AGGREGATES)),
    BEACON.name: tuple(
        _Number(one.name, one.meaning, one.origin, one.type) for one in PAIR_AGGREGATES
    ),
    FG_C: (
        _Number("x", "the value of the window that is compared", X),
        *(_Number(name, f"{name} of the baseline", one) for name, one in BASELINE_STEPS.items()),
    ),
}
"""Table -> the numbers that its formulas can read."""


def entries_of(tables: Iterable[Table]) -> dict[str, TableEntries]:
    """Give what there is to say of tables by their names. A formula may read columns of any of them, `table.column`."""
    known = {table.name: table for table in tables}
    origins = {
        f"{table.name}.{column.name}": origin_of(table, column)
        for table in known.values()
        for column in table.columns
    }
    return {name: _entries(table, origins) for name, table in known.items()}


def origin_of(table: Table, column: OutputColumn) -> Origin:
    """Say how the values of a column come about; of keys and folders the table itself says it."""
    if column.origin is not UNSAID:
        return column.origin
    return Origin(_UNITS[column.type], KEY if column.name in table.keys else FOLDER)


def _entries(table: Table, others: Mapping[str, Origin]) -> TableEntries:
    own = {column.name: origin_of(table, column) for column in table.columns}
    numbers = {one.name: one for one in _NUMBERS.get(table.name, ()) if one.name not in own}
    rules = _Rules({**others, **{name: one.origin for name, one in numbers.items()}, **own})
    read = {
        name
        for origin in own.values()
        if origin.formula is not None
        for name in columns_of(origin.formula)
    }
    return TableEntries(
        table.name,
        table.keys,
        tuple(
            _entry(column.name, column.type, column.meaning, own[column.name], rules)
            for column in table.columns
        ),
        tuple(
            _entry(one.name, one.type, one.meaning, one.origin, rules)
            for one in numbers.values()
            if one.name in read
        ),
    )


def _entry(
    name: str, column_type: ColumnType, meaning: str, origin: Origin, rules: _Rules
) -> Entry:
    return Entry(
        name, column_type.value, origin.unit, meaning, origin.text, origin.reads, rules.of(name)
    )


@frozen
class _Rules:
    """Where values of a row are null."""

    origins: Mapping[str, Origin]
    """By the name of the value."""
    _found: dict[str, str] = field(factory=dict, init=False)

    def of(self, name: str) -> str:
        """Say where a value is null; nothing for nowhere, and for what is no value of a row."""
        if name not in self._found:
            origin = self.origins.get(name)
            if origin is None:
                self._found[name] = ""
            elif origin.formula is None or origin.null:
                self._found[name] = origin.null
            else:
                self._found[name] = self._of_formula(origin.formula, origin.stands_for)
        return self._found[name]

    def _of_formula(self, formula: Expr, stands_for: Mapping[str, str]) -> str:
        nullable = self._nullable(columns_of(formula) - stands_for.keys())
        text = null_text(null_where(formula, {**nullable, **stands_for}))
        return text and f"where {text}"

    def _nullable(self, names: Iterable[str]) -> dict[str, str]:
        """The names that can be null, each with the first one of those that are null just where it is."""
        first: dict[str, str] = {}
        # Columns stand for numbers that no column holds, as readers see them.
        for name in sorted(names, key=lambda name: (":" in name, name)):
            if rule := self.of(name):
                first.setdefault(rule, name)
        return {name: first[self.of(name)] for name in names if self.of(name)}
