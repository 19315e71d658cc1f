"""Expressions are values: built by operators, compared by what they say, and changed by copying."""

from __future__ import annotations

import operator
from typing import Any

import pytest
from attrs.exceptions import FrozenInstanceError

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
    col,
    columns_of,
    let,
    lit,
    operands,
    substitute,
    when,
    with_operands,
    wrap,
)

A, B = Column("a"), Column("b")
ONE = Constant(1)

BUILT: list[tuple[Expr, Expr]] = [
    (col("a"), A),
    (lit(1), ONE),
    (A + 1, Binary("+", A, ONE)),
    (1 + A, Binary("+", ONE, A)),
    (A - 1, Binary("-", A, ONE)),
    (A * 1, Binary("*", A, ONE)),
    (1 * A, Binary("*", ONE, A)),
    (A / 1, Binary("/", A, ONE)),
    (A // 1, Binary("//", A, ONE)),
    (A < 1, Binary("<", A, ONE)),
    (A <= 1, Binary("<=", A, ONE)),
    (A > 1, Binary(">", A, ONE)),
    (A >= 1, Binary(">=", A, ONE)),
    (operator.gt(1, A), Binary("<", A, ONE)),
    (operator.le(1, A), Binary(">=", A, ONE)),
    (A & B, Binary("and", A, B)),
    (A | B, Binary("or", A, B)),
    (~A, Unary("not", A)),
    (A.eq(1), Binary("==", A, ONE)),
    (A.ne(B), Binary("!=", A, B)),
    (A.is_null(), Unary("is_null", A)),
    (A.is_in([2, 1, 2]), IsIn(A, frozenset({1, 2}))),
    (A.starts_with("x"), StartsWith(A, "x")),
    (A.or_else(1), Coalesce(A, ONE)),
    (A.or_else(B), Coalesce(A, B)),
    (A.bit_length(), Unary("bit_length", A)),
    (A.to_float(), Unary("to_float", A)),
    (A.floor_to_int(), Unary("floor_to_int", A)),
    (A.shift_right(B), Shift("right", A, B)),
    (A.shift_left(B), Shift("left", A, B)),
    (when(A, 1, B), If(A, ONE, B)),
    (when(A, B, 1), If(A, B, ONE)),
    (let("x", A, lambda x: x + 1), Let("x", A, Binary("+", Column("x"), ONE))),
]


@pytest.mark.parametrize(("built", "value"), BUILT, ids=lambda expr: repr(expr)[:40])
def test_what_an_operator_builds(built: Expr, value: Expr) -> None:
    assert built == value
    assert hash(built) == hash(value)


def test_different_expressions_are_different() -> None:
    assert len({built for built, _ in BUILT}) == len({repr(built) for built, _ in BUILT})
    assert A + B != B + A


@pytest.mark.parametrize(("one", "other"), [(0, False), (0, 0.0), (1.0, True), ("1", 1)])
def test_constants_of_different_types_are_different(one: Any, other: Any) -> None:
    assert lit(one) != lit(other)
    assert A + one != A + other


def test_a_plain_value_becomes_a_constant_and_an_expression_stays() -> None:
    assert wrap(None) == Constant(None)
    assert wrap("a") == Constant("a")
    assert wrap(A) is A


def test_an_expression_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        A.name = "b"  # type: ignore[misc]


@pytest.mark.parametrize(
    "decide",
    [
        lambda: bool(A),
        lambda: A > 1 and A < 5,
        lambda: 1 < A < 5,
        lambda: not A,
        lambda: A if A.is_null() else B,
    ],
)
def test_an_expression_has_no_truth_value_before_it_is_evaluated(decide: Any) -> None:
    with pytest.raises(TypeError, match=r"use &, \| and ~, or when"):
        decide()


@pytest.mark.parametrize("value", [1 << 63, -(1 << 63) - 1])
def test_a_constant_integer_lies_within_int64(value: int) -> None:
    with pytest.raises(ValueError, match="outside int64"):
        lit(value)
    with pytest.raises(ValueError, match="outside int64"):
        A + value


@pytest.mark.parametrize("value", [(1 << 63) - 1, -(1 << 63), 1e308, -0.0])
def test_a_constant_may_be_as_large_as_its_type_allows(value: float) -> None:
    assert lit(value) == Constant(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_constant_float_is_finite(value: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        lit(value)


@pytest.mark.parametrize("value", [[1], b"x", {1}, object()])
def test_a_constant_is_a_plain_value(value: Any) -> None:
    with pytest.raises(TypeError, match="no constant"):
        lit(value)
    with pytest.raises(TypeError, match="no constant"):
        A.eq(value)


@pytest.mark.parametrize("divisor", [0, -1, 0.0, -0.5, None, "2", True])
def test_a_constant_divisor_is_a_positive_number(divisor: Any) -> None:
    with pytest.raises(ValueError, match="divisor"):
        A // divisor
    with pytest.raises(ValueError, match="divisor"):
        A / divisor


def test_a_divisor_that_is_no_constant_is_known_only_later() -> None:
    floor, quotient = A // B, A / 0.5

    assert floor == Binary("//", A, B)
    assert quotient == Binary("/", A, Constant(0.5))


@pytest.mark.parametrize("values", ["tcp", "", [None], [1, None], [1.5], [True], [b"x"]])
def test_membership_is_in_a_set_of_integers_or_texts(values: Any) -> None:
    with pytest.raises(TypeError, match="integers or texts"):
        A.is_in(values)


@pytest.mark.parametrize(
    "build",
    [
        lambda a: 1 - a,
        lambda a: 1 / a,
        lambda a: 1 // a,
        lambda a: -a,
        lambda a: a % 2,
        lambda a: a**2,
        lambda a: a ^ a,
    ],
)
def test_what_the_language_does_not_have_can_not_be_built(build: Any) -> None:
    with pytest.raises(TypeError):
        build(A)


def test_a_column_is_replaced_wherever_it_is_read() -> None:
    expr = when(A.is_null(), A + B, A.is_in({1})) * A

    found = substitute(expr, {"a": col("x") + 1})

    x = col("x") + 1
    assert found == when(x.is_null(), x + B, x.is_in({1})) * x


def test_columns_are_replaced_all_at_once() -> None:
    assert substitute(A - B, {"a": B, "b": A}) == B - A


def test_what_no_value_is_given_for_stays() -> None:
    expr = A + 1

    assert substitute(expr, {"b": ONE}) == expr
    assert substitute(lit("a"), {"a": ONE}) == lit("a")


def test_a_name_of_a_let_hides_the_value_given_in_its_body_only() -> None:
    expr = let("a", A + B, lambda a: a * B)

    found = substitute(expr, {"a": lit(5), "b": lit(7)})

    assert found == Let("a", lit(5) + lit(7), A * lit(7))


def test_the_operands_of_an_expression_come_in_order() -> None:
    assert operands(A) == ()
    assert operands(ONE) == ()
    assert operands(~A) == (A,)
    assert operands(A - B) == (A, B)
    assert operands(A.is_in({1})) == (A,)
    assert operands(A.starts_with("b")) == (A,)
    assert operands(A.shift_left(B)) == (A, B)
    assert operands(B.or_else(A)) == (B, A)
    assert operands(when(A, B, 1)) == (A, B, ONE)
    assert operands(let("x", A, lambda x: x)) == (A, Column("x"))


def test_operands_are_changed_one_level_down() -> None:
    seen = []

    def change(operand: Expr) -> Expr:
        seen.append(operand)
        return lit(len(seen))

    assert with_operands((A + B).shift_left(B), change) == Shift("left", lit(1), lit(2))
    assert seen == [A + B, B]


def test_an_expression_without_operands_is_given_back() -> None:
    assert with_operands(A, lambda _operand: ONE) is A


def test_an_expression_reads_its_columns_but_not_what_a_let_names() -> None:
    expr = let("n", col("a") + 1, lambda n: when(n > col("b"), n, lit(0))) * col("c")

    assert columns_of(expr) == {"a", "b", "c"}
    assert columns_of(let("a", col("a"), lambda a: a)) == {"a"}
    assert columns_of(lit(1)) == frozenset()
