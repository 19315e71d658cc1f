"""The integer histogram and the portable logarithm keep what they promise, in every engine."""

from __future__ import annotations

import math

import polars as pl
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ndr_adapters.polars.expr import compile_expr
from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import (
    Expr,
    col,
    lit,
    when,
)
from ndr_core.expressions.portable import (
    bucket_middle,
    bucket_of,
    log2,
    n_log2_n_fixed_point,
)
from tests.soak import examples

POSITIVE = st.integers(1, (1 << 63) - 1)
VALUES = st.lists(
    st.one_of(st.integers(0, 300), POSITIVE, st.integers(0, 62).map(lambda n: (1 << n) - 1)),
    min_size=1,
    max_size=200,
)
X = col("x")
EXPRESSIONS: dict[str, Expr] = {
    "bucket": bucket_of(X),
    "middle of bucket": bucket_middle(bucket_of(X)),
    "log2": log2(when(X < 1, 1, X)),
    "c log2 c": n_log2_n_fixed_point(when(X > 1 << 40, 1 << 40, X)),
    "ratio": X.to_float() / lit(3.0) + X.to_float() / 1_000_000.0,
    "ratio to a choice": X.to_float() / when(X > 1 << 62, X.to_float(), 1000.0)
    + X.to_float() / (when(X < 0, X.to_float(), None).or_else(24.0) + 25.0),
}


@given(POSITIVE)
def test_the_middle_of_a_bucket_is_within_one_per_cent(value: int) -> None:
    middle = evaluate(EXPRESSIONS["middle of bucket"], {"x": value})
    assert abs(middle - value) <= value / 128


@given(POSITIVE, POSITIVE)
def test_buckets_keep_the_order_of_values(one: int, other: int) -> None:
    low, high = sorted((one, other))
    bucket = EXPRESSIONS["bucket"]
    assert evaluate(bucket, {"x": low}) <= evaluate(bucket, {"x": high})


@given(POSITIVE)
def test_the_logarithm_is_one(value: int) -> None:
    assert abs(evaluate(log2(X), {"x": value}) - math.log2(value)) < 1e-11


@settings(deadline=None)
@given(VALUES)
def test_polars_computes_the_same_bits(values: list[int]) -> None:
    frame = pl.DataFrame({"x": values}, schema={"x": pl.Int64})
    for name, expr in EXPRESSIONS.items():
        expected = [evaluate(expr, {"x": value}) for value in values]
        assert frame.select(compile_expr(expr)).to_series().to_list() == expected, name


@settings(max_examples=examples(4), deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.lists(VALUES, min_size=20, max_size=20))
def test_spark_computes_the_same_bits(lists: list[list[int]]) -> None:
    from ndr_adapters.spark.sql.expr import with_columns
    from tests.support import spark_session

    values = sorted({value for numbers in lists for value in numbers})
    frame = spark_session().createDataFrame([(value,) for value in values], "x bigint")
    for row in with_columns(frame, EXPRESSIONS).collect():
        for name, expr in EXPRESSIONS.items():
            assert row[name] == evaluate(expr, {"x": row["x"]}), (name, row["x"])
