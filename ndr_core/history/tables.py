"""The tables of the pair history: which pair, peer, port and segment a host met on which of the last 30 days."""

from __future__ import annotations

from typing import Final

from ndr_core.history.masks import DAYS
from ndr_core.tables.columns import ColumnType, Merge, OutputColumn, key_column
from ndr_core.tables.slices import DAY_COLUMNS, DAY_LEVELS
from ndr_core.tables.table import Table

LEVELS: Final = (*DAY_LEVELS, "role")
"""Folders of all tables of the history, outermost first."""

PREVALENCE_DAYS: Final = 7
"""The days of which prevalence tells, the day itself among them."""


def _never(name: str, column_type: ColumnType, meaning: str) -> OutputColumn:
    return OutputColumn(name, column_type, Merge.NEVER, meaning)


_HOST = key_column("host_ip", ColumnType.STRING, "the host")
_PEER = key_column("peer_ip", ColumnType.STRING, "the peer")
_PORT = key_column("peer_port", ColumnType.INT64, "the service port, null where unknown")
_DAY = key_column("day_ts", ColumnType.TIMESTAMP, "start of the UTC day")
_MASK = _never(
    "days_mask",
    ColumnType.INT64,
    f"bit i is 1 where it was active i days before the day; {DAYS} bits, the day itself is bit 0",
)
_LAST_SEEN = _never(
    "last_seen_ts",
    ColumnType.TIMESTAMP,
    "latest end of a session of the last active day, of several pairs the latest",
)
_END = (
    _never("published_at", ColumnType.TIMESTAMP, "when the run published the row"),
    *DAY_COLUMNS,
    key_column("role", ColumnType.STRING, "the side from which the host is seen"),
)

PAIR_KEY: Final = ("host_ip", "role", "peer_ip", "peer_port")
"""What makes a pair."""

PAIR_HISTORY: Final = Table(
    name="pair_history",
    keys=("day_ts", *PAIR_KEY),
    columns=(
        _HOST,
        _PEER,
        _PORT,
        _DAY,
        _MASK,
        _LAST_SEEN,
        _never(
            "age_days",
            ColumnType.INT64,
            "days from the first active day of the mask to the day",
        ),
        _never("sessions_30d", ColumnType.INT64, f"sessions of the {DAYS} days"),
        _never("bytes_sent_30d", ColumnType.INT64, f"bytes the host sent in the {DAYS} days"),
        *_END,
    ),
    levels=LEVELS,
)

PAIR_TILE: Final = Table(
    name="pair_tile",
    keys=("day_ts", *PAIR_KEY),
    columns=(
        _HOST,
        _PEER,
        _PORT,
        _DAY,
        _never("sessions_cnt", ColumnType.INT64, "sessions of the pair on the day"),
        _never("bytes_sent_sum", ColumnType.INT64, "bytes the host sent to the peer on the day"),
        _never("last_seen_ts", ColumnType.TIMESTAMP, "latest end of a session of the day's slices"),
        *_END,
    ),
    levels=LEVELS,
)
"""The pairs of one day, all slices merged: what history is made from where the day before has none to go on from."""


def _view(name: str, *keys: OutputColumn) -> Table:
    names = tuple(column.name for column in keys)
    return Table(
        name,
        ("day_ts", "host_ip", "role", *names),
        (_HOST, *keys, _DAY, _MASK, _LAST_SEEN, *_END),
        LEVELS,
    )


HOST_PEER_HISTORY: Final = _view("host_peer_history", _PEER)
"""The history by host and peer: a day is active where one of their pairs is."""

HOST_PORT_HISTORY: Final = _view(
    "host_port_history", key_column("peer_port", ColumnType.INT64, "the service port")
)
"""The history by host and service port; pairs of no known port are left out."""

HOST_SEGMENT_HISTORY: Final = _view(
    "host_segment_history", key_column("segment", ColumnType.STRING, "the network of the peer")
)
"""The history by host and network of the peer."""

VIEWS: Final = (HOST_PEER_HISTORY, HOST_PORT_HISTORY, HOST_SEGMENT_HISTORY)

PREVALENCE: Final = Table(
    name="prevalence",
    keys=("day_ts", "role", "peer_ip"),
    columns=(
        _PEER,
        _DAY,
        _never(
            "hosts_cnt",
            ColumnType.INT64,
            f"distinct internal hosts that contacted the peer in the {PREVALENCE_DAYS} days that end with the day",
        ),
        _never(
            "hosts_seen_cnt",
            ColumnType.INT64,
            f"distinct internal hosts that contacted any peer in the {PREVALENCE_DAYS} days; the same in all rows "
            "of a day, and 0 where a day has no rows",
        ),
        *_END,
    ),
    levels=LEVELS,
)
"""How many of the internal hosts contact a peer; of the role outbound only."""

HISTORY_TABLES: Final = (PAIR_HISTORY, *VIEWS, PREVALENCE, PAIR_TILE)
"""All tables that a run of a day makes."""
