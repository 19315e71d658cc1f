"""Tables of features are feature groups within the limits of SageMaker Feature Store."""

from __future__ import annotations

import pytest

from ndr_core.baselines.metrics import METRICS
from ndr_core.catalog.feature_store import MOST_FEATURES, FeatureGroup, long_groups, wide_groups
from ndr_core.correlations.tables import fg_c_table
from ndr_core.deltas.counters import Counter
from ndr_core.deltas.measures import measures_for
from ndr_core.errors import SpecError
from ndr_core.tables.columns import ColumnType, Merge, OutputColumn, key_column
from ndr_core.tables.slices import SLICE_COLUMNS
from ndr_core.tables.table import Table
from ndr_core.windows.labels import DEFAULT_LABELS
from ndr_core.windows.tables import BEACON, fg_a_table
from ndr_core.windows.wide import WIDE_KEYS

LABELS = [label.name for label in DEFAULT_LABELS]


def windows(*counters: str) -> Table:
    return fg_a_table(
        measures_for(
            port_sets={},
            short_session_seconds=1.0,
            knows_packets=True,
            counters=dict.fromkeys(counters, Counter()),
        )
    )


def table_of(*columns: OutputColumn) -> Table:
    end = key_column("window_end_ts", ColumnType.TIMESTAMP, "end")
    return Table("any", ("window_end_ts",), (end, *columns, *SLICE_COLUMNS))


def number(name: str, column_type: ColumnType = ColumnType.INT64) -> OutputColumn:
    return OutputColumn(name, column_type, Merge.NEVER, "any")


def names_of(group: FeatureGroup) -> list[str]:
    return [one["FeatureName"] for one in group.plain()["FeatureDefinitions"]]


@pytest.mark.parametrize(
    "table", [windows(), BEACON, fg_c_table(METRICS)], ids=lambda one: one.name
)
def test_a_long_table_is_one_group_with_all_of_its_columns(table: Table) -> None:
    (group,) = long_groups(table)

    plain = group.plain()
    assert plain["FeatureGroupName"] == table.name
    assert plain["RecordIdentifierFeatureName"] == "record_id"
    assert plain["EventTimeFeatureName"] == "window_end_ts"
    assert names_of(group) == ["record_id", *(column.name for column in table.columns)]


def test_a_feature_has_the_type_of_its_column_and_times_are_texts() -> None:
    (group,) = long_groups(
        table_of(
            number("a_cnt"),
            number("a_ratio", ColumnType.FLOAT64),
            number("a_text", ColumnType.STRING),
            number("a_hist", ColumnType.HISTOGRAM),
        )
    )

    types = {one["FeatureName"]: one["FeatureType"] for one in group.plain()["FeatureDefinitions"]}
    assert types["record_id"] == types["window_end_ts"] == types["a_text"] == "String"
    assert (types["a_cnt"], types["a_ratio"]) == ("Integral", "Fractional")
    assert "a_hist" not in types


def test_windows_as_wide_rows_are_one_group_of_their_own() -> None:
    (group,) = wide_groups(windows(), LABELS)

    assert group.name == "wide_fg_a"
    assert "in_deny_cnt_w_24h" in names_of(group)


def test_more_columns_than_a_group_takes_make_several_groups_with_the_same_key() -> None:
    labels = [f"w_{15 * number}m" for number in range(1, 40) if number % 4]

    groups = wide_groups(windows(), labels)

    assert [group.name for group in groups] == [f"wide_fg_a_{i + 1}" for i in range(len(groups))]
    assert len(groups) > 1
    key = {"record_id", *WIDE_KEYS}
    rest = [name for group in groups for name in names_of(group) if name not in key]
    assert len(set(rest)) == len(rest)
    for group in groups:
        assert len(names_of(group)) <= MOST_FEATURES
        assert key <= set(names_of(group))


@pytest.mark.parametrize(("more", "groups"), [(0, 1), (1, 2)])
def test_a_group_takes_2500_features(more: int, groups: int) -> None:
    fixed = 1 + 1 + len(SLICE_COLUMNS)
    numbers = [number(f"n{i}") for i in range(MOST_FEATURES - fixed + more)]

    assert len(long_groups(table_of(*numbers))) == groups


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("write_time", "any.write_time: Feature Store has a column of this name of its own; give "),
        (
            "a" * 65,
            f"any.{'a' * 65}: the name has 65 characters, and Feature Store takes 64; give ",
        ),
        (
            "tail_",
            "any.tail_: the name must begin and end with a letter or digit for Feature Store;",
        ),
    ],
)
def test_a_name_that_feature_store_does_not_take_is_an_error(name: str, why: str) -> None:
    with pytest.raises(SpecError) as found:
        long_groups(table_of(number("good"), number(name)))

    assert str(found.value).startswith(why)
    assert "\n" not in str(found.value)


def test_a_counter_whose_name_gets_too_long_in_wide_rows_is_an_error_for_each_of_its_columns() -> (
    None
):
    counter = "c" * 58

    with pytest.raises(SpecError) as found:
        wide_groups(windows(counter), ["w_15m", "w_1h"])

    assert str(found.value).splitlines() == [
        f"wide_fg_a.in_{counter}_w_15m: the name has 67 characters, and Feature Store takes 64; give the counter "
        "or port set that it is made of another name",
        f"wide_fg_a.in_{counter}_w_1h: the name has 66 characters, and Feature Store takes 64; give the counter "
        "or port set that it is made of another name",
    ]
