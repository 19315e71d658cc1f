"""Core expression -> Spark SQL text.

Text rather than Column objects: it needs no session, and one round trip to the JVM parses it all.
"""

from __future__ import annotations

from ndr_core.expr import (
    Binary,
    Coalesce,
    Column,
    Expr,
    If,
    IsIn,
    Let,
    Literal_,
    Scalar,
    Shift,
    StartsWith,
    Unary,
)

_OPERATORS = {"==": "=", "!=": "!=", "//": "div"}


def to_sql(expr: Expr) -> str:
    """The Spark SQL expression with the meaning that `ndr_core.evaluate` gives to `expr`."""
    match expr:
        case Column(name):
            return quoted(name)
        case Literal_(value):
            return literal(value)
        case Unary(op, operand):
            return _unary(op, to_sql(operand))
        case Binary(op, left, right):
            return f"({to_sql(left)} {_OPERATORS.get(op, op)} {to_sql(right)})"
        case Shift(direction, value, bits):
            return f"shift{direction}({to_sql(value)}, cast({to_sql(bits)} as int))"
        case IsIn(operand, values):
            inside = ", ".join(literal(value) for value in sorted(values, key=str))
            return f"({to_sql(operand)} in ({inside}))" if values else f"({to_sql(operand)} != {to_sql(operand)})"
        case StartsWith(operand, prefix):
            return f"startswith({to_sql(operand)}, {literal(prefix)})"
        case Coalesce(first, second):
            return f"coalesce({to_sql(first)}, {to_sql(second)})"
        case If(condition, then, otherwise):
            return f"if({to_sql(condition)}, {to_sql(then)}, {to_sql(otherwise)})"
        case Let(name, value, body):
            return bound(name, to_sql(value), to_sql(body))
    raise TypeError(f"not an expression: {expr!r}")


def bound(name: str, value: str, body: str) -> str:
    """`body` in which `name` stands for `value`: SQL has no `let`, a lambda over one element serves."""
    return f"transform(array({value}), {quoted(name)} -> {body})[0]"


def quoted(name: str) -> str:
    """A column name; dots and colons inside it are part of it."""
    return "`" + name.replace("`", "``") + "`"


def literal(value: Scalar) -> str:
    """A literal; integers are bigint, floats double to the last digit."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int():
            return f"{value}L"
        case float():
            return f"{value!r}D"
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _unary(op: str, operand: str) -> str:
    match op:
        case "not":
            return f"(not {operand})"
        case "is_null":
            return f"({operand} is null)"
        case "bit_length":
            return f"if({operand} = 0L, 0L, cast(length(bin({operand})) as bigint))"
        case "to_float":
            return f"cast({operand} as double)"
        case "floor_to_int":
            return f"cast(floor({operand}) as bigint)"
    raise TypeError(f"unknown operation {op!r}")
