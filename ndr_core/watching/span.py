"""The span of a mini-batch that nothing tells: from the end of the last one to the slice of its greatest moment."""

from __future__ import annotations

from ndr_core.tables.slices import SliceBounds


def span_after(
    front: int | None, greatest: int | None, written: int, grid: int
) -> SliceBounds | None:
    """Give the bounds of a mini-batch; None where there are none: of the first one, and of one without records.

    `front`: the end of the span of the last mini-batch; `greatest`: the greatest moment of its records; `written`: when
    its last file was written: no log tells of what comes later, so that a record with a wrong clock does not move the
    span, and is early. A time before `front` is none: not all file systems keep it. `grid`: the length of slices. All
    in us.

    A mini-batch that has nothing newer than the last one is for the last slice before `front`: all of it is late.
    """
    if front is None or greatest is None:
        return None
    first = front // grid * grid
    last = min(greatest, written) if written >= first else greatest
    end = last // grid * grid + grid
    return SliceBounds(first, end) if first < end else SliceBounds(max(first - grid, 0), first)
