"""What the rows of windows hold, in every engine, by examples that can be worked out by hand."""

from __future__ import annotations

import pytest

from tests.property.frames import exactly
from tests.window_cases import CASES, WindowCase
from tests.window_frames import polars_windows


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_polars_gives_the_rows_that_were_worked_out_by_hand(case: WindowCase) -> None:
    expected = case.build()

    built = polars_windows(case.plan, case.end, {case.label: case.rows})

    assert exactly(built.fg_a) == exactly(expected.fg_a)
    assert exactly(built.beacons) == exactly(expected.beacons)
