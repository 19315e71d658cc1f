"""The expression language in which rules and measures are written.

An expression is a value. Adapters compile it to their engine (`polars/expr.py`, `spark/expr.py`);
`evaluate.py` gives its meaning in plain Python. Logic is three-valued as in SQL: an operation on
null is null, `and` / `or` follow Kleene. Integers are int64 and every division is by a positive number,
so that floor and truncation agree; floats are IEEE 754 doubles and only + - * / are used on them,
which every engine rounds alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NoReturn

from attrs import evolve, field, fields, frozen

from ndr_core.errors import shown
from ndr_core.int64 import is_int64

Scalar = bool | int | float | str | None
BinaryOp = Literal["+", "-", "*", "/", "//", "==", "!=", "<", "<=", ">", ">=", "and", "or"]
UnaryOp = Literal["not", "is_null", "bit_length", "to_float", "floor_to_int"]


@frozen(order=False)
class Expr:
    """Base of all expressions; the methods build bigger ones."""

    def __bool__(self) -> NoReturn:
        """Raise TypeError: `a < b < c` and `a and b` would silently lose a part."""
        raise TypeError("an expression has no truth value: use &, | and ~, or when")

    def _binary(self, op: BinaryOp, other: Expr | Scalar, *, swap: bool = False) -> Expr:
        right = wrap(other)
        return Binary(op, right, self) if swap else Binary(op, self, right)

    def __add__(self, other: Expr | Scalar) -> Expr:
        return self._binary("+", other)

    def __radd__(self, other: Scalar) -> Expr:
        return self._binary("+", other, swap=True)

    def __sub__(self, other: Expr | Scalar) -> Expr:
        return self._binary("-", other)

    def __mul__(self, other: Expr | Scalar) -> Expr:
        return self._binary("*", other)

    def __rmul__(self, other: Scalar) -> Expr:
        return self._binary("*", other, swap=True)

    def __truediv__(self, other: Expr | Scalar) -> Expr:
        """Float division."""
        return self._binary("/", other)

    def __floordiv__(self, other: Expr | Scalar) -> Expr:
        """Integer division of a non-negative number by a positive one."""
        return self._binary("//", other)

    def __lt__(self, other: Expr | Scalar) -> Expr:
        return self._binary("<", other)

    def __le__(self, other: Expr | Scalar) -> Expr:
        return self._binary("<=", other)

    def __gt__(self, other: Expr | Scalar) -> Expr:
        return self._binary(">", other)

    def __ge__(self, other: Expr | Scalar) -> Expr:
        return self._binary(">=", other)

    def __and__(self, other: Expr) -> Expr:
        return self._binary("and", other)

    def __or__(self, other: Expr) -> Expr:
        return self._binary("or", other)

    def __invert__(self) -> Expr:
        return Unary("not", self)

    def eq(self, other: Expr | Scalar) -> Expr:
        return self._binary("==", other)

    def ne(self, other: Expr | Scalar) -> Expr:
        return self._binary("!=", other)

    def is_null(self) -> Expr:
        return Unary("is_null", self)

    def is_in(self, values: Iterable[int | str]) -> Expr:
        """Membership in a set of literals; null stays null. Raises TypeError for a text, or other literals."""
        if isinstance(values, str):
            raise TypeError(f"{shown(values)} is one text, expected a set of integers or texts")
        return IsIn(self, frozenset(values))

    def starts_with(self, prefix: str) -> Expr:
        return StartsWith(self, prefix)

    def or_else(self, other: Expr | Scalar) -> Expr:
        """This value, or `other` where it is null."""
        return Coalesce(self, wrap(other))

    def bit_length(self) -> Expr:
        """Bits needed for a non-negative integer; 0 for 0."""
        return Unary("bit_length", self)

    def to_float(self) -> Expr:
        return Unary("to_float", self)

    def floor_to_int(self) -> Expr:
        return Unary("floor_to_int", self)

    def shift_right(self, bits: Expr) -> Expr:
        """Non-negative integer >> bits."""
        return Shift("right", self, bits)

    def shift_left(self, bits: Expr) -> Expr:
        """Non-negative integer << bits."""
        return Shift("left", self, bits)


@frozen(cache_hash=True, order=False)
class Column(Expr):
    """The value of a column."""

    name: str


@frozen(cache_hash=True, order=False)
class Constant(Expr):
    """A constant. Raises for a value that not every engine has: TypeError or, out of its range, ValueError."""

    # 0, 0.0 and False are equal in Python, and three different literals.
    value: Scalar = field(eq=lambda value: (type(value), value))

    def __attrs_post_init__(self) -> None:
        match self.value:
            case bool() | str() | None:
                pass
            case int(number):
                if not is_int64(number):
                    raise ValueError(f"{shown(number)} lies outside int64")
            case float(number):
                if not math.isfinite(number):
                    raise ValueError(f"{number} is not finite")
            case other:
                raise TypeError(f"{shown(other)} is no constant of an expression")


@frozen(cache_hash=True, order=False)
class Unary(Expr):
    """An operation on one value."""

    op: UnaryOp
    operand: Expr


@frozen(cache_hash=True, order=False)
class Binary(Expr):
    """An operation on two values. Raises ValueError for a division by a constant that is not positive."""

    op: BinaryOp
    left: Expr
    right: Expr

    def __attrs_post_init__(self) -> None:
        if self.op not in ("/", "//") or not isinstance(self.right, Constant):
            return
        divisor = self.right.value
        if isinstance(divisor, bool) or not isinstance(divisor, int | float) or divisor <= 0:
            raise ValueError(f"{shown(divisor)} is no divisor: it must be a positive number")


@frozen(cache_hash=True, order=False)
class Shift(Expr):
    """A non-negative integer, its bits shifted."""

    direction: Literal["left", "right"]
    value: Expr
    bits: Expr


@frozen(cache_hash=True, order=False)
class IsIn(Expr):
    """Membership in a set of literals. Raises TypeError for literals that are no integers or texts."""

    operand: Expr
    values: frozenset[int | str]

    def __attrs_post_init__(self) -> None:
        for value in self.values:
            if type(value) not in (int, str):
                raise TypeError(f"{shown(value)} is not among integers or texts")


@frozen(cache_hash=True, order=False)
class StartsWith(Expr):
    """Whether a text begins with a prefix."""

    operand: Expr
    prefix: str


@frozen(cache_hash=True, order=False)
class Coalesce(Expr):
    """The first value, or the second where the first is null."""

    first: Expr
    second: Expr


@frozen(cache_hash=True, order=False)
class If(Expr):
    """`then` where the condition is true, `otherwise` where it is false or null."""

    condition: Expr
    then: Expr
    otherwise: Expr


@frozen(cache_hash=True, order=False)
class Let(Expr):
    """`body`, in which the column `name` stands for `value`, computed once."""

    name: str
    value: Expr
    body: Expr


def col(name: str) -> Expr:
    """The column of that name."""
    return Column(name)


def lit(value: Scalar) -> Expr:
    """A constant."""
    return Constant(value)


def let(name: str, value: Expr, body: Callable[[Expr], Expr]) -> Expr:
    """Give `value` a name, so that it is computed once however often `body` uses it."""
    return Let(name, value, body(Column(name)))


def wrap(value: Expr | Scalar) -> Expr:
    """`value` as an expression: a plain value becomes a constant."""
    return value if isinstance(value, Expr) else Constant(value)


def when(condition: Expr, then: Expr | Scalar, otherwise: Expr | Scalar) -> Expr:
    """Choose by a condition; a null condition counts as false."""
    return If(condition, wrap(then), wrap(otherwise))


def substitute(expr: Expr, values: Mapping[str, Expr]) -> Expr:
    """`expr` with every column that `values` names replaced by its value.

    A name that a `let` inside `expr` gives hides the one in `values`.
    """
    match expr:
        case Column(name):
            return values.get(name, expr)
        case Let(name, value, body):
            visible = {other: item for other, item in values.items() if other != name}
            return Let(name, substitute(value, values), substitute(body, visible))
    return with_operands(expr, lambda operand: substitute(operand, values))


def columns_of(expr: Expr) -> frozenset[str]:
    """The names of the columns that `expr` reads, without those that a `let` inside it gives."""
    match expr:
        case Column(name):
            return frozenset({name})
        case Let(name, value, body):
            return columns_of(value) | (columns_of(body) - {name})
    return frozenset().union(*map(columns_of, operands(expr)))


def operands(expr: Expr) -> tuple[Expr, ...]:
    """The expressions that `expr` is made of, one level down."""
    parts = (getattr(expr, part.name) for part in fields(type(expr)))
    return tuple(part for part in parts if isinstance(part, Expr))


def with_operands(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """`expr` with each of its direct operands changed."""
    changed = {
        part.name: change(operand)
        for part in fields(type(expr))
        if isinstance(operand := getattr(expr, part.name), Expr)
    }
    return evolve(expr, **changed) if changed else expr
