"""The span of a mini-batch that nothing tells."""

from __future__ import annotations

import pytest

from ndr_core.tables.slices import SliceBounds
from ndr_core.watching.span import span_after

GRID = 15


@pytest.mark.parametrize(
    ("front", "greatest", "written", "span"),
    [
        (None, 200, 300, None),
        (150, None, 300, None),
        (150, 200, 300, (150, 210)),
        (150, 210, 300, (150, 225)),
        (150, 150, 300, (150, 165)),
        (150, 900, 200, (150, 210)),
        (150, 200, 149, (150, 210)),
        (150, 200, 151, (150, 165)),
        (150, 140, 300, (135, 150)),
        (150, 20, 300, (135, 150)),
        (157, 200, 300, (150, 210)),
        (0, 200, 300, (0, 210)),
    ],
)
def test_a_span_goes_from_the_end_of_the_last_one_to_the_slice_of_the_greatest_moment(
    front: int | None, greatest: int | None, written: int, span: tuple[int, int] | None
) -> None:
    found = span_after(front, greatest, written, GRID)

    assert found == (None if span is None else SliceBounds(*span))
