"""The tables of baselines: where their files lie, and what makes a row."""

from __future__ import annotations

from ndr_core.baselines.tables import BASELINE_TABLES, SUMMARY_TABLES
from ndr_core.tables.columns import ColumnType


def test_files_lie_by_date_role_and_part_of_the_week() -> None:
    for table in (*SUMMARY_TABLES, *BASELINE_TABLES):
        assert table.levels[-2:] == ("role", "time_band")
        assert [column.name for column in table.columns[-3:]] == ["dt", "role", "time_band"]


def test_a_metric_has_one_row_of_each_row_of_its_key() -> None:
    for with_metric, rows in (SUMMARY_TABLES, BASELINE_TABLES):
        assert set(with_metric.keys) == {*rows.keys, "metric"}


def test_histograms_are_those_of_usual_windows_and_the_others() -> None:
    for with_metric, _ in (SUMMARY_TABLES, BASELINE_TABLES):
        found = [
            column.name for column in with_metric.columns if column.type is ColumnType.HISTOGRAM
        ]
        assert found == ["included", "excluded"]
