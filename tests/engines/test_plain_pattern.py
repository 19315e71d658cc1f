"""What becomes of the key orders of the first lines: one pattern, of bounded size, whatever the lines hold."""

from __future__ import annotations

import time

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ndr_adapters.polars.plain_pattern import (
    MAX_KEYS,
    MAX_ORDERS,
    merge_orders,
    plain_line_pattern,
)
from ndr_adapters.polars.token import column_tokens
from ndr_core.flows.presets.registry import PRESETS

Order = tuple[str, ...]
orders = st.lists(
    st.lists(st.sampled_from("abcdef"), unique=True, max_size=5).map(tuple), max_size=8
)


def is_part_of(order: Order, whole: Order) -> bool:
    rest = iter(whole)
    return all(key in rest for key in order)


@given(orders)
def test_an_order_is_part_of_a_merged_one_unless_there_are_too_many(
    given_orders: list[Order],
) -> None:
    merged = [one.total for one in merge_orders(given_orders)]

    left_out = [
        order
        for order in given_orders
        if order and not any(is_part_of(order, whole) for whole in merged)
    ]
    assert not left_out or len(merged) == MAX_ORDERS
    assert all(len(set(whole)) == len(whole) for whole in merged)


def totals(given_orders: list[Order]) -> list[Order]:
    return [one.total for one in merge_orders(given_orders)]


def test_orders_that_agree_become_one() -> None:
    assert totals([("a", "c"), ("a", "b", "c"), ("b", "d")]) == [("a", "b", "c", "d")]


def test_the_first_orders_are_taken_where_two_contradict_each_other() -> None:
    assert totals([("a", "b"), ("b", "a")]) == [("a", "b"), ("b", "a")]


@pytest.mark.parametrize("keys_of_a_line", [40, MAX_KEYS, 1000])
def test_lines_that_share_no_key_make_a_pattern_of_bounded_size_in_little_time(
    keys_of_a_line: int,
) -> None:
    lines = [tuple(f"k{line}.{key}" for key in range(keys_of_a_line)) for line in range(256)]
    began = time.process_time()

    merged = totals(lines)
    tokens = column_tokens(PRESETS["paloalto"].mapping, ())
    assert tokens is not None
    pattern = plain_line_pattern(lines, tokens)

    assert sum(map(len, merged)) <= MAX_KEYS
    if pattern is not None:
        assert not pl.Series(["{}"]).str.contains(pattern).is_null().any()
    assert (
        time.process_time() - began < 20
    )  # it took hours where each line was merged with all before
