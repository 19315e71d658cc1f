"""The meaning of an expression in plain Python: the yardstick for every compiler."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from ndr_core.expressions.expr import (
    Binary,
    Coalesce,
    Column,
    Constant,
    Expr,
    If,
    IsIn,
    Let,
    Shift,
    StartsWith,
    Unary,
)

Values = Mapping[str, Any]
Evaluator = Callable[[Values], Any]

_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "left": operator.lshift,
    "right": operator.rshift,
}
_UNARY: dict[str, Callable[[Any], Any]] = {
    "not": operator.not_,
    "bit_length": int.bit_length,
    "to_float": float,
    "floor_to_int": math.floor,
}


def evaluate(expr: Expr, row: Values) -> Any:
    """Value of `expr` over one row (a mapping from column name to value; null is None).

    Raises KeyError for a column that the row does not have.
    """
    return evaluator(expr)(row)


@cache
def evaluator(expr: Expr) -> Evaluator:
    """The function from a row to the value of `expr`."""
    match expr:
        case Column(name):
            return operator.itemgetter(name)
        case Constant(value):
            return lambda _row: value
        case Unary("is_null", operand):
            nullable = evaluator(operand)
            return lambda row: nullable(row) is None
        case Unary(op, operand):
            return _strict_unary(_UNARY[op], evaluator(operand))
        case Binary("and" | "or" as op, left, right):
            return _logic(op == "or", evaluator(left), evaluator(right))
        case Binary(op, left, right) | Shift(op, left, right):
            return _strict_binary(_BINARY[op], evaluator(left), evaluator(right))
        case IsIn(operand, values):
            return _strict_unary(values.__contains__, evaluator(operand))
        case StartsWith(operand, prefix):
            return _strict_unary(lambda text: text.startswith(prefix), evaluator(operand))
        case Coalesce(first, second):
            return _coalesce(evaluator(first), evaluator(second))
        case If(condition, then, otherwise):
            return _choose(evaluator(condition), evaluator(then), evaluator(otherwise))
        case Let(name, value, body):
            return _bind(name, evaluator(value), evaluator(body))
    raise TypeError(f"not an expression: {expr!r}")


def _strict_unary(function: Callable[[Any], Any], operand: Evaluator) -> Evaluator:
    def value(row: Values) -> Any:
        a = operand(row)
        return None if a is None else function(a)

    return value


def _strict_binary(
    function: Callable[[Any, Any], Any], left: Evaluator, right: Evaluator
) -> Evaluator:
    def value(row: Values) -> Any:
        a, b = left(row), right(row)
        return None if a is None or b is None else function(a, b)

    return value


def _logic(absorbing: bool, left: Evaluator, right: Evaluator) -> Evaluator:
    """Kleene `or` (absorbing True) and `and` (absorbing False)."""

    def value(row: Values) -> Any:
        a, b = left(row), right(row)
        if a is absorbing or b is absorbing:
            return absorbing
        if a is None or b is None:
            return None
        return not absorbing

    return value


def _coalesce(first: Evaluator, second: Evaluator) -> Evaluator:
    def value(row: Values) -> Any:
        a = first(row)
        return second(row) if a is None else a

    return value


def _choose(condition: Evaluator, then: Evaluator, otherwise: Evaluator) -> Evaluator:
    return lambda row: then(row) if condition(row) else otherwise(row)


def _bind(name: str, value: Evaluator, body: Evaluator) -> Evaluator:
    return lambda row: body({**row, name: value(row)})
