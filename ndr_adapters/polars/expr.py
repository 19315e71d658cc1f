"""Core expression -> Polars expression."""

from __future__ import annotations

from functools import reduce

import polars as pl

from ndr_core.expr import (
    Binary,
    Coalesce,
    Column,
    Expr,
    If,
    IsIn,
    Literal_,
    Scalar,
    Shift,
    StartsWith,
    Unary,
)


def to_polars(expr: Expr) -> pl.Expr:
    """The Polars expression with the meaning that `ndr_core.evaluate` gives to `expr`."""
    match expr:
        case Column(name):
            return pl.col(name)
        case Literal_(value):
            return literal(value)
        case Unary(op, operand):
            return _unary(op, to_polars(operand))
        case Binary(op, left, right):
            return _binary(op, to_polars(left), to_polars(right))
        case Shift(direction, value, bits):
            power = pl.lit(2, dtype=pl.Int64).pow(to_polars(bits))
            shifted = to_polars(value)
            return shifted * power if direction == "left" else shifted // power
        case IsIn(operand, values):
            return _is_in(to_polars(operand), values)
        case StartsWith(operand, prefix):
            return to_polars(operand).str.starts_with(prefix)
        case Coalesce(first, second):
            return pl.coalesce(to_polars(first), to_polars(second))
        case If(condition, then, otherwise):
            return pl.when(to_polars(condition)).then(to_polars(then)).otherwise(to_polars(otherwise))
    raise TypeError(f"not an expression: {expr!r}")


def literal(value: Scalar) -> pl.Expr:
    """A literal; integers are int64."""
    if isinstance(value, int) and not isinstance(value, bool):
        return pl.lit(value, dtype=pl.Int64)
    return pl.lit(value)


def _unary(op: str, operand: pl.Expr) -> pl.Expr:
    match op:
        case "not":
            return ~operand
        case "is_null":
            return operand.is_null()
        case "bit_length":
            return 64 - operand.bitwise_leading_zeros().cast(pl.Int64)
        case "to_float":
            return operand.cast(pl.Float64)
        case "floor_to_int":
            return operand.floor().cast(pl.Int64)
    raise TypeError(f"unknown operation {op!r}")


def _binary(op: str, left: pl.Expr, right: pl.Expr) -> pl.Expr:
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right
        case "//":
            return left // right
        case "==":
            return left == right
        case "!=":
            return left != right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case ">=":
            return left >= right
        case "and":
            return left & right
        case "or":
            return left | right
    raise TypeError(f"unknown operation {op!r}")


def _is_in(operand: pl.Expr, values: frozenset[int | str]) -> pl.Expr:
    """Few values as comparisons, which stay in the vectorised path; more as a set."""
    ordered = sorted(values, key=str)
    if len(ordered) > 4:
        return operand.is_in(ordered)
    return reduce(lambda left, right: left | right, (operand == literal(v) for v in ordered), pl.lit(False))
