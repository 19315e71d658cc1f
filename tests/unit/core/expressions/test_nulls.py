"""Where an expression is null is found from the expression, exactly."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from ndr_core.baselines.metrics import METRICS
from ndr_core.correlations.formulas import anomaly_strength, departures, exfil_score
from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import Expr, col, columns_of, let, lit, when
from ndr_core.expressions.nulls import null_text, null_where
from ndr_core.expressions.portable import bucket_middle, bucket_of, log2
from ndr_core.windows.beacon import BEACON_FORMULAS
from ndr_core.windows.formulas import FORMULAS

A, B, C = col("a"), col("b"), col("c")
EACH = {name: name for name in "abc"}


def text(expr: Expr, *nullable: str, **together: str) -> str:
    return null_text(null_where(expr, {**dict(zip(nullable, nullable, strict=True)), **together}))


EXPRESSIONS = [
    A + B,
    A.or_else(B),
    A.or_else(0),
    when(A > 0, B, None),
    when(A > 0, None, B),
    when(A > B, A, B),
    when(A > 0, B, C),
    when((A > 0) & (B > 0), C, None),
    when((A > 0) | (B > 0), C, None),
    when((A > 0) & (B > 0), None, C),
    when((A > 0) | (B > 0), None, C),
    when((A > 0) & (B > 0), A, when(C > 1, B, None)),
    when((A > 0) | (B > 0), A, when(C > 1, B, None)),
    when(~(A > 0), B, when(B > 1, C, None)),
    when(~(A > 0) & ~A.is_null(), B, when(B > 1, C, None)),
    when(~(A.eq(1) | B.eq(1)), C, when(B > 1, A, None)),
    when(~((A > 0) & (B > 0)), C, when(B > 1, A, None)),
    when(~~(A > 0), B, when(B > 1, C, None)),
    when(A.is_null(), B, C),
    when(A.is_null(), B, when(B.is_null(), A, A + B)),
    when((A + B).is_null(), C, when(B > 1, None, C)),
    when(~(A + B).is_null(), C, when(B > 1, None, C)),
    when(A.or_else(B).is_null(), C, when(B > 1, None, C)),
    when(~A.or_else(B).is_null(), C, when(B > 1, None, C)),
    when(A.is_in([1, 2]), B, when(C > 0, C, None)),
    when(~A.is_in([1, 2]), B, when(C > 0, C, None)),
    when(~(A.is_in([1]) & (B > 0)), when(A > 1, A, None), C),
    when(~(A.is_in([1]) | (B > 0)), when(A > 1, A, None), C),
    when(A > 0, when(A > 0, B, None), when(A <= 0, C, None)),
    when(lit(None).is_null(), A, B),
    when((A > 0).is_null(), B, when(B.eq(0), None, C)),
    A.is_null(),
    lit(None),
    lit(1),
    let("x", A + 1, lambda x: when(x > 1, x, B)),
    let("x", lit(1), lambda x: x + A),
    let("a", B, lambda a: when(a > 1, a, None)),
    log2(A + 1),
    bucket_middle(bucket_of(A)),
    when(A.shift_right(B) > 0, (A.to_float() + 0.5).floor_to_int(), C),
    when(A.or_else(1) > 0, B, None),
]


@pytest.mark.parametrize("expr", EXPRESSIONS, ids=lambda expr: text(expr, "a", "b", "c") or "never")
def test_a_value_is_null_just_where_all_conditions_of_a_case_hold(expr: Expr) -> None:
    cases = null_where(expr, EACH)

    for values in product((None, 0, 1, 2), repeat=3):
        row = dict(zip("abc", values, strict=True))
        found = any(all(evaluate(one, row) is True for one in case) for case in cases)
        assert found == (evaluate(expr, row) is None), row


FEATURES = [
    *(one.value for one in (*FORMULAS, *BEACON_FORMULAS)),
    *(one.value for metric in METRICS for one in departures(metric)),
    *(metric.value for metric in METRICS),
    anomaly_strength(["a", "b", "c"]),
    exfil_score(1),
]


@pytest.mark.parametrize("expr", list(dict.fromkeys(FEATURES)), ids=str)
def test_the_formulas_of_features_are_null_just_where_is_said(expr: Expr) -> None:
    names = sorted(columns_of(expr))
    cases = null_where(expr, {name: name for name in names})

    for known in product((None, 7), repeat=len(names)) if len(names) < 7 else [(7,) * len(names)]:
        row: dict[str, Any] = dict(zip(names, known, strict=True))
        found = any(all(evaluate(one, row) is True for one in case) for case in cases)
        assert found == (evaluate(expr, row) is None), row


@pytest.mark.parametrize(
    ("expr", "said"),
    [
        (A / B, "a is null; b is null"),
        (when(B > 0, A / B, None), "b <= 0; b is null; a is null"),
        (when(A.is_null(), None, when(A > 0, 1, 0)), "a is null"),
        (
            when(A < 2, 0, when(B.is_null(), None, B)),
            "a >= 2 and b is null; a is null and b is null",
        ),
        (
            when(A.is_null(), 0, when(B > 0, A, None)),
            "a is not null and b <= 0; a is not null and b is null",
        ),
        (when(A >= B, A, B), "b is null"),
        (lit(None), "always"),
        (lit(1), ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_cases_are_written_without_what_can_not_be_and_what_is_said_already(
    expr: Expr, said: str
) -> None:
    assert text(expr, "a", "b") == said


def test_a_column_that_is_never_null_makes_no_case() -> None:
    assert text(A + B, "a") == "a is null"
    assert text(A + B) == ""


def test_of_columns_that_are_null_together_one_stands_for_all() -> None:
    larger = when(A >= B, A, B)

    assert text(larger + C, a="a", b="a", c="a") == "a is null"
    assert text(when(A >= 7, B, None), a="a", b="a") == "a < 7; a is null"


def test_the_largest_known_value_is_null_where_all_are() -> None:
    both = ("a_upper_z", "b_upper_z")
    assert text(anomaly_strength(["a", "b"]), *both) == "a_upper_z is null and b_upper_z is null"
