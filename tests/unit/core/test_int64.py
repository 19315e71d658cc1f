"""The range of int64."""

from __future__ import annotations

import pytest

from ndr_core.int64 import INT64_MAX, INT64_MIN, is_int64


def test_the_range_is_that_of_64_bits() -> None:
    assert (INT64_MIN, INT64_MAX) == (-(2**63), 2**63 - 1)


@pytest.mark.parametrize(
    ("number", "found"),
    [(0, True), (2**63 - 1, True), (2**63, False), (-(2**63), True), (-(2**63) - 1, False)],
)
def test_a_number_lies_in_the_range_up_to_its_ends(number: int, found: bool) -> None:
    assert is_int64(number) is found
