"""Core expression -> Spark SQL text.

Text rather than Column objects: it needs no session, and one round trip to the JVM parses it all.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import DataFrame

from ndr_core.expr import (
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
    with_operands,
)

_OPERATORS = {"==": "=", "!=": "!=", "//": "div"}


def to_sql(expr: Expr) -> str:
    """The Spark SQL expression with the meaning that `ndr_core.evaluate` gives to `expr`.

    SQL has no `let`: `with_columns` compiles expressions that hold one.
    """
    match expr:
        case Column(name):
            return quoted(name)
        case Constant(value):
            return literal(value)
        case Unary(op, operand):
            return _unary(op, to_sql(operand))
        case Binary(op, left, right):
            return f"({to_sql(left)} {_OPERATORS.get(op, op)} {to_sql(right)})"
        case Shift(direction, value, bits):
            return f"shift{direction}({to_sql(value)}, cast({to_sql(bits)} as int))"
        case IsIn(operand, values):
            inside = ", ".join(literal(value) for value in sorted(values, key=str))
            return (
                f"({to_sql(operand)} in ({inside}))"
                if values
                else f"({to_sql(operand)} != {to_sql(operand)})"
            )
        case StartsWith(operand, prefix):
            return f"startswith({to_sql(operand)}, {literal(prefix)})"
        case Coalesce(first, second):
            return f"coalesce({to_sql(first)}, {to_sql(second)})"
        case If(condition, then, otherwise):
            return f"if({to_sql(condition)}, {to_sql(then)}, {to_sql(otherwise)})"
    raise TypeError(f"not an expression: {expr!r}")


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


def with_columns(frame: DataFrame, values: Mapping[str, Expr]) -> DataFrame:
    """`frame` with the columns `values` added; what a `let` names is computed once, in a projection before.

    A lambda over a one-element array would serve within one projection, but Spark interprets lambdas
    record by record where it compiles everything else.
    """
    stages = _Stages()
    flat = {name: stages.flatten(value, {}) for name, value in values.items()}
    staged = frame
    for stage in stages.columns:
        staged = staged.selectExpr("*", *(f"{to_sql(v)} as {quoted(n)}" for v, n in stage.items()))
    return staged.selectExpr(
        *(quoted(name) for name in frame.columns),
        *(f"{to_sql(value)} as {quoted(name)}" for name, value in flat.items()),
    )


class _Stages:
    """Named values pulled out of expressions, by the projection that can compute them."""

    def __init__(self) -> None:
        self.columns: list[dict[Expr, str]] = []

    def flatten(self, expr: Expr, scope: Mapping[str, Column]) -> Expr:
        match expr:
            case Column(name):
                return scope.get(name, expr)
            case Let(name, value, body):
                return self.flatten(body, {**scope, name: self._column(self.flatten(value, scope))})
        return with_operands(expr, lambda operand: self.flatten(operand, scope))

    def _column(self, value: Expr) -> Column:
        stage = self._first_stage(value)
        if stage == len(self.columns):
            self.columns.append({})
        named = self.columns[stage]
        return Column(named.setdefault(value, f"let:{stage}:{len(named)}"))

    def _first_stage(self, value: Expr) -> int:
        if isinstance(value, Column):
            return int(value.name.split(":")[1]) + 1 if value.name.startswith("let:") else 0
        return max((self._first_stage(operand) for operand in operands(value)), default=0)
