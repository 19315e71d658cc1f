"""How the values of one column become one."""

from __future__ import annotations

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


@pytest.mark.parametrize("merge", [Merge.DERIVED, Merge.PAIRS])
def test_what_is_derived_has_no_values_to_merge(merge: Merge) -> None:
    assert not merge.is_stored
    with pytest.raises(ValueError, match=f"a column that is {merge.value} has no values to merge"):
        merge.merged([1, 2])


def test_every_other_column_is_stored() -> None:
    stored = [merge for merge in Merge if merge.is_stored]

    assert stored == [Merge.KEY, Merge.SUM, Merge.MAX, Merge.HISTOGRAM]


def test_histograms_add_by_bucket_in_ascending_order() -> None:
    assert add_histograms([]) == ()
    assert add_histograms([((9, 1),), ((1, 1), (9, 2))]) == ((1, 1), (9, 3))
    assert add_histograms(iter([[(1, 1), (1, 1)]])) == ((1, 2),)


def test_a_key_column_merges_as_one() -> None:
    assert key_column("host_ip", ColumnType.STRING, "the host") == OutputColumn(
        "host_ip", ColumnType.STRING, Merge.KEY, "the host"
    )
