"""The tables of baselines: the daily summaries of windows, and what is usual by them."""

from __future__ import annotations

from typing import Final

from ndr_core.tables.columns import ColumnType, Merge, OutputColumn, key_column
from ndr_core.tables.slices import DAY_LEVELS
from ndr_core.tables.table import Table

LEVELS: Final = (*DAY_LEVELS, "role", "time_band")
"""Folders of all tables of baselines, outermost first."""


def _never(name: str, column_type: ColumnType, meaning: str) -> OutputColumn:
    return OutputColumn(name, column_type, Merge.NEVER, meaning)


def _int(name: str, meaning: str) -> OutputColumn:
    return _never(name, ColumnType.INT64, meaning)


def _text(name: str, meaning: str) -> OutputColumn:
    return key_column(name, ColumnType.STRING, meaning)


def _end(date: str) -> tuple[OutputColumn, ...]:
    return (
        _never("published_at", ColumnType.TIMESTAMP, "when the run published the row"),
        _text("feature_spec_version", "version of the features"),
        _text("dt", f"{date}, YYYY-MM-DD"),
        _text("role", "the side from which the host is seen"),
        _text("time_band", "part of the week: wd_work, wd_off, wd_night or we; of whole days: all"),
    )


_HOST: Final = _text("host_ip", "the host")
_LABEL: Final = _text("window_label", "the length of the windows, such as w_15m")
_METRIC: Final = _text("metric", "the number of the windows that is counted")
_OF_DAY: Final = _end("local date of the windows")
_OF_BASELINE: Final = _end("local date on which windows begin that are compared with it")

SUMMARY_ROWS: Final = Table(
    name="summary_rows",
    keys=("dt", "role", "time_band", "host_ip", "window_label"),
    columns=(
        _HOST,
        _LABEL,
        _int("rows_included", "windows of the host that are counted as usual"),
        _int("rows_excluded", "windows of the host that stand out, or lie in excluded periods"),
        *_OF_DAY,
    ),
    levels=LEVELS,
)
"""How many windows of a host a day was summed up of: those of which all slices were published."""

SUMMARY: Final = Table(
    name="summary",
    keys=("dt", "role", "time_band", "host_ip", "window_label", "metric"),
    columns=(
        _HOST,
        _LABEL,
        _METRIC,
        _never(
            "included",
            ColumnType.HISTOGRAM,
            "the usual windows by the log-linear bucket of the metric; of counts and sums without bucket 0, which is "
            "rows_included less the rest, and with unknown values as bucket -1",
        ),
        _never("excluded", ColumnType.HISTOGRAM, "the others likewise, of rows_excluded"),
        *_OF_DAY,
    ),
    levels=LEVELS,
)
"""The windows of a host and a local date, counted by each metric. Without a row of a count or sum all are 0."""

HOST: Final = "host"
SEGMENT: Final = "segment"
NETWORK: Final = "network"
SCOPES: Final = (HOST, SEGMENT, NETWORK)
"""Whose baseline a row is, the narrowest first."""

_SCOPE: Final = (
    _text("scope", "whose baseline it is: host, segment or network"),
    _text("name", "the host's address, the segment's name, or network"),
)
_HORIZON: Final = _text("horizon", "how far it goes back: 7d or 30d")

BASELINE_ROWS: Final = Table(
    name="baseline_rows",
    keys=("dt", "role", "time_band", "scope", "name", "window_label", "horizon"),
    columns=(
        *_SCOPE,
        _LABEL,
        _HORIZON,
        _int("rows_included", "usual windows of the horizon, as in summary_rows"),
        _int("rows_excluded", "the others, likewise"),
        _int(
            "windows_cnt",
            "windows of which all slices were published, since the host was first seen, with rows or without; of "
            "several hosts, added up",
        ),
        _int(
            "samples_cnt",
            "samples of a count or sum of which all values are known: windows_cnt less what is not used",
        ),
        _int("hosts_cnt", "hosts whose windows are in it"),
        _int(
            "support_days",
            "local dates with such windows since the host was first seen, of several hosts the first one",
        ),
        _int(
            "is_cold",
            "1 where it tells too little: support_days below half of the dates that the horizon has of the band, or a "
            "host whose name does not last, else 0",
        ),
        _int(
            "baseline_shift_flag",
            "1 where more than a fifth of the host's windows stood out, so that all are used, else 0; of several "
            "hosts 1 where it is 1 of one",
        ),
        _int(
            "dates_mask",
            "local dates with a window of the host in this role, in any band: bit i is i days before the last one; "
            "of several hosts on which any has one",
        ),
        _never("baseline_start_ts", ColumnType.TIMESTAMP, "start of the first local date"),
        _never("baseline_end_ts", ColumnType.TIMESTAMP, "end of the last local date, exclusive"),
        *_OF_BASELINE,
    ),
    levels=LEVELS,
)
"""What a baseline is made of."""

BASELINE: Final = Table(
    name="baseline",
    keys=("dt", "role", "time_band", "scope", "name", "window_label", "metric", "horizon"),
    columns=(
        *_SCOPE,
        _LABEL,
        _METRIC,
        _HORIZON,
        _int("n", "samples"),
        _int("median", "middle of the bucket of rank (n + 1) // 2, in the unit of the metric"),
        _int("p25", "25th percentile, of nearest rank, likewise"),
        _int("p75", "75th percentile"),
        _int("p95", "95th percentile"),
        _int("p99", "99th percentile"),
        _int("mad", "median distance of a sample from the median"),
        _int("iqr", "p75 - p25"),
        _never(
            "included",
            ColumnType.HISTOGRAM,
            "the usual windows of the horizon, as in summary; of segment and network what their hosts use",
        ),
        _never(
            "excluded",
            ColumnType.HISTOGRAM,
            "the others; with baseline_shift_flag 1 they are used, too",
        ),
        *_OF_BASELINE,
    ),
    levels=LEVELS,
)
"""What is usual of a metric. Without a row of a count or sum, samples_cnt windows are all 0."""

SUMMARY_TABLES: Final = (SUMMARY, SUMMARY_ROWS)
BASELINE_TABLES: Final = (BASELINE, BASELINE_ROWS)
