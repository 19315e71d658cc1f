"""The tables of windows: `fg_a`, one row for each host, role and window, and `beacon`, one for each regular pair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import evolve

from ndr_core.deltas.tables import PORT_COLUMN
from ndr_core.errors import printable
from ndr_core.measures.kinds import Additive, Distribution, Measure, PairDerived, Untold
from ndr_core.tables.columns import ColumnType, OutputColumn, key_column, text_key, value_column
from ndr_core.tables.origin import Origin
from ndr_core.tables.slices import SLICE_LEVELS
from ndr_core.tables.table import Table
from ndr_core.tables.units import COUNT, DAYS, FLAG, HOUR, TEXT, TIME
from ndr_core.times import iso_text
from ndr_core.windows.aggregates import (
    BEACON_AGGREGATES,
    DETECTION_AGGREGATES,
    HISTORY_AGGREGATES,
    PAIR_AGGREGATES,
    SEGMENT_AGGREGATES,
    Aggregate,
)
from ndr_core.windows.beacon import BEACON_FORMULAS
from ndr_core.windows.formulas import (
    BRUTE_SCORE,
    LATERAL_SCORE,
    NEW_ADMIN_PEERS,
    NOVELTY,
    RARITY,
    RATIOS,
    SCAN_SCORE,
    TRW_BITS,
    Formula,
)

LEVELS: Final = (*SLICE_LEVELS, "role")
"""Folders of both tables, outermost first: those of the end of the windows, and the role."""

FG_A: Final = "fg_a"
"""Name of the table of windows."""


def _texts(*columns: tuple[str, str]) -> tuple[OutputColumn, ...]:
    return tuple(text_key(name, meaning) for name, meaning in columns)


def _made(made: Iterable[Aggregate | Formula]) -> tuple[OutputColumn, ...]:
    """The columns of aggregates and formulas; a name with a colon is that of no column."""
    return tuple(
        value_column(one.name, one.type, one.meaning, one.origin)
        for one in made
        if ":" not in one.name
    )


def _named(made: Sequence[Aggregate | Formula], *names: str) -> tuple[OutputColumn, ...]:
    """Those of some names, in the order of these."""
    columns = {column.name: column for column in _made(made)}
    return tuple(columns[name] for name in names)


_HOST: Final = text_key("host_ip", "the host")
_PEER: Final = text_key("peer_ip", "the peer")
_END: Final = key_column(
    "window_end_ts", ColumnType.TIMESTAMP, "end of the window, exclusive: the anchor of its run"
)
_PUBLISHED: Final = value_column(
    "published_at",
    ColumnType.TIMESTAMP,
    "when the run was made; two runs of equal rows differ here",
    Origin(TIME, "the clock of the run"),
)
_LEVEL_COLUMNS: Final = _texts(
    ("feature_spec_version", "version of the features"),
    ("dt", "UTC date of window_end_ts, YYYY-MM-DD"),
    ("hh", "UTC hour of window_end_ts, 00..23"),
    ("mm", "UTC minute of window_end_ts, 00..59"),
    ("role", "the side from which the host is seen"),
)
_WINDOW: Final = (
    text_key("window_label", "the length of the window, such as w_15m"),
    value_column(
        "window_start_ts",
        ColumnType.TIMESTAMP,
        "start of the window, inclusive",
        Origin(
            TIME,
            "window_end_ts less the length that window_label says",
            ("window_end_ts", "window_label"),
        ),
    ),
    _END,
    value_column(
        "coverage_slices",
        ColumnType.INT64,
        "published slices of the window",
        Origin(COUNT, "count of the slices that manifests cover", ("delta.slice_start_ts",)),
    ),
    value_column(
        "is_partial",
        ColumnType.INT64,
        "1 where slices of the window, or days of its history, are missing, else 0",
        Origin(
            FLAG,
            "0 if coverage_slices is that of a whole window and the history is known, else 1",
            ("coverage_slices", "pair_history.day_ts"),
        ),
    ),
)


def _of_time(name: str, column_type: ColumnType, meaning: str, unit: str, how: str) -> OutputColumn:
    origin = Origin(unit, f"{how} of window_end_ts - 1 us in calendar.zone", ("window_end_ts",))
    return value_column(name, column_type, meaning, origin)


TIME_COLUMNS: Final = (
    _of_time(
        "hour_of_day",
        ColumnType.INT64,
        "local hour of the window's last microsecond, 0..23",
        HOUR,
        "local hour",
    ),
    _of_time(
        "day_of_week",
        ColumnType.INT64,
        "its local day: Monday is 1, Sunday 7",
        DAYS,
        "local weekday",
    ),
    value_column(
        "time_band",
        ColumnType.STRING,
        "its part of the week: wd_work, wd_off, wd_night or we; of a whole day: all",
        Origin(
            TEXT,
            "all of a whole day; else we if is_weekend or is_holiday; else by hour_of_day and the hours of calendar",
            ("hour_of_day", "is_weekend", "is_holiday", "window_label"),
        ),
    ),
    _of_time(
        "is_weekend",
        ColumnType.INT64,
        "1 where its local day is one of the weekend, else 0",
        FLAG,
        "1 if calendar.weekend_days has the local weekday, else 0,",
    ),
    _of_time(
        "is_holiday",
        ColumnType.INT64,
        "1 where its local day is a holiday, else 0",
        FLAG,
        "1 if calendar.holidays has the local date, else 0,",
    ),
)


def delta_columns(measures: Sequence[Measure]) -> tuple[OutputColumn, ...]:
    """Give the columns that rows of windows have of merged deltas, in order: no histograms.

    Sums, then what is read out of distributions, then what comes from the pairs.
    """
    sums = [one for one in measures if isinstance(one, Additive | Untold)]
    read_out = [one for one in measures if isinstance(one, Distribution)]
    of_pairs = [one for one in measures if isinstance(one, PairDerived)]
    columns = (
        *(column for one in sums for column in map(_summed, one.columns())),
        *(column for one in read_out for column in map(_read_off, one.columns()[1:])),
        *(column for one in of_pairs for column in one.columns()),
    )
    return tuple(
        value_column(column.name, column.type, column.meaning, column.origin) for column in columns
    )


def _summed(column: OutputColumn) -> OutputColumn:
    """A sum over the slices of a window; one that a slice does not know is null."""
    null = "where it is null in a slice" if column.origin.null else ""
    how = "sum over the slices of the window"
    return evolve(column, origin=Origin(column.origin.unit, how, (f"delta.{column.name}",), null))


def _read_off(column: OutputColumn) -> OutputColumn:
    """A value read off a histogram, that of the slices of a window added up."""
    inputs = tuple(f"delta.{name}" for name in column.origin.inputs)
    return evolve(column, origin=evolve(column.origin, inputs=inputs))


def fg_a_table(measures: Sequence[Measure]) -> Table:
    """Give the table of windows over deltas of some measures."""
    return Table(
        FG_A,
        ("window_end_ts", "role", "host_ip", "window_label"),
        (
            _HOST,
            *_WINDOW,
            *delta_columns(measures),
            *_made(SEGMENT_AGGREGATES),
            *_made(RATIOS),
            *_made(NOVELTY),
            *_made(HISTORY_AGGREGATES),
            *_made(RARITY),
            *_named(DETECTION_AGGREGATES, "hscan_max_peers", "vscan_max_ports", "scan_targets_cnt"),
            *_made([TRW_BITS, SCAN_SCORE]),
            *_named(DETECTION_AGGREGATES, "brute_max_sessions", "brute_even_pm"),
            *_made([BRUTE_SCORE]),
            *_named(DETECTION_AGGREGATES, "admin_peer_nunique"),
            *_made([NEW_ADMIN_PEERS, LATERAL_SCORE]),
            *_named(DETECTION_AGGREGATES, "long_pair_seconds_max"),
            *_made(BEACON_AGGREGATES),
            *TIME_COLUMNS,
            _PUBLISHED,
            *_LEVEL_COLUMNS,
        ),
        LEVELS,
    )


BEACON: Final = Table(
    "beacon",
    ("window_end_ts", "role", "host_ip", "peer_ip", "peer_port"),
    (
        _HOST,
        _PEER,
        PORT_COLUMN,
        _END,
        *_named(PAIR_AGGREGATES, "sessions_cnt", "gaps_cnt", "period_s"),
        *_named(BEACON_FORMULAS, "reg_pm", "mode_pm", "size_pm", "span_pm", "beacon_score"),
        *_named(BEACON_FORMULAS, "unanswered_pm"),
        *_named(PAIR_AGGREGATES, "bytes_sent_median"),
        *_named(BEACON_FORMULAS, "first_seen_ts", "last_seen_ts"),
        *_named(PAIR_AGGREGATES, "is_external"),
        *_named(BEACON_FORMULAS, "prevalence"),
        *_named(PAIR_AGGREGATES, "prevalence_hosts", "age_days", "history_days"),
        *_named(BEACON_FORMULAS, "beacon_threat"),
        _PUBLISHED,
        *_LEVEL_COLUMNS,
    ),
    LEVELS,
)
"""Of windows of a whole day: outbound pairs with enough distinct starts."""


def window_place(row: Mapping[str, Any]) -> str:
    """Name a row of a window in messages. `row`: its host_ip, role, window_label and window_end_ts (us)."""
    return overflow_place(row["host_ip"], row["role"], row["window_label"], row["window_end_ts"])


def overflow_place(host_ip: str, role: str, label: str, window_end: int) -> str:
    """Name a row of `fg_a` in the message of an overflow. `window_end`: us."""
    return (
        f"host {printable(host_ip)} ({role}, window {label} of table {FG_A} "
        f"that ends at {iso_text(window_end)})"
    )
