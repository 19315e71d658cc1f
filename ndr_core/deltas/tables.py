"""The delta table and the pair table: what their rows are, and their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ndr_core.deltas.timing import TIMING_COLUMNS
from ndr_core.expressions.expr import col
from ndr_core.measures.kinds import Measure, count, sum_of
from ndr_core.tables import units
from ndr_core.tables.columns import ColumnType, Merge, OutputColumn, key_column
from ndr_core.tables.origin import KEY, Origin
from ndr_core.tables.slices import SLICE_COLUMNS, SLICE_LEVELS
from ndr_core.tables.table import Table
from ndr_core.times import iso_text

LEVELS: Final = (*SLICE_LEVELS, "role")
"""Folders of both tables, outermost first."""

_HOST = key_column("host_ip", ColumnType.STRING, "the host")
_SLICE = (
    key_column("slice_start_ts", ColumnType.TIMESTAMP, "start of the slice, inclusive"),
    OutputColumn(
        "slice_end_ts",
        ColumnType.TIMESTAMP,
        Merge.MAX,
        "end of the slice, exclusive",
        Origin(units.TIME, "slice_start_ts and the length of a slice", ("slice_start_ts",)),
    ),
    OutputColumn(
        "mini_batch_id",
        ColumnType.STRING,
        Merge.MAX,
        "the mini-batch that the row was built from; of several the last by name",
        Origin(units.TEXT, "the parameter of the run; of several the last by name"),
    ),
)
_LEVEL_COLUMNS = (
    *SLICE_COLUMNS,
    key_column("role", ColumnType.STRING, "the side from which the host is seen"),
)

PORT_COLUMN: Final = key_column(
    "peer_port",
    ColumnType.INT64,
    "the service port, null where unknown",
    Origin(units.PORT, KEY, null="where the port is not known"),
)

_DELTA_KEYS: Final = ("slice_start_ts", "role", "host_ip")

PAIR_SUMS: Final = (
    count("sessions_cnt", "sessions of the pair"),
    sum_of("bytes_sent_sum", col("bytes_sent"), "bytes the host sent to the peer"),
    sum_of("bytes_recv_sum", col("bytes_recv"), "bytes the host received from the peer"),
)

CELL_SUMS: Final = ("sessions_cnt", "bytes_sent_sum")
"""Those that add up to the sessions and bytes of a distinct peer or port."""


def pair_table(*, timing: bool) -> Table:
    """Give the pair table, with the columns of `timing` or without them."""
    return Table(
        name="pair",
        keys=(*_DELTA_KEYS, "peer_ip", "peer_port"),
        columns=(
            _HOST,
            key_column("peer_ip", ColumnType.STRING, "the peer"),
            PORT_COLUMN,
            *_SLICE,
            *(measure.columns()[0] for measure in PAIR_SUMS),
            OutputColumn(
                "event_ts",
                ColumnType.TIMESTAMP,
                Merge.MAX,
                "latest end of a session, in whole seconds, rounded down",
                Origin(
                    units.TIME, "largest end of a session, whole seconds", ("record.event_end",)
                ),
            ),
            *(TIMING_COLUMNS if timing else ()),
            *_LEVEL_COLUMNS,
        ),
        levels=LEVELS,
    )


PAIR: Final = pair_table(timing=True)
"""The pair table with all of its columns, which readers and merging know."""

DELTA: Final = "delta"
"""Name of the delta table, whose columns are those of the chosen measures."""


def delta_table(measures: Sequence[Measure]) -> Table:
    """Give the delta table of some measures."""
    measured = (column for measure in measures for column in measure.columns())
    return Table(DELTA, _DELTA_KEYS, (_HOST, *_SLICE, *measured, *_LEVEL_COLUMNS), LEVELS)


def row_place(row: Mapping[str, Any]) -> str:
    """Name a row of either table in messages."""
    start = row["slice_start_ts"]
    return overflow_place(start, row["role"], row["host_ip"])


def overflow_place(slice_start_us: int, role: str, host_ip: str) -> str:
    """Name a delta row in the message of an overflow."""
    return f"host {host_ip} ({role}, slice from {iso_text(slice_start_us)})"
