"""What an explanation of a window is made of, as values: columns, the numbers behind them, and what shows these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from attrs import frozen

from ndr_core.expressions.expr import Expr, col, columns_of, substitute
from ndr_core.expressions.spell import spell, taken
from ndr_core.tables.merge import Row

ALL: Final = 0
"""As the most rows to show: all."""


@frozen
class Evidence:
    """Rows that show how a value comes about: the slices, pairs or peers that it is made of."""

    title: str
    rows: tuple[Row, ...]
    """The first ones say most; all have the same columns."""
    total: int
    """How many there are."""


@frozen
class Operand:
    """A number that a formula reads."""

    name: str
    value: Any
    meaning: str


@frozen
class Explained:
    """One column of a row: its value, and what made it."""

    column: str
    value: Any
    """Times are us since 1970-01-01 UTC."""
    meaning: str
    formula: str | None = None
    """How it is worked out from `operands`; None where `meaning` and `evidence` say so."""
    worked: str | None = None
    """The formula with its numbers, of each choice only what these choose."""
    operands: tuple[Operand, ...] = ()
    evidence: tuple[Evidence, ...] = ()


@frozen
class BeaconExplanation:
    """A pair whose sessions are regular, and the arithmetic of its score."""

    peer_ip: str
    peer_port: int | None
    columns: tuple[Explained, ...]

    def value(self, column: str) -> Any:
        """Give the value of a column. Raises KeyError for another name."""
        return {one.column: one.value for one in self.columns}[column]


@frozen
class RoleExplanation:
    """A row of `fg_a`."""

    role: str
    row: Mapping[str, Any]
    """All columns of `fg_a`, as the published slices give them now."""
    columns: tuple[Explained, ...]
    """The same, each with what made it."""
    pairs: Evidence
    """The pairs of the window, those of most sessions first."""
    beacons: tuple[BeaconExplanation, ...]
    """Those of the largest scores first."""
    beacons_total: int


class Described(Protocol):
    """A column, or a formula: what has a name and a meaning."""

    @property
    def name(self) -> str: ...

    @property
    def meaning(self) -> str: ...


def top(
    title: str, rows: Iterable[Mapping[str, Any]], most: int, by: Callable[[Mapping[str, Any]], Any]
) -> Evidence:
    """Give the rows for which `by` is largest, at most `most` of them (`ALL`: all); equal ones in their order."""
    ordered = sorted(rows, key=by, reverse=True)
    return Evidence(title, tuple(map(dict, ordered[: most or None])), len(ordered))


def of_formula(
    column: Described,
    value: Expr,
    values: Mapping[str, Any],
    meanings: Mapping[str, str],
    evidence: tuple[Evidence, ...] = (),
) -> Explained:
    """Explain a column that is a formula.

    `values`: those of the row, the column's among them; `meanings`: of what the
    formula reads.
    """
    read = sorted(columns_of(value))
    numbers = substitute(
        taken(value, values), {name: col(number_text(values[name])) for name in read}
    )
    return Explained(
        column.name,
        values[column.name],
        column.meaning,
        spell(value),
        spell(numbers),
        tuple(Operand(name, values[name], meanings.get(name, "")) for name in read),
        evidence,
    )


def number_text(value: Any) -> str:
    """Write a number into a formula: floats short, an absent one as null."""
    if value is None:
        return "null"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return f"({text})" if text.startswith("-") else text
