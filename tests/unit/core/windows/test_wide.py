"""Windows as one row for each host and end have the names of the original pipeline."""

from __future__ import annotations

import pytest

from ndr_core.deltas.measures import SESSIONS
from ndr_core.tables.columns import ColumnType
from ndr_core.windows.tables import fg_a_table
from ndr_core.windows.wide import (
    OF_ANCHOR,
    OF_LABEL,
    WIDE_KEYS,
    has_values,
    wide_columns,
    wide_name,
)

TABLE = fg_a_table([SESSIONS])


@pytest.mark.parametrize(
    ("role", "column", "name"),
    [
        ("outbound", "sessions_cnt", "sessions_cnt_w_15m"),
        ("inbound", "sessions_cnt", "in_sessions_cnt_w_15m"),
        ("outbound", "drop_cnt", "deny_cnt_w_15m"),
        ("inbound", "high_risk_sessions_cnt", "in_high_risk_port_sessions_cnt_w_15m"),
        ("outbound", "bytes_sent_sum", "bytes_src_sum_w_15m"),
        ("inbound", "bytes_sent_sum", "in_bytes_dst_sum_w_15m"),
        ("inbound", "bytes_recv_sum", "in_bytes_src_sum_w_15m"),
    ],
)
def test_a_column_is_named_by_role_and_label(role: str, column: str, name: str) -> None:
    assert wide_name(role, column, "w_15m") == name


def test_a_row_has_its_key_then_the_facts_and_the_values_of_each_label() -> None:
    values = [column.name for column in TABLE.columns if has_values(column.name)]

    names = [column.name for column in wide_columns(TABLE, ["w_15m", "w_24h"])]

    expected = [*WIDE_KEYS, *OF_ANCHOR]
    for label in ("w_15m", "w_24h"):
        expected += [f"{name}_{label}" for name in OF_LABEL]
        expected += [f"{name}_{label}" for name in values]
        expected += [f"in_{name}_{label}" for name in values]
    assert names == expected
    assert len(set(names)) == len(names)


def test_what_is_the_same_in_all_windows_is_no_value() -> None:
    left = {column.name for column in TABLE.columns if not has_values(column.name)}

    assert left == {*WIDE_KEYS, *OF_ANCHOR, *OF_LABEL, "window_label", "published_at"} | {
        *("dt", "hh", "mm", "role")
    }


def test_a_column_keeps_its_type() -> None:
    types = {column.name: column.type for column in wide_columns(TABLE, ["w_1h"])}

    assert types["window_start_ts_w_1h"] is ColumnType.TIMESTAMP
    assert types["scan_score_w_1h"] is ColumnType.FLOAT64
