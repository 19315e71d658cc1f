"""What the rows of windows hold, in every engine, by examples that can be worked out by hand."""

from __future__ import annotations

import pytest

from ndr_core.errors import OverflowingColumnError
from ndr_core.int64 import INT64_MAX
from ndr_core.windows.reference import WindowRows, build_windows
from tests.property.frames import exactly
from tests.window_cases import CASES, DAY, HOUR, QUARTER, WindowCase, delta_tables, session
from tests.window_frames import polars_windows


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_polars_gives_the_rows_that_were_worked_out_by_hand(case: WindowCase) -> None:
    expected = case.build()

    built = polars_windows(case.plan, case.end, {case.label: case.rows})

    assert exactly(built.fg_a) == exactly(expected.fg_a)
    assert exactly(built.beacons) == exactly(expected.beacons)


@pytest.mark.parametrize("large", ["bytes_sent_sum", "duration_us_sum"])
def test_a_sum_that_leaves_int64_is_an_error_that_names_column_host_and_window(large: str) -> None:
    (case, *_) = CASES
    records = [session("10:50:00", source_ip=f"10.0.0.{n}", destination_port=443) for n in (9, 8)]
    records += [session("10:10:00", source_ip=f"10.0.0.{n}", destination_port=443) for n in (9, 8)]
    tables = delta_tables(records)
    deltas = [{**row, large: INT64_MAX} for row in tables.deltas]
    windows = {
        label: WindowRows(deltas, tables.pairs, 1, case.history_source)
        for label in (QUARTER, HOUR, DAY)
    }

    with pytest.raises(OverflowingColumnError) as expected:
        build_windows(case.plan, case.end, windows)
    with pytest.raises(OverflowingColumnError) as found:
        polars_windows(case.plan, case.end, windows)

    assert str(found.value) == str(expected.value)
    assert large in str(found.value)
    assert "host 10.0.0.8 (outbound, window w_1h" in str(found.value)
