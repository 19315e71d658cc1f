"""What the rows of correlations hold, in every engine, by examples that can be worked out by hand."""

from __future__ import annotations

import pytest

from tests.correlation_cases import CASES, FG_A, CorrelationCase
from tests.correlation_frames import polars_correlations
from tests.property.frames import exactly


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_polars_gives_the_rows_that_were_worked_out_by_hand(case: CorrelationCase) -> None:
    expected = case.build()

    built = polars_correlations(case.plan, case.rows, FG_A.columns)

    assert case.differences(built) == {}
    assert exactly(built) == exactly(expected)
