"""The scores of a report are columns of the tables that they are said to be of, and so are their parts."""

from __future__ import annotations

import pytest

from ndr_core.baselines.metrics import METRICS
from ndr_core.correlations.tables import FG_C, fg_c_table
from ndr_core.report.scores import BUSIEST, DETAIL_METRICS, SCORES, Score
from ndr_core.windows.tables import FG_A
from tests.window_cases import window_plan

COLUMNS = {
    FG_A: {column.name for column in window_plan().fg_a.columns},
    FG_C: {column.name for column in fg_c_table(METRICS).columns},
}


@pytest.mark.parametrize("score", SCORES, ids=lambda score: score.column)
def test_a_score_and_its_parts_are_columns(score: Score) -> None:
    assert score.column in COLUMNS[score.table]
    assert {part.name for part in score.parts} <= COLUMNS[FG_A] | COLUMNS[FG_C]


def test_what_is_shown_of_a_host_are_metrics_and_sums_of_windows() -> None:
    assert set(DETAIL_METRICS) <= {metric.name for metric in METRICS}
    assert {column.name for column in BUSIEST} <= COLUMNS[FG_A]
