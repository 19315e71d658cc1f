"""Expressions as people write them: for messages and pages that say how a value is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ndr_core.expressions.evaluate import evaluate
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
    with_operands,
)
from ndr_core.expressions.portable import MANTISSA_BITS, bucket_middle, bucket_of, log2

_RANKS: Final = {
    "or": 1,
    "and": 2,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 4),
    **dict.fromkeys(("+", "-"), 5),
    **dict.fromkeys(("*", "/", "//"), 6),
}
"""How closely an operation binds; `not` is between `and` and comparisons."""
_NOT: Final = 3
_ATOM: Final = 9
_SIGNS: Final = {"==": "="}


def spell(expr: Expr) -> str:
    """Write an expression as a formula: `a / (b + 25)`, `1 if a > 0, else 0`.

    `//` divides and rounds down. The change of an integer to a float is not written. `bucket_of` and `bucket_middle`
    are those of histograms, `greatest` is the largest of the values that are not null.
    """
    return _spelled(expr)[0]


def taken(expr: Expr, row: Mapping[str, Any]) -> Expr:
    """Give an expression without its choices: of each only the branch that a row takes.

    The larger or the smaller of two values, and the bucket of one, stay as they are. Raises KeyError for a column that
    the row does not have.
    """
    match expr:
        case If(condition, then, otherwise) if (
            _bucket(expr) or _bound(condition, then, otherwise)
        ) is None:
            return taken(then if evaluate(condition, row) else otherwise, row)
        case Coalesce(first, second):
            return taken(second if evaluate(first, row) is None else first, row)
        case Let(name, value, body):
            inside = {**row, name: evaluate(value, row)}
            return Let(name, taken(value, row), taken(body, inside))
    return with_operands(expr, lambda operand: taken(operand, row))


def largest_known(expr: Expr) -> tuple[Expr, ...] | None:
    """Give the values of which an expression is the largest that is not null; None for another expression."""
    match expr:
        case If(
            Unary("is_null", b),
            a,
            If(Unary("is_null", a_again), b_again, If(Binary(">=", left, right), then, otherwise)),
        ) if (a, b) == (a_again, b_again) == (left, right) == (then, otherwise):
            return tuple(part for one in (a, b) for part in largest_known(one) or (one,))
    return None


def _spelled(expr: Expr) -> tuple[str, int]:
    """The text, and how closely its outermost operation binds."""
    match expr:
        case Column(name):
            return name, _ATOM
        case Constant(value):
            return _constant(value), _ATOM
        case Unary("to_float", operand):
            return _spelled(operand)
        case Unary("is_null", operand):
            return f"{_within(operand, _ATOM)} is null", _RANKS["=="]
        case Unary("not", Unary("is_null", operand)):
            return f"{_within(operand, _ATOM)} is not null", _RANKS["=="]
        case Unary("not", operand):
            return f"not {_within(operand, _NOT)}", _NOT
        case Unary("floor_to_int", operand):
            return f"floor({spell(operand)})", _ATOM
        case Unary(op, operand):
            return f"{op}({spell(operand)})", _ATOM
        case Binary(op, left, right):
            rank = _RANKS[op]
            # a - (b - c), a / (b * c): what stands on the right needs its brackets.
            right_rank = rank if op in ("+", "*", "and", "or") and _same(op, right) else rank + 1
            sign = _SIGNS.get(op, op)
            return f"{_within(left, rank)} {sign} {_within(right, right_rank)}", rank
        case Shift(direction, value, bits):
            sign = ">>" if direction == "right" else "<<"
            return f"({_within(value, _ATOM)} {sign} {_within(bits, _ATOM)})", _ATOM
        case IsIn(operand, values):
            listed = ", ".join(_constant(value) for value in sorted(values, key=_order))
            return f"{_within(operand, _ATOM)} in {{{listed}}}", _RANKS["=="]
        case StartsWith(operand, prefix):
            return f"{_within(operand, _ATOM)} starts with {_constant(prefix)}", _RANKS["=="]
        case Coalesce(first, second):
            return f"({spell(first)}, or {spell(second)} if null)", _ATOM
        case If(condition, then, otherwise):
            if (named := _bucket(expr) or _bound(condition, then, otherwise)) is not None:
                return named, _ATOM
            if (parts := largest_known(expr)) is not None:
                return f"greatest({', '.join(map(spell, parts))})", _ATOM
            return f"{_within(then, 1)} if {spell(condition)}, else {spell(otherwise)}", 0
        case Let(name, value, body):
            return _let(expr, name, value, body)
    raise TypeError(f"not an expression: {expr!r}")


def _bucket(expr: If) -> str | None:
    """A bucket of a histogram, or its middle, by its name; None for another choice."""
    match expr:
        case If(Binary("<", value, Constant(int(limit))), same) if value == same and limit > 2:
            bits = limit.bit_length() - 2
            others = "" if bits == MANTISSA_BITS else f", {bits} bits"
            for function in (bucket_of, bucket_middle):
                if function(value, bits) == expr:
                    return f"{function.__name__}({spell(value)}{others})"
    return None


def _bound(condition: Expr, then: Expr, otherwise: Expr) -> str | None:
    """The larger or the smaller of two values, or a value within two bounds, written so; None for another choice."""
    match condition, otherwise:
        case Binary("<", value, low), If(Binary(">", same, high), top, rest):
            if then == low and top == high and value == same == rest:
                return f"min(max({spell(value)}, {spell(low)}), {spell(high)})"
    match condition:
        case Binary("<" | "<=" | ">" | ">=" as op, left, right) if {left, right} == {
            then,
            otherwise,
        }:
            is_larger = (op[0] == ">") == (then == left)
            return f"{'max' if is_larger else 'min'}({spell(left)}, {spell(right)})"
    return None


def _within(expr: Expr, least: int) -> str:
    """An operand: in brackets where its operation binds less closely than what is around it."""
    text, rank = _spelled(expr)
    return text if rank >= least else f"({text})"


def _same(op: str, right: Expr) -> bool:
    """Whether brackets on the right change nothing, not even how a float is rounded."""
    return op in ("and", "or") and isinstance(right, Binary) and right.op == op


def _let(expr: Expr, name: str, value: Expr, body: Expr) -> tuple[str, int]:
    """A logarithm by its name; another one with what its name stands for."""
    match value:
        case Binary("-", Unary("bit_length", count), Constant(1)) if log2(count) == expr:
            return f"log2({spell(count)})", _ATOM
    return f"{_within(body, 1)}, where {name} = {spell(value)}", 0


def _constant(value: object) -> str:
    match value:
        case None:
            return "null"
        case str():
            return f"'{value}'"
        case float() if value.is_integer():
            return str(int(value))
    return str(value)


def _order(value: int | str) -> tuple[bool, int | str]:
    return isinstance(value, str), value
