"""What each expression means: the yardstick of the engines."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.expressions.evaluate import evaluate, evaluator
from ndr_core.expressions.expr import Expr, Scalar, col, let, lit, when

A, B = col("a"), col("b")
BINARY: dict[str, tuple[Expr, Any, Any, Any]] = {
    "+": (A + B, 7, 2, 9),
    "-": (A - B, 7, 2, 5),
    "*": (A * B, 7, 2, 14),
    "/": (A / B, 7.0, 2.0, 3.5),
    "//": (A // B, 7, 2, 3),
    "== true": (A.eq(B), 7, 7, True),
    "== false": (A.eq(B), 7, 2, False),
    "!= true": (A.ne(B), 7, 2, True),
    "!= false": (A.ne(B), 7, 7, False),
    "< true": (A < B, 1, 2, True),
    "< false": (A < B, 2, 2, False),
    "<= true": (A <= B, 2, 2, True),
    "<= false": (A <= B, 3, 2, False),
    "> true": (A > B, 3, 2, True),
    "> false": (A > B, 2, 2, False),
    ">= true": (A >= B, 2, 2, True),
    ">= false": (A >= B, 1, 2, False),
    "<<": (A.shift_left(B), 7, 2, 28),
    ">>": (A.shift_right(B), 7, 2, 1),
}
UNARY: dict[str, tuple[Expr, Any, Any]] = {
    "not true": (~A, True, False),
    "not false": (~A, False, True),
    "bit_length of 0": (A.bit_length(), 0, 0),
    "bit_length of 8": (A.bit_length(), 8, 4),
    "to_float": (A.to_float(), 3, 3.0),
    "floor_to_int": (A.floor_to_int(), 3.9, 3),
    "floor_to_int below 0": (A.floor_to_int(), -0.1, -1),
    "is_in": (A.is_in({1, 2}), 2, True),
    "is_in not": (A.is_in({1, 2}), 3, False),
    "is_in none": (A.is_in(()), 3, False),
    "starts_with": (A.starts_with("tcp-"), "tcp-fin", True),
    "starts_with not": (A.starts_with("tcp-"), "a-tcp-", False),
}


@pytest.mark.parametrize(("expr", "a", "b", "value"), BINARY.values(), ids=list(BINARY))
def test_an_operation_on_two_values(expr: Expr, a: Any, b: Any, value: Any) -> None:
    found = evaluate(expr, {"a": a, "b": b})

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("expr", "a", "b", "_value"), BINARY.values(), ids=list(BINARY))
def test_an_operation_with_a_null_on_either_side_is_null(
    expr: Expr, a: Any, b: Any, _value: Any
) -> None:
    assert evaluate(expr, {"a": None, "b": b}) is None
    assert evaluate(expr, {"a": a, "b": None}) is None
    assert evaluate(expr, {"a": None, "b": None}) is None


@pytest.mark.parametrize(("expr", "a", "value"), UNARY.values(), ids=list(UNARY))
def test_an_operation_on_one_value(expr: Expr, a: Any, value: Any) -> None:
    found = evaluate(expr, {"a": a})

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("expr", "_a", "_value"), UNARY.values(), ids=list(UNARY))
def test_an_operation_on_a_null_is_null(expr: Expr, _a: Any, _value: Any) -> None:
    assert evaluate(expr, {"a": None}) is None


@pytest.mark.parametrize(
    ("a", "b", "both", "either"),
    [
        (True, True, True, True),
        (True, False, False, True),
        (False, True, False, True),
        (False, False, False, False),
        (True, None, None, True),
        (None, True, None, True),
        (False, None, False, None),
        (None, False, False, None),
        (None, None, None, None),
    ],
)
def test_and_and_or_know_what_they_can_of_a_null(
    a: bool | None, b: bool | None, both: bool | None, either: bool | None
) -> None:
    row = {"a": a, "b": b}

    assert evaluate(A & B, row) is both
    assert evaluate(A | B, row) is either


@pytest.mark.parametrize(("value", "found"), [(None, True), (0, False), ("", False)])
def test_only_null_is_null(value: Any, found: bool) -> None:
    assert evaluate(A.is_null(), {"a": value}) is found


@pytest.mark.parametrize(("value", "found"), [(None, 5), (0, 0), (False, False), ("", "")])
def test_a_null_is_replaced_and_no_other_value(value: Any, found: Any) -> None:
    assert evaluate(A.or_else(5), {"a": value}) == found


@pytest.mark.parametrize(("condition", "found"), [(True, 1), (False, 2), (None, 2)])
def test_a_choice_takes_a_null_for_false(condition: bool | None, found: int) -> None:
    assert evaluate(when(A, 1, 2), {"a": condition}) == found


def test_only_what_is_chosen_is_computed() -> None:
    missing = col("missing")

    assert evaluate(when(lit(True), 1, missing), {}) == 1
    assert evaluate(when(lit(False), missing, 2), {}) == 2
    assert evaluate(lit(3).or_else(missing), {}) == 3


def test_a_column_that_the_row_lacks_is_an_error() -> None:
    with pytest.raises(KeyError, match="missing"):
        evaluate(col("missing"), {"a": 1})


@pytest.mark.parametrize("value", [0, 1.5, "text", True, None])
def test_a_constant_is_itself_in_every_row(value: Scalar) -> None:
    assert evaluate(lit(value), {}) is value


def test_a_name_hides_a_column_in_its_body_and_only_there() -> None:
    inner = let("a", A + 1, lambda a: a * 10)

    assert evaluate(inner + A, {"a": 2}) == 32


def test_the_innermost_of_equal_names_counts() -> None:
    expr = let("x", A, lambda x: let("x", x + 1, lambda y: y * 10) + x)

    assert evaluate(expr, {"a": 2}) == 32


def test_a_row_stays_as_it_is() -> None:
    row = {"a": 2}

    evaluate(let("a", A + 1, lambda a: a), row)

    assert row == {"a": 2}


def test_equal_expressions_share_one_function_but_not_constants_of_other_types() -> None:
    assert evaluator(col("a") + 1) is evaluator(col("a") + 1)
    found = [evaluate(lit(value), {}) for value in (1, 1.0, True)]
    assert [type(value) for value in found] == [int, float, bool]


def test_the_bare_base_is_no_expression_that_has_a_value() -> None:
    with pytest.raises(TypeError, match="not an expression"):
        evaluate(Expr(), {})


@settings(max_examples=50, deadline=None)
@given(st.integers(0, (1 << 63) - 1), st.integers(1, (1 << 31)))
def test_the_division_of_integers_is_exact_however_large(a: int, b: int) -> None:
    assert evaluate(A // B, {"a": a, "b": b}) == a // b
