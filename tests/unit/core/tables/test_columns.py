"""How the values of one column become one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ndr_core.tables.columns import (
    ColumnType,
    Merge,
    OutputColumn,
    add_histograms,
    key_column,
)


@pytest.mark.parametrize(
    ("merge", "values", "merged"),
    [
        (Merge.KEY, ["a"], "a"),
        (Merge.KEY, ["a", "a"], "a"),
        (Merge.KEY, [None, None], None),
        (Merge.SUM, [7], 7),
        (Merge.SUM, [7, -2, 0], 5),
        (Merge.MAX, [3, 9, 5], 9),
        (Merge.MAX, ["mb-1", "mb-2", "mb-10"], "mb-2"),
        (Merge.HISTOGRAM, [((1, 2),)], ((1, 2),)),
        (Merge.HISTOGRAM, [((5, 1), (9, 1)), (), ((2, 4), (5, 2))], ((2, 4), (5, 3), (9, 1))),
    ],
)
def test_how_values_merge(merge: Merge, values: list[Any], merged: Any) -> None:
    assert merge.merged(values) == merged


@pytest.mark.parametrize(
    ("merge", "value"), [(Merge.SUM, 1), (Merge.MAX, 1), (Merge.HISTOGRAM, ((1, 1),))]
)
def test_what_merges_to_a_null_is_unknown(merge: Merge, value: Any) -> None:
    assert merge.merged([None]) is None
    assert merge.merged([value, None]) is None
    assert merge.merged([None, value]) is None


@pytest.mark.parametrize("values", [["a", "b"], ["a", "a", None], [None, "a"], ["a", "b", "a"]])
def test_keys_that_differ_do_not_merge(values: list[Any]) -> None:
    with pytest.raises(ValueError, match="rows of one key must agree in this column"):
        Merge.KEY.merged(values)


def test_of_what_never_merges_a_key_has_one_row() -> None:
    assert Merge.NEVER.merged([7]) == 7
    assert Merge.NEVER.merged([None]) is None
    with pytest.raises(ValueError, match="a key has one row, and here are several"):
        Merge.NEVER.merged([7, 7])


@pytest.mark.parametrize("merge", [Merge.DERIVED, Merge.PAIRS])
def test_what_is_derived_has_no_values_to_merge(merge: Merge) -> None:
    assert not merge.is_stored
    with pytest.raises(ValueError, match=f"a column that is {merge.value} has no values to merge"):
        merge.merged([1, 2])


def test_every_other_column_is_stored() -> None:
    stored = [merge for merge in Merge if merge.is_stored]

    assert stored == [Merge.KEY, Merge.SUM, Merge.MAX, Merge.HISTOGRAM, Merge.NEVER]


def test_histograms_add_by_bucket_in_ascending_order() -> None:
    assert add_histograms([]) == ()
    assert add_histograms([((9, 1),), ((1, 1), (9, 2))]) == ((1, 1), (9, 3))
    assert add_histograms(iter([[(1, 1), (1, 1)]])) == ((1, 2),)


def test_a_key_column_merges_as_one() -> None:
    assert key_column("host_ip", ColumnType.STRING, "the host") == OutputColumn(
        "host_ip", ColumnType.STRING, Merge.KEY, "the host"
    )


@pytest.mark.parametrize(
    ("column_type", "value", "plain"),
    [
        (ColumnType.TIMESTAMP, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), 1_000_000),
        (ColumnType.TIMESTAMP, 1_000_000, 1_000_000),
        (ColumnType.TIMESTAMP, None, None),
        (ColumnType.HISTOGRAM, [{"bucket": 3, "count": 2}], ((3, 2),)),
        (ColumnType.HISTOGRAM, [[3, 2]], ((3, 2),)),
        (ColumnType.HISTOGRAM, ((3, 2), (4, 1)), ((3, 2), (4, 1))),
        (ColumnType.HISTOGRAM, [], ()),
        (ColumnType.HISTOGRAM, None, None),
        (ColumnType.INT64, 7, 7),
        (ColumnType.STRING, "a", "a"),
    ],
)
def test_a_value_as_a_reader_gives_it_becomes_one_of_the_core(
    column_type: ColumnType, value: Any, plain: Any
) -> None:
    assert OutputColumn("x", column_type, Merge.MAX, "").plain(value) == plain
