"""The table of correlations: `fg_c`, one row for each window of `fg_a` and horizon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ndr_core.baselines.metrics import Metric
from ndr_core.correlations.formulas import (
    CARRIED,
    SCOPE_ENDING,
    departure_name,
    departures,
)
from ndr_core.tables.columns import ColumnType, Merge, OutputColumn, key_column
from ndr_core.tables.slices import SLICE_LEVELS
from ndr_core.tables.table import Table

LEVELS: Final = (*SLICE_LEVELS, "role")
"""Folders of the table, outermost first: those of the end of the windows, and the role."""

FG_C: Final = "fg_c"


def _value(name: str, column_type: ColumnType, meaning: str) -> OutputColumn:
    return OutputColumn(name, column_type, Merge.NEVER, meaning)


def _text(name: str, meaning: str) -> OutputColumn:
    return key_column(name, ColumnType.STRING, meaning)


SCORES: Final = (
    _value(
        "anomaly_strength",
        ColumnType.FLOAT64,
        "0 to 1: the largest z / (z + 6) of the key metrics; 0 where no z is above 0, null without any",
    ),
    _value(
        "exfil_score",
        ColumnType.FLOAT64,
        "0 to 1: z / (z + 6) * (1 + s) / 2, z of ext_bytes_sent_sum, s the share of it that went to new peers; 0 "
        "below exfil.min_bytes, then null without a baseline; null without ext_bytes_sent_sum",
    ),
    *(_value(name, column_type, meaning) for name, (column_type, meaning) in CARRIED.items()),
)


def fg_c_table(metrics: Sequence[Metric]) -> Table:
    """Give the table of correlations of some metrics."""
    return Table(
        FG_C,
        ("window_end_ts", "role", "host_ip", "window_label", "horizon"),
        (
            _text("host_ip", "the host"),
            _text("window_label", "the length of the window, such as w_15m"),
            key_column("window_end_ts", ColumnType.TIMESTAMP, "end of the window, exclusive"),
            _text("horizon", "how far the baseline goes back: 7d or 30d"),
            _value(
                "baseline_ts",
                ColumnType.TIMESTAMP,
                "start of the local date whose baseline it is: that on which the window begins",
            ),
            _value("time_band", ColumnType.STRING, "the part of the week, as in fg_a"),
            _value(
                "is_partial",
                ColumnType.INT64,
                "1 where the window is partial, or its baseline is missing, else 0",
            ),
            *SCORES,
            *(column for metric in metrics for column in metric_columns(metric)),
            _value("published_at", ColumnType.TIMESTAMP, "when the run was made"),
            _text("feature_spec_version", "version of the features"),
            _text("dt", "UTC date of window_end_ts, YYYY-MM-DD"),
            _text("hh", "UTC hour of window_end_ts, 00..23"),
            _text("mm", "UTC minute of window_end_ts, 00..59"),
            _text("role", "the side from which the host is seen"),
        ),
        LEVELS,
    )


def metric_columns(metric: Metric) -> tuple[OutputColumn, ...]:
    """Give the columns of a metric."""
    scope = _value(
        departure_name(metric.name, SCOPE_ENDING),
        ColumnType.STRING,
        f"whose baseline of {metric.name} it is: host, segment or network; null where all are cold",
    )
    columns = (
        _value(
            departure_name(metric.name, one.ending),
            one.type,
            f"{metric.name}: {one.meaning}",
        )
        for one in departures(metric)
    )
    return (*columns, scope)
