"""The tables of the pair history: which pair, peer, port and segment a host met on which of the last 30 days."""

from __future__ import annotations

from typing import Final

from ndr_core.deltas.tables import PORT_COLUMN
from ndr_core.history.masks import DAYS
from ndr_core.tables import units
from ndr_core.tables.columns import ColumnType, OutputColumn, key_column, text_key, value_column
from ndr_core.tables.origin import KEY, Origin
from ndr_core.tables.slices import DAY_COLUMNS, DAY_LEVELS
from ndr_core.tables.table import Table

LEVELS: Final = (*DAY_LEVELS, "role")
"""Folders of all tables of the history, outermost first."""

PREVALENCE_DAYS: Final = 7
"""The days of which prevalence tells, the day itself among them."""


def _pair_of(how: str, unit: str, *names: str) -> Origin:
    """What is made of the pairs of a day's slices."""
    return Origin(unit, how, tuple(f"pair.{name}" for name in names))


_HOST = text_key("host_ip", "the host")
_PEER = text_key("peer_ip", "the peer")
_DAY = key_column("day_ts", ColumnType.TIMESTAMP, "start of the UTC day")
_MASK = value_column(
    "days_mask",
    ColumnType.INT64,
    f"bit i is 1 where it was active i days before the day; {DAYS} bits, the day itself is bit 0",
    Origin(
        units.DAY_BITS,
        f"2 * days_mask of the day before, cut to {DAYS} bits, + 1 if a slice of the day has a row; of several pairs "
        "any of them",
        ("pair_history.days_mask", "pair.slice_start_ts"),
    ),
)
_LAST_SEEN = value_column(
    "last_seen_ts",
    ColumnType.TIMESTAMP,
    "latest end of a session of the last active day, of several pairs the latest",
    Origin(
        units.TIME,
        "largest event_ts of the day; without a row on it that of the day before",
        ("pair.event_ts", "pair_history.last_seen_ts"),
    ),
)
_END = (
    value_column(
        "published_at",
        ColumnType.TIMESTAMP,
        "when the run published the row",
        Origin(units.TIME, "the clock of the run"),
    ),
    *DAY_COLUMNS,
    text_key("role", "the side from which the host is seen"),
)


def _sum_of_days(name: str, meaning: str, unit: str, summed: str) -> OutputColumn:
    how = f"{name} of the day before + {summed} of the day - {summed} of {DAYS} days before"
    origin = Origin(unit, how, (f"pair_history.{name}", f"pair_tile.{summed}"))
    return value_column(name, ColumnType.INT64, meaning, origin)


PAIR_KEY: Final = ("host_ip", "role", "peer_ip", "peer_port")
"""What makes a pair."""

PAIR_HISTORY: Final = Table(
    name="pair_history",
    keys=("day_ts", *PAIR_KEY),
    columns=(
        _HOST,
        _PEER,
        PORT_COLUMN,
        _DAY,
        _MASK,
        _LAST_SEEN,
        value_column(
            "age_days",
            ColumnType.INT64,
            "days from the first active day of the mask to the day",
            Origin(units.DAYS, "index of the highest bit of days_mask", ("days_mask",)),
        ),
        _sum_of_days("sessions_30d", f"sessions of the {DAYS} days", units.COUNT, "sessions_cnt"),
        _sum_of_days(
            "bytes_sent_30d",
            f"bytes the host sent in the {DAYS} days",
            units.BYTES,
            "bytes_sent_sum",
        ),
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
        PORT_COLUMN,
        _DAY,
        value_column(
            "sessions_cnt",
            ColumnType.INT64,
            "sessions of the pair on the day",
            _pair_of("sum over the slices of the day", units.COUNT, "sessions_cnt"),
        ),
        value_column(
            "bytes_sent_sum",
            ColumnType.INT64,
            "bytes the host sent to the peer on the day",
            _pair_of("sum over the slices of the day", units.BYTES, "bytes_sent_sum"),
        ),
        value_column(
            "last_seen_ts",
            ColumnType.TIMESTAMP,
            "latest end of a session of the day's slices",
            _pair_of("largest event_ts of the slices of the day", units.TIME, "event_ts"),
        ),
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
    "host_port_history",
    key_column("peer_port", ColumnType.INT64, "the service port", Origin(units.PORT, KEY)),
)
"""The history by host and service port; pairs of no known port are left out."""

HOST_SEGMENT_HISTORY: Final = _view(
    "host_segment_history",
    key_column(
        "segment",
        ColumnType.STRING,
        "the network of the peer",
        Origin(units.TEXT, "segment_of(peer_ip)", ("pair_history.peer_ip",)),
    ),
)
"""The history by host and network of the peer."""

VIEWS: Final = (HOST_PEER_HISTORY, HOST_PORT_HISTORY, HOST_SEGMENT_HISTORY)

PREVALENCE: Final = Table(
    name="prevalence",
    keys=("day_ts", "role", "peer_ip"),
    columns=(
        _PEER,
        _DAY,
        value_column(
            "hosts_cnt",
            ColumnType.INT64,
            f"distinct internal hosts that contacted the peer in the {PREVALENCE_DAYS} days that end with the day",
            Origin(
                units.COUNT,
                f"count of distinct internal host_ip with one of {PREVALENCE_DAYS} bits set, of outbound pairs of the "
                "peer",
                ("pair_history.host_ip", "pair_history.peer_ip", "pair_history.days_mask"),
            ),
        ),
        value_column(
            "hosts_seen_cnt",
            ColumnType.INT64,
            f"distinct internal hosts that contacted any peer in the {PREVALENCE_DAYS} days; the same in all rows "
            "of a day, and 0 where a day has no rows",
            Origin(
                units.COUNT,
                f"count of distinct internal host_ip with one of {PREVALENCE_DAYS} bits set, of outbound pairs",
                ("pair_history.host_ip", "pair_history.days_mask"),
            ),
        ),
        *_END,
    ),
    levels=LEVELS,
)
"""How many of the internal hosts contact a peer; of the role outbound only."""

HISTORY_TABLES: Final = (PAIR_HISTORY, *VIEWS, PREVALENCE, PAIR_TILE)
"""All tables that a run of a day makes."""
