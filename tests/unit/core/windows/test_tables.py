"""The tables of windows."""

from __future__ import annotations

from ndr_core.tables.columns import Merge
from ndr_core.windows.tables import BEACON, fg_a_table, overflow_place, window_place
from tests.makers import us
from tests.window_cases import DELTA_PLAN


def test_rows_of_both_tables_are_replaced_and_never_merged() -> None:
    for table in (fg_a_table(DELTA_PLAN.measures), BEACON):
        merges = {column.merge for column in table.columns}

        assert merges == {Merge.KEY, Merge.NEVER}


def test_both_tables_lie_below_the_end_of_their_windows_and_the_role() -> None:
    levels = ("feature_spec_version", "dt", "hh", "mm", "role")

    assert fg_a_table(()).levels == BEACON.levels == levels


def test_no_column_is_a_histogram_nor_a_value_that_only_formulas_read() -> None:
    columns = fg_a_table(DELTA_PLAN.measures).columns

    assert not [one.name for one in columns if ":" in one.name or one.name.endswith("_hist")]


def test_a_row_is_named_by_host_role_window_and_end() -> None:
    end = us("2025-03-12T11:00:00Z")
    row = {
        "host_ip": "10.0.0.1",
        "role": "outbound",
        "window_label": "w_1h",
        "window_end_ts": end,
    }

    assert window_place(row) == overflow_place("10.0.0.1", "outbound", "w_1h", end)
    assert window_place(row) == (
        "host 10.0.0.1 (outbound, window w_1h of table fg_a that ends at 2025-03-12T11:00:00Z)"
    )
