"""Where an expression is null, found from the expression: what null rules of columns are written from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from itertools import product
from typing import Final

from attrs import frozen

from ndr_core.expressions.expr import (
    Binary,
    BinaryOp,
    Coalesce,
    Column,
    Constant,
    Expr,
    If,
    Let,
    Unary,
    operands,
    substitute,
)
from ndr_core.expressions.spell import largest_known, spell

Case = tuple[Expr, ...]
"""Conditions that hold together; none: always."""
Cases = tuple[Case, ...]
"""One of them holds."""

_NEVER: Final[Cases] = ()
_ALWAYS: Final[Cases] = ((),)
_OPPOSITES: Final[dict[BinaryOp, BinaryOp]] = {
    "==": "!=",
    "!=": "==",
    "<": ">=",
    ">=": "<",
    ">": "<=",
    "<=": ">",
}


def null_where(expr: Expr, nullable: Mapping[str, str]) -> Cases:
    """Give the cases in which a number or text is null: it is null just where all conditions of one of them hold.

    `nullable`: the columns that can be null, each with one that is null just where it is: itself, or a column that
    stands for all of them.
    """
    return _Nulls(nullable).of(expr)


def null_text(cases: Iterable[Case]) -> str:
    """Write the cases in which a value is null; nothing for none."""
    return "; ".join(" and ".join(map(spell, case)) or "always" for case in cases)


@frozen
class _Nulls:
    """Finds where expressions are null, and conditions true, false or null, as cases."""

    nullable: Mapping[str, str]

    def of(self, expr: Expr) -> Cases:
        match expr:
            case Column(name):
                known = self.nullable.get(name)
                return _NEVER if known is None else ((Column(known).is_null(),),)
            case Constant(value):
                return _ALWAYS if value is None else _NEVER
            case Unary("is_null"):
                return _NEVER
            case Coalesce(first, second):
                return self._both(self.of(first), self.of(second))
            case If(condition, then, otherwise):
                if (values := largest_known(expr)) is not None:
                    return self._all(map(self.of, values))
                return self._of_choice(condition, self.of(then), self.of(otherwise))
            case Let(name, value, body):
                return self._of_named(name, value, body)
        return _any(*map(self.of, operands(expr)))

    def _of_choice(self, condition: Expr, then: Cases, otherwise: Cases) -> Cases:
        """The cases of a choice between values that are null in `then` and in `otherwise`."""
        if then == _ALWAYS:
            return _any(self._true(condition), otherwise)
        if otherwise == _ALWAYS:
            return _any(self._not_true(condition), then)
        return _any(
            self._both(self._true(condition), then),
            self._both(self._not_true(condition), otherwise),
        )

    def _of_named(self, name: str, value: Expr, body: Expr) -> Cases:
        """The cases of a body in which a name stands for a value."""
        of_value = self.of(value)
        others = {other: known for other, known in self.nullable.items() if other != name}
        inside = _Nulls({**others, name: name} if of_value else others)
        named = Column(name).is_null()
        return _any(
            *(
                self._both(
                    of_value if named in case else _ALWAYS,
                    (tuple(substitute(one, {name: value}) for one in case if one != named),),
                )
                for case in inside.of(body)
            )
        )

    def _true(self, condition: Expr) -> Cases:
        match condition:
            case Binary("and", left, right):
                return self._both(self._true(left), self._true(right))
            case Binary("or", left, right):
                return _any(self._true(left), self._true(right))
            case Unary("not", operand):
                return self._false(operand)
            case Unary("is_null", operand):
                return self.of(operand)
        return ((condition,),)

    def _false(self, condition: Expr) -> Cases:
        match condition:
            case Binary("and", left, right):
                return _any(self._false(left), self._false(right))
            case Binary("or", left, right):
                return self._both(self._false(left), self._false(right))
            case Binary(op, left, right) if op in _OPPOSITES:
                return ((Binary(_OPPOSITES[op], left, right),),)
            case Unary("not", operand):
                return self._true(operand)
            case Unary("is_null", operand):
                return self._all(_any(*map(self._fails, case)) for case in self.of(operand))
        return ((~condition,),)

    def _fails(self, condition: Expr) -> Cases:
        """The cases in which a condition of a case does not hold."""
        return self._not_true(condition) if _null_column(condition) is None else ((~condition,),)

    def _not_true(self, condition: Expr) -> Cases:
        """The cases in which a condition is false or null."""
        return _any(self._false(condition), self._unknown(condition))

    def _unknown(self, condition: Expr) -> Cases:
        """The cases in which a condition is null."""
        match condition:
            case Binary("and" | "or" as op, left, right):
                # It is null where one side is, and the other one does not decide by itself.
                undecided = self._true if op == "and" else self._false
                of_left, of_right = self._unknown(left), self._unknown(right)
                return _any(
                    self._both(of_left, of_right),
                    self._both(of_left, undecided(right)),
                    self._both(undecided(left), of_right),
                )
            case Unary("not", operand):
                return self._unknown(operand)
        return self.of(condition)

    def _all(self, several: Iterable[Cases]) -> Cases:
        """The cases in which one of each of several holds."""
        return reduce(self._both, several, _ALWAYS)

    def _both(self, left: Cases, right: Cases) -> Cases:
        """The cases in which one of the left and one of the right hold, without those that can't be."""
        together = (self._case((*one, *other)) for one, other in product(left, right))
        return _any(tuple(case for case in together if case is not None))

    def _case(self, conditions: Iterable[Expr]) -> Case | None:
        """Conditions that hold together, each once, without what others say already; None where they can't."""
        known = dict.fromkeys(conditions)
        read = {self.nullable.get(name, name) for one in known for name in _read_by(one)}
        if any(_opposite(one) in known or _null_column(one) in read for one in known):
            return None  # it would have to be true and false, or null and known
        return tuple(one for one in known if _null_column(_opposite(one)) not in read)


def _any(*several: Cases) -> Cases:
    """All cases, each once, without those that another one holds already."""
    cases = {frozenset(case): case for cases in several for case in cases}
    return tuple(case for known, case in cases.items() if not any(other < known for other in cases))


def _opposite(condition: Expr) -> Expr:
    """That the condition is false."""
    match condition:
        case Unary("not", operand):
            return operand
        case Binary(op, left, right) if op in _OPPOSITES:
            return Binary(_OPPOSITES[op], left, right)
    return ~condition


def _null_column(condition: Expr) -> str | None:
    """The column that a condition says is null; None for another condition."""
    match condition:
        case Unary("is_null", Column(name)):
            return name
    return None


def _read_by(condition: Expr) -> frozenset[str]:
    """The columns that must be known for a condition to be true."""
    match condition:
        case Binary(op, left, right) if op not in ("and", "or"):
            return _read_by(left) | _read_by(right)
        case Column(name):
            return frozenset({name})
        case Unary("not" | "to_float" | "floor_to_int" | "bit_length", operand):
            return _read_by(operand)
    return frozenset()
