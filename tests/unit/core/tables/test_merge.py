"""The rows of any split of the records merge to those of the whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.errors import OverflowingColumnError
from ndr_core.int64 import INT64_MAX, INT64_MIN
from ndr_core.tables.columns import ColumnType, Merge, OutputColumn, key_column
from ndr_core.tables.merge import Row, check_int64, group, merge_rows, nulls_first
from ndr_core.tables.slices import SLICE_COLUMNS
from ndr_core.tables.table import Table

SLICE = {"feature_spec_version": "v1", "dt": "2025-03-01", "hh": "10", "mm": "00"}
TABLE = Table(
    name="window",
    keys=("host", "port"),
    columns=(
        key_column("host", ColumnType.STRING, "the host"),
        key_column("port", ColumnType.INT64, "the port, null where unknown"),
        key_column("zone", ColumnType.STRING, "the zone, which the host decides"),
        OutputColumn("count", ColumnType.INT64, Merge.SUM, "sessions"),
        OutputColumn("last", ColumnType.TIMESTAMP, Merge.MAX, "latest end"),
        OutputColumn("batch", ColumnType.STRING, Merge.MAX, "the last batch by name"),
        OutputColumn("sizes", ColumnType.HISTOGRAM, Merge.HISTOGRAM, "sessions by size"),
        OutputColumn("middle", ColumnType.INT64, Merge.DERIVED, "of the sizes"),
        OutputColumn("peers", ColumnType.INT64, Merge.PAIRS, "distinct peers"),
        *SLICE_COLUMNS,
    ),
)
STORED = ("host", "port", "zone", "count", "last", "batch", "sizes", *SLICE)
ZONES = {None: None, "a": "inner", "b": None}


def row(host: str | None = "a", port: int | None = 443, **changes: Any) -> Row:
    """A row of the table, as some part of a whole has it."""
    return {
        "host": host,
        "port": port,
        "zone": ZONES[host],
        "count": 1,
        "last": 100,
        "batch": "mb-1",
        "sizes": ((1, 1),),
        "middle": 1,
        "peers": 1,
        **SLICE,
    } | changes


def nullable(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(values, values, values, st.none())


SIZES = st.dictionaries(st.integers(0, 5), st.integers(1, 9), max_size=4).map(
    lambda counts: tuple(sorted(counts.items()))
)
ROWS = st.builds(
    row,
    host=st.sampled_from([None, "a", "b"]),
    port=st.sampled_from([None, 0, 443]),
    count=nullable(st.integers(-1000, 1 << 40)),
    last=nullable(st.integers(0, 1 << 52)),
    batch=nullable(st.sampled_from(["mb-1", "mb-2", "mb-10"])),
    sizes=nullable(SIZES),
)


def merged(parts: Iterable[Sequence[Row]]) -> list[Row]:
    return merge_rows(chain.from_iterable(parts), TABLE)


@settings(max_examples=60, deadline=None)
@given(st.lists(ROWS, max_size=10), st.data())
def test_any_split_in_any_order_and_any_grouping_merges_to_the_whole(
    rows: list[Row], data: st.DataObject
) -> None:
    whole = merge_rows(rows, TABLE)

    shuffled = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    parts = [
        merge_rows(shuffled[start:end], TABLE)
        for start, end in zip([0, *cuts], [*cuts, len(rows)], strict=True)
    ]
    order = data.draw(st.permutations(parts))
    cut = data.draw(st.integers(0, len(order)))

    assert merged(order) == whole
    assert merged([merged(order[:cut]), merged(order[cut:])]) == whole
    assert merge_rows(whole, TABLE) == whole


@settings(max_examples=40, deadline=None)
@given(st.lists(ROWS, max_size=12))
def test_what_merging_means_column_by_column(rows: list[Row]) -> None:
    for found in merge_rows(rows, TABLE):
        members = [item for item in rows if TABLE.key_of(item) == TABLE.key_of(found)]
        counts = [item["count"] for item in members]
        lasts = [item["last"] for item in members]
        sizes = [item["sizes"] for item in members]

        assert found["count"] == (None if None in counts else sum(counts))
        assert found["last"] == (None if None in lasts else max(lasts))
        assert found["zone"] == ZONES[found["host"]]
        if None in sizes:
            assert found["sizes"] is None
        else:
            records = [bucket for size in sizes for bucket, n in size for _ in range(n)]
            assert found["sizes"] == tuple(
                (bucket, records.count(bucket)) for bucket in sorted(set(records))
            )


def test_rows_are_sorted_by_key_nulls_first() -> None:
    keys = [("b", 443), ("a", 443), (None, 443), ("a", None), ("a", 0), (None, None), ("b", None)]

    found = merge_rows([row(host, port) for host, port in keys], TABLE)

    assert [TABLE.key_of(item) for item in found] == [
        (None, None),
        (None, 443),
        ("a", None),
        ("a", 0),
        ("a", 443),
        ("b", None),
        ("b", 443),
    ]


def test_derived_columns_are_left_out_and_the_others_stay_in_order() -> None:
    (found,) = merge_rows([row(), row()], TABLE)

    assert tuple(found) == STORED


def test_derived_columns_need_not_be_there() -> None:
    part = {name: value for name, value in row().items() if name in STORED}

    assert merge_rows([part], TABLE) == [part]


def test_no_rows_merge_to_none() -> None:
    assert merge_rows([], TABLE) == []


@pytest.mark.parametrize(
    ("counts", "total"),
    [
        ([INT64_MAX - 1, 1], INT64_MAX),
        ([INT64_MIN + 1, -1], INT64_MIN),
        ([INT64_MAX, INT64_MIN, 1], 0),
    ],
)
def test_a_sum_may_reach_the_ends_of_int64(counts: list[int], total: int) -> None:
    (found,) = merge_rows([row(count=count) for count in counts], TABLE)

    assert found["count"] == total


@pytest.mark.parametrize("counts", [[INT64_MAX, 1], [INT64_MIN, -1]])
def test_a_sum_that_leaves_int64_names_column_and_row(counts: list[int]) -> None:
    rows = [row("b"), *(row("a", None, count=count) for count in counts)]

    with pytest.raises(OverflowingColumnError) as overflow:
        merge_rows(rows, TABLE)

    assert overflow.value.column == "count"
    assert str(overflow.value).startswith("count: the sum leaves the range of int64")
    assert "for the row of window with host a, port None;" in str(overflow.value)


def test_the_caller_may_name_the_row() -> None:
    rows = [row(count=INT64_MAX, last=1), row(count=1, last=2)]

    with pytest.raises(OverflowingColumnError, match="for host a at 1;"):
        merge_rows(rows, TABLE, lambda found: f"host {found['host']} at {found['last']}")


def test_only_sums_are_held_to_int64() -> None:
    (found,) = merge_rows([row(last=INT64_MAX + 1)], TABLE)

    assert found["last"] == INT64_MAX + 1


@pytest.mark.parametrize("other", ["outer", None])
def test_rows_of_one_key_that_differ_in_another_key_column_do_not_merge(other: str | None) -> None:
    with pytest.raises(ValueError, match="must agree") as refused:
        merge_rows([row("a"), row("a", zone=other)], TABLE)

    assert str(refused.value) == (
        "zone of the row of window with host a, port 443: rows of one key must agree in this column"
    )


def test_a_row_is_named_in_printable_text() -> None:
    with pytest.raises(
        ValueError, match=r"^zone of the row of window with host a\\n\\xff, port 1:"
    ):
        merge_rows([row(zone=zone) | {"host": "a\n\udcff", "port": 1} for zone in "xy"], TABLE)


def test_rows_are_grouped_by_some_columns_in_their_order() -> None:
    first, second, third = row("a", 1), row("b", 2), row("a", 3)

    found = group([first, second, third], ["host"])

    assert found == {("a",): [first, third], ("b",): [second]}


def test_without_keys_all_rows_are_one() -> None:
    assert group([row("a"), row("b")], []) == {(): [row("a"), row("b")]}


def test_a_null_sorts_before_any_value() -> None:
    keys = [("b", 1), ("a", None), (None, 2), ("a", -5), (None, None)]

    assert sorted(keys, key=nulls_first) == [
        (None, None),
        (None, 2),
        ("a", None),
        ("a", -5),
        ("b", 1),
    ]


@pytest.mark.parametrize("total", [0, INT64_MAX, INT64_MIN])
def test_a_total_within_int64_is_fine(total: int) -> None:
    check_int64("count", total, "host a")


@pytest.mark.parametrize("total", [INT64_MAX + 1, INT64_MIN - 1])
def test_a_total_outside_int64_is_refused(total: int) -> None:
    with pytest.raises(OverflowingColumnError, match=r"^count: .* for host a;"):
        check_int64("count", total, "host a")
