"""Which windows are samples of what is usual, and those among them that no row tells of."""

from __future__ import annotations

from typing import Final

from ndr_core.baselines.metrics import UNKNOWN, Absent
from ndr_core.baselines.plan import SHIFT_RATIO
from ndr_core.expressions.expr import Expr, col, when
from ndr_core.tables.columns import Histogram

_OUT: Final = col("rows_excluded")
_ALL: Final = col("rows_included") + _OUT

SHIFT: Final[Expr] = when(_ALL < _OUT * SHIFT_RATIO, 1, 0)
"""`baseline_shift_flag` of a host, over `rows_included` and `rows_excluded`."""

SAMPLES: Final[Expr] = col("windows_cnt") - when(SHIFT.eq(1), 0, _OUT)
"""`samples_cnt` of a host, over these and `windows_cnt`."""


def with_zeros(absent: Absent, cells: Histogram, samples: int) -> Histogram:
    """Give the whole histogram of a metric, as `read_off` takes it, from its cells and `samples_cnt`.

    Of an `Absent.ZERO` metric bucket 0 gets the samples that are neither in a cell nor unknown. Of another one the
    cells are all that is known.
    """
    known = tuple((bucket, count) for bucket, count in cells if bucket != UNKNOWN)
    if absent is Absent.NULL:
        return known
    zeros = samples - sum(count for _, count in cells)
    return ((0, zeros), *known) if zeros > 0 else known
