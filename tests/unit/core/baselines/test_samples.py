"""Which windows are samples."""

from __future__ import annotations

import pytest

from ndr_core.baselines.metrics import Absent
from ndr_core.baselines.samples import SAMPLES, SHIFT, with_zeros
from ndr_core.expressions.evaluate import evaluate


@pytest.mark.parametrize(
    ("included", "excluded", "shift", "samples"),
    [(0, 0, 0, 30), (8, 2, 0, 28), (7, 2, 1, 30), (0, 1, 1, 30), (10, 0, 0, 30)],
)
def test_windows_that_stand_out_are_samples_only_where_they_are_more_than_a_fifth_of_the_rows(
    included: int, excluded: int, shift: int, samples: int
) -> None:
    row = {"rows_included": included, "rows_excluded": excluded, "windows_cnt": 30}

    assert evaluate(SHIFT, row) == shift
    assert evaluate(SAMPLES, row) == samples


def test_samples_of_a_count_that_are_in_no_cell_are_zeros() -> None:
    assert with_zeros(Absent.ZERO, ((3, 2), (7, 1)), 10) == ((0, 7), (3, 2), (7, 1))


def test_unknown_values_of_a_count_are_no_zeros_and_no_samples() -> None:
    assert with_zeros(Absent.ZERO, ((-1, 4), (3, 2)), 10) == ((0, 4), (3, 2))


def test_a_count_of_which_every_sample_is_in_a_cell_has_no_zeros() -> None:
    assert with_zeros(Absent.ZERO, ((-1, 4), (3, 2)), 6) == ((3, 2),)


def test_the_cells_of_a_ratio_are_all_that_is_known() -> None:
    assert with_zeros(Absent.NULL, ((0, 1), (3, 2)), 10) == ((0, 1), (3, 2))
