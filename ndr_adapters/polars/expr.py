"""Core expression -> Polars expression."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, Final

import polars as pl

from ndr_core.expressions.expr import (
    Binary,
    Coalesce,
    Column,
    Constant,
    Expr,
    If,
    IsIn,
    Let,
    Scalar,
    Shift,
    StartsWith,
    Unary,
    operands,
)

_NOTHING_BOUND: Final[Mapping[str, pl.Expr]] = {}
_UNARY: Final[dict[str, Callable[[pl.Expr], pl.Expr]]] = {
    "not": operator.invert,
    "is_null": pl.Expr.is_null,
    "bit_length": lambda value: 64 - value.bitwise_leading_zeros().cast(pl.Int64),
    "to_float": lambda value: value.cast(pl.Float64),
    "floor_to_int": lambda value: value.floor().cast(pl.Int64),
}
_BINARY: Final[dict[str, Callable[[Any, Any], pl.Expr]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "and": operator.and_,
    "or": operator.or_,
}


def compile_expr(expr: Expr, bound: Mapping[str, pl.Expr] = _NOTHING_BOUND) -> pl.Expr:
    """The Polars expression with the meaning that `expressions.evaluate` gives to `expr`.

    `bound`: names given by an enclosing `Let`; Polars computes equal subexpressions once by itself.
    """
    match expr:
        case Column(name):
            return bound[name] if name in bound else pl.col(name)
        case Constant(value):
            return literal(value)
        case Unary(op, operand):
            return _UNARY[op](compile_expr(operand, bound))
        case Binary("/", left, right):
            return _divide(compile_expr(left, bound), compile_expr(right, bound), right)
        case Binary(op, left, right):
            return _BINARY[op](compile_expr(left, bound), compile_expr(right, bound))
        case Shift(direction, value, bits):
            # Polars may work out a branch that is not taken, where bits can be below 0: an error, if they were left so.
            power = pl.lit(2, dtype=pl.Int64).pow(compile_expr(bits, bound).clip(lower_bound=0))
            shifted = compile_expr(value, bound)
            return shifted * power if direction == "left" else shifted // power
        case IsIn(operand, values):
            return _is_in(compile_expr(operand, bound), values)
        case StartsWith(operand, prefix):
            return compile_expr(operand, bound).str.starts_with(prefix)
        case Coalesce(first, second):
            return pl.coalesce(compile_expr(first, bound), compile_expr(second, bound))
        case If(condition, then, otherwise):
            chosen = pl.when(compile_expr(condition, bound)).then(compile_expr(then, bound))
            return chosen.otherwise(compile_expr(otherwise, bound))
        case Let(name, value, body):
            return compile_expr(body, {**bound, name: compile_expr(value, bound)})
    raise TypeError(f"not an expression: {expr!r}")


def with_columns(frame: pl.LazyFrame, values: Mapping[str, Expr]) -> pl.LazyFrame:
    """`frame` with the columns `values` added."""
    return frame.with_columns(compile_expr(value).alias(name) for name, value in values.items())


def literal(value: Scalar) -> pl.Expr:
    """A literal; integers are int64."""
    if isinstance(value, int) and not isinstance(value, bool):
        return pl.lit(value, dtype=pl.Int64)
    return pl.lit(value)


def _divide(dividend: pl.Expr, divisor: pl.Expr, divisor_source: Expr) -> pl.Expr:
    """Correctly rounded division: by a constant, Polars would multiply with its rounded reciprocal."""
    if _may_be_constant(divisor_source):
        divisor = dividend * 0.0 + divisor
    return dividend / divisor


def _may_be_constant(expr: Expr) -> bool:
    """Whether Polars may find one value for all rows: also where all of them choose the same constant."""
    match expr:
        case Constant():
            return True
        case If(_, then, otherwise):
            return _may_be_constant(then) or _may_be_constant(otherwise)
        case Coalesce(first, second):
            return _may_be_constant(first) or _may_be_constant(second)
        case Let(_, _, body):
            return _may_be_constant(body)
    parts = operands(expr)
    return bool(parts) and all(map(_may_be_constant, parts))


def _is_in(operand: pl.Expr, values: frozenset[int | str]) -> pl.Expr:
    """A few values as comparisons, which are faster than a look-up; more as a set."""
    ordered = sorted(values, key=str)
    if len(ordered) > 4:
        return operand.is_in(ordered)
    return reduce(operator.or_, (operand == literal(value) for value in ordered), pl.lit(False))
