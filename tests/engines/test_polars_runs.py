"""Rows added up by running sums: the same as each group by itself."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from ndr_adapters.polars.features.ranks import medians
from ndr_adapters.polars.keys import in_order
from ndr_adapters.polars.runs import run_sums, united
from ndr_core.int64 import INT64_MAX

KEYS = st.lists(st.integers(0, 5), max_size=40).map(sorted)


@given(KEYS, st.data())
def test_running_sums_are_those_of_each_group(keys: list[int], data: st.DataObject) -> None:
    values = data.draw(st.lists(st.integers(-5, 1000), min_size=len(keys), max_size=len(keys)))
    rows = pl.DataFrame({"key": keys, "value": values}, schema={"key": pl.Int64, "value": pl.Int64})
    found = run_sums(
        rows.lazy(), ["key"], pl.col("value"), (pl.col("value") * 2).alias("twice")
    ).collect()
    expected = [
        (key, sum(value for one, value in zip(keys, values, strict=True) if one == key))
        for key in sorted(set(keys))
    ]
    assert found.rows() == [(key, total, 2 * total) for key, total in expected]


def test_a_sum_is_right_where_the_sum_of_all_groups_leaves_int64() -> None:
    rows = pl.DataFrame({"key": [1, 1, 2, 3], "value": [1, INT64_MAX - 1, INT64_MAX, INT64_MAX]})
    found = run_sums(rows.lazy(), ["key"], pl.col("value")).collect()
    assert found.rows() == [(1, INT64_MAX), (2, INT64_MAX), (3, INT64_MAX)]


def test_what_is_the_same_in_all_rows_of_a_key_is_kept() -> None:
    rows = pl.DataFrame({"a": [1, 1, 1, 2], "b": [5, 5, 6, 5], "of_a": ["x", "x", "x", "y"]})
    found = run_sums(
        rows.lazy(), ["a", "b"], pl.repeat(1, pl.len(), dtype=pl.Int64).alias("n"), kept=["of_a"]
    ).collect()
    assert found.rows() == [(1, 5, "x", 2), (1, 6, "x", 1), (2, 5, "y", 1)]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 7)), max_size=30))
def test_a_union_holds_what_any_set_of_its_place_holds(rows: list[tuple[int, int]]) -> None:
    places = pl.Series("place", [place for place, _ in rows], dtype=pl.UInt32)
    sets = pl.Series("seen", [one for _, one in rows], dtype=pl.UInt64)
    expected = [0] * 5
    for place, one in rows:
        expected[place] |= one
    assert united(places, sets, [1, 2, 4], 5).to_list() == expected


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**62)), max_size=30))
def test_rows_are_in_order_of_all_columns_whatever_bits_they_take(
    rows: list[tuple[int, int]],
) -> None:
    frame = pl.DataFrame(rows, schema={"a": pl.Int64, "b": pl.Int64}, orient="row")
    assert in_order(frame).rows() == sorted(rows)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=30))
def test_a_median_is_the_value_of_rank_half(rows: list[tuple[int, int]]) -> None:
    frame = pl.DataFrame(rows, schema={"key": pl.Int64, "value": pl.Int64}, orient="row")
    expected = []
    for key in sorted({key for key, _ in rows}):
        values = sorted(value for one, value in rows if one == key)
        expected.append((key, values[(len(values) + 1) // 2 - 1]))
    assert medians(frame, "key").rows() == expected
