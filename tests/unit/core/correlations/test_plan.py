"""The plan of correlations."""

from __future__ import annotations

from tests.correlation_cases import EVERY_COLUMN, HOST_IP, SEVEN_DAYS_OF_TEN


def test_a_table_has_seven_columns_for_each_metric() -> None:
    one, other = EVERY_COLUMN.plan, SEVEN_DAYS_OF_TEN.plan

    difference = len(one.table.columns) - len(other.table.columns)

    assert difference == 7 * (len(one.metrics) - len(other.metrics))


def test_constants_are_those_of_all_rows_of_a_run() -> None:
    plan = EVERY_COLUMN.plan

    row = EVERY_COLUMN.fg_c[HOST_IP, "7d"]

    assert plan.constants() == {name: row[name] for name in plan.constants()}
    assert plan.constants().keys() >= set(plan.table.levels) - {"role"}
