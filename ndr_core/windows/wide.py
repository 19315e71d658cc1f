"""Windows as one row for each host and end, by the names of the original pipeline: which columns that makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from attrs import evolve

from ndr_core.deltas.roles import INBOUND, OUTBOUND
from ndr_core.tables.columns import OutputColumn
from ndr_core.tables.table import Table

WIDE_FG_A: Final = "wide_fg_a"

WIDE_KEYS: Final = ("feature_spec_version", "host_ip", "window_end_ts")
"""What makes a row."""
OF_ANCHOR: Final = ("hour_of_day", "day_of_week", "is_weekend", "is_holiday")
"""Columns of windows that are equal in all windows with one end."""
OF_LABEL: Final = ("window_start_ts", "coverage_slices", "is_partial", "time_band")
"""Columns that are equal in all windows of one label with one end."""
PREFIXES: Final[Mapping[str, str]] = {OUTBOUND.name: "", INBOUND.name: "in_"}
"""Role -> what stands before the names of its columns."""

_NO_VALUES: Final = frozenset(
    {*WIDE_KEYS, *OF_ANCHOR, *OF_LABEL, "window_label", "published_at", "dt", "hh", "mm", "role"}
)

_ORIGINAL_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    role: {
        "drop_cnt": "deny_cnt",
        "high_risk_sessions_cnt": "high_risk_port_sessions_cnt",
        "bytes_sent_sum": f"bytes_{host}_sum",
        "bytes_recv_sum": f"bytes_{peer}_sum",
    }
    # The host is the source of outbound sessions, and the destination of inbound ones.
    for role, host, peer in ((OUTBOUND.name, "src", "dst"), (INBOUND.name, "dst", "src"))
}


def has_values(column: str) -> bool:
    """Whether a column of windows becomes one of each role and label."""
    return column not in _NO_VALUES


def wide_name(role: str, column: str, label: str) -> str:
    """Name a column of a role and a label, as `in_deny_cnt_w_15m`."""
    return f"{PREFIXES[role]}{_ORIGINAL_NAMES[role].get(column, column)}_{label}"


def label_fact_name(column: str, label: str) -> str:
    """Name a column that is equal in all windows of a label."""
    return f"{column}_{label}"


def wide_columns(table: Table, labels: Sequence[str]) -> tuple[OutputColumn, ...]:
    """Give the columns that the table of windows has as one row for each host and end, in order."""
    columns = {column.name: column for column in table.columns}

    def made() -> Iterator[OutputColumn]:
        yield from (columns[name] for name in (*WIDE_KEYS, *OF_ANCHOR))
        for label in labels:
            for name in OF_LABEL:
                yield evolve(columns[name], name=label_fact_name(name, label))
            for role in PREFIXES:
                for name in filter(has_values, columns):
                    yield evolve(columns[name], name=wide_name(role, name, label))

    return tuple(made())
