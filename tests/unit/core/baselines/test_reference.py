"""Summaries and baselines in plain Python, by cases that were worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ndr_core.baselines.tables import SUMMARY, SUMMARY_ROWS
from ndr_core.tables.merge import Row
from tests.baseline_cases import (
    BASELINE_CASES,
    SUMMARY_CASES,
    BaselineCase,
    SummaryCase,
)

AT_WORK = ("wd_work", "w_1h")


@pytest.mark.parametrize("case", SUMMARY_CASES, ids=lambda case: case.name)
def test_a_summary_is_what_was_worked_out_by_hand(case: SummaryCase) -> None:
    built = case.build()

    assert built["summary"] == _in_columns(SUMMARY, case.summary)
    assert built["summary_rows"] == _in_columns(SUMMARY_ROWS, case.summary_rows)


def _in_columns(table, rows: Sequence[Row]) -> list[Row]:
    return rows


@pytest.mark.parametrize("case", BASELINE_CASES, ids=lambda case: case.name)
def test_baselines_hold_what_was_worked_out_by_hand(case: BaselineCase) -> None:
    built = case.build()

    case.check(built["baseline"], built["baseline_rows"])


@pytest.mark.parametrize("case", BASELINE_CASES, ids=lambda case: case.name)
def test_yesterdays_baselines_and_a_date_in_and_out_are_those_of_all_dates(
    case: BaselineCase,
) -> None:
    assert case.build_on() == case.build()
