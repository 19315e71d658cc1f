"""Core expression -> Spark SQL text.

Text rather than Column objects: it needs no session, and one round trip to the JVM parses it all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NewType

from pyspark.sql import DataFrame

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
    with_operands,
)

Sql = NewType("Sql", str)
"""Text of a Spark SQL expression."""

_OPERATORS = {"==": "=", "!=": "!=", "//": "div"}


def compile_expr(expr: Expr) -> Sql:
    """The Spark SQL expression with the meaning that `expressions.evaluate` gives to `expr`.

    SQL has no `let`: `with_columns` compiles expressions that hold one.
    """
    match expr:
        case Column(name):
            return quoted(name)
        case Constant(value):
            return literal(value)
        case Unary(op, operand):
            return _unary(op, compile_expr(operand))
        case Binary(op, left, right):
            return Sql(f"({compile_expr(left)} {_OPERATORS.get(op, op)} {compile_expr(right)})")
        case Shift(direction, value, bits):
            return Sql(
                f"shift{direction}({compile_expr(value)}, cast({compile_expr(bits)} as int))"
            )
        case IsIn(operand, values):
            inside = ", ".join(literal(value) for value in sorted(values, key=str))
            found = compile_expr(operand)
            return Sql(f"({found} in ({inside}))" if values else f"({found} != {found})")
        case StartsWith(operand, prefix):
            return Sql(f"startswith({compile_expr(operand)}, {literal(prefix)})")
        case Coalesce(first, second):
            return Sql(f"coalesce({compile_expr(first)}, {compile_expr(second)})")
        case If(condition, then, otherwise):
            chosen = f"{compile_expr(then)}, {compile_expr(otherwise)}"
            return Sql(f"if({compile_expr(condition)}, {chosen})")
    raise TypeError(f"not an expression: {expr!r}")


def quoted(name: str) -> Sql:
    """A column name; dots and colons inside it are part of it."""
    return Sql("`" + name.replace("`", "``") + "`")


def literal(value: Scalar) -> Sql:
    """A literal; integers are bigint, floats double to the last digit."""
    match value:
        case None:
            return Sql("null")
        case bool():
            return Sql(str(value).lower())
        case int():
            return Sql(f"{value}L")
        case float():
            return Sql(f"{value!r}D")
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return Sql(f"'{escaped}'")


def matches(text: Sql, pattern: str) -> Sql:
    """Whether a whole text matches; Java's `$` would let a final line feed pass."""
    return Sql(f"({text} rlike {literal(f'^(?:{pattern})' + chr(92) + 'z')})")


def _unary(op: str, operand: Sql) -> Sql:
    match op:
        case "not":
            return Sql(f"(not {operand})")
        case "is_null":
            return Sql(f"({operand} is null)")
        case "bit_length":
            return Sql(f"if({operand} = 0L, 0L, cast(length(bin({operand})) as bigint))")
        case "to_float":
            return Sql(f"cast({operand} as double)")
        case "floor_to_int":
            return Sql(f"cast(floor({operand}) as bigint)")
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
        staged = staged.selectExpr(
            "*", *(f"{compile_expr(v)} as {quoted(n)}" for v, n in stage.items())
        )
    return staged.selectExpr(
        *(quoted(name) for name in frame.columns),
        *(f"{compile_expr(value)} as {quoted(name)}" for name, value in flat.items()),
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
