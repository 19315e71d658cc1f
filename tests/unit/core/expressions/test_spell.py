"""Expressions are written as people write formulas."""

from __future__ import annotations

import pytest

from ndr_core.expressions.expr import Expr, col, let, lit, when
from ndr_core.expressions.portable import bucket_middle, bucket_of, log2
from ndr_core.expressions.spell import spell, taken
from ndr_core.windows.beacon import BEACON_FORMULAS
from ndr_core.windows.formulas import FORMULAS, LATERAL_SCORE

A, B, C = col("a"), col("b"), col("c")
OTHER_CHOICE = "a if b is null, else b if a is null, else min(a, b)"


def larger_known(a: Expr, b: Expr) -> Expr:
    return when(b.is_null(), a, when(a.is_null(), b, when(a >= b, a, b)))


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (A.to_float() / (B.to_float() + 25.0), "a / (b + 25)"),
        ((A + B) * 200, "(a + b) * 200"),
        (A - (B - C), "a - (b - c)"),
        (A - B - C, "a - b - c"),
        (A + (B + C), "a + (b + c)"),
        (A / (B * C), "a / (b * c)"),
        (A * B // C, "a * b // c"),
        (lit(0.5) * A, "0.5 * a"),
        (A & (B & C), "a and b and c"),
        ((A | B) & C, "(a or b) and c"),
        (~(A & B), "not (a and b)"),
        (~A, "not a"),
        (A.eq(B), "a = b"),
        (A.ne("x"), "a != 'x'"),
        (A.is_null(), "a is null"),
        (~A.is_null(), "a is not null"),
        (~(A + B).is_null(), "(a + b) is not null"),
        ((A + B).is_null(), "(a + b) is null"),
        (A.is_in([22, 3, 443]), "a in {3, 22, 443}"),
        (A.is_in(["b", "a"]), "a in {'a', 'b'}"),
        (A.starts_with("tcp-"), "a starts with 'tcp-'"),
        (A.or_else(0), "(a, or 0 if null)"),
        ((A + 0.5).floor_to_int(), "floor(a + 0.5)"),
        (A.bit_length(), "bit_length(a)"),
        (A.shift_left(B), "(a << b)"),
        ((A + 1).shift_right(B), "((a + 1) >> b)"),
        (when(A > 0, A / B, None), "a / b if a > 0, else null"),
        (when(A > 0, 1, when(B > 0, 2, 3)), "1 if a > 0, else 2 if b > 0, else 3"),
        (when(A > 0, 1, 0) + 1, "(1 if a > 0, else 0) + 1"),
        (when(A >= B, A, B), "max(a, b)"),
        (when(A < B, A, B), "min(a, b)"),
        (when(A < B, B, A), "max(a, b)"),
        (when(A < 0, 0, when(A > 9, 9, A)), "min(max(a, 0), 9)"),
        (when(A < 0, 0, when(B > 9, 9, A)), "0 if a < 0, else 9 if b > 9, else a"),
        (bucket_of(A + 1), "bucket_of(a + 1)"),
        (bucket_middle(bucket_of(A)), "bucket_middle(bucket_of(a))"),
        (bucket_of(A, 10), "bucket_of(a, 10 bits)"),
        (bucket_middle(A, 10), "bucket_middle(a, 10 bits)"),
        (when(A < 128, A, B), "a if a < 128, else b"),
        (when(A < 2, A, B), "a if a < 2, else b"),
        (larger_known(A, B), "greatest(a, b)"),
        (larger_known(larger_known(A, B), C + 1), "greatest(a, b, c + 1)"),
        (larger_known(C + 1, larger_known(A, B)), "greatest(c + 1, a, b)"),
        (when(B.is_null(), A, when(A.is_null(), B, when(A >= B, B, A))), OTHER_CHOICE),
        (log2((A + 1) * 2) - log2(B), "log2((a + 1) * 2) - log2(b)"),
        (let("x", A + B, lambda x: x * x), "x * x, where x = a + b"),
        (let("x", A - 1, lambda x: x * x), "x * x, where x = a - 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_expression_is_written_as_a_formula(expr: Expr, text: str) -> None:
    assert spell(expr) == text


def test_the_formulas_of_features_are_short_enough_to_be_read() -> None:
    texts = {one.name: spell(one.value) for one in (*FORMULAS, *BEACON_FORMULAS)}

    assert texts[LATERAL_SCORE.name] == "new_admin_peer_cnt / (new_admin_peer_cnt + 3)"
    assert texts["reg_pm"] == (
        "(period_s - beacon:mad) * 1000 // period_s if period_s - beacon:mad > 0, else 0"
    )
    assert "bit_length" not in " ".join(texts.values())


def test_what_is_no_expression_has_no_text() -> None:
    with pytest.raises(TypeError, match="not an expression"):
        spell(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (when(A > 0, A / B, None) * 2, "a / b * 2"),
        (when(B > 1, A, when(A > 0, 1, 0)), "1"),
        (C.or_else(0) + A, "0 + a"),
        (A.or_else(0) + A, "a + a"),
        (when(A >= B, A, B), "max(a, b)"),
        (when(when(A > 0, B, 0) < 2, 2, when(A > 0, B, 0)), "max(b, 2)"),
        (let("x", A + B, lambda x: when(x > 3, x, 0)), "x, where x = a + b"),
        (log2(A), "log2(a)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_of_a_choice_only_the_branch_that_a_row_takes_stays(expr: Expr, text: str) -> None:
    assert spell(taken(expr, {"a": 3, "b": 1, "c": None})) == text
