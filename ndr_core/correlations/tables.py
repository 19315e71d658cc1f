"""The table of correlations: `fg_c`, one row for each window of `fg_a` and horizon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cache
from typing import Final

from ndr_core.baselines.metrics import Metric
from ndr_core.baselines.tables import SCOPES
from ndr_core.correlations.formulas import (
    ANOMALY_METRICS,
    CARRIED,
    EXFIL_METRIC,
    SCOPE_ENDING,
    Departure,
    anomaly_strength,
    departure_name,
    departures,
    exfil_score,
)
from ndr_core.correlations.ladder import IS_WARM, READ_OFF
from ndr_core.expressions.expr import col, columns_of, substitute
from ndr_core.expressions.spell import spell
from ndr_core.tables import units
from ndr_core.tables.columns import ColumnType, OutputColumn, key_column, text_key, value_column
from ndr_core.tables.origin import Origin
from ndr_core.tables.slices import SLICE_LEVELS
from ndr_core.tables.table import Table

LEVELS: Final = (*SLICE_LEVELS, "role")
"""Folders of the table, outermost first: those of the end of the windows, and the role."""

FG_C: Final = "fg_c"


def _as_in_fg_a(unit: str, name: str) -> Origin:
    return Origin(unit, "as in fg_a", (f"fg_a.{name}",), "where it is null in fg_a")


WITHOUT_BASELINE: Final = "where no baseline is warm"

BASELINE_STEPS: Final[Mapping[str, Origin]] = {
    **{
        name: Origin(
            units.COUNT if name == "n" else units.OF_METRIC,
            f"{name} of the baseline that the column _{SCOPE_ENDING} names; of a count or sum without a row "
            + ("samples_cnt" if name == "n" else "0"),
            (f"baseline.{name}",),
            WITHOUT_BASELINE,
        )
        for name in READ_OFF
    },
    "n_ge": Origin(
        units.COUNT,
        "samples of this baseline in the bucket of x or above",
        ("baseline.included", "baseline.excluded"),
        f"{WITHOUT_BASELINE}; where x is null",
    ),
}
"""What the columns of a metric read of a baseline, beside `x`, the value of the window."""

X: Final = Origin(
    units.OF_METRIC,
    "the metric of the window, in whole steps of its unit",
    ("fg_a: the columns of the metric",),
    "where such a column is null",
)

SCORES: Final = (
    value_column(
        "anomaly_strength",
        ColumnType.FLOAT64,
        "0 to 1: the largest z / (z + 6) of upper_z of the key metrics; 0 where none is above 0, null without any",
        Origin(
            units.SCORE,
            anomaly_strength(ANOMALY_METRICS),
            note="here by the default metrics; anomaly.key_metrics names others",
        ),
    ),
    value_column(
        "exfil_score",
        ColumnType.FLOAT64,
        "0 to 1: z / (z + 6) * (1 + s) / 2, z of ext_bytes_sent_sum, s the share of it that went to new peers; 0 "
        "below exfil.min_bytes, then null without a baseline; null without ext_bytes_sent_sum",
        Origin(
            units.SCORE,
            substitute(
                exfil_score(col("exfil.min_bytes")),
                {name: col(f"fg_a.{name}") for name in (EXFIL_METRIC, "new_ext_bytes_sent")},
            ),
        ),
    ),
    *(
        value_column(
            name,
            column_type,
            meaning,
            _as_in_fg_a(
                units.SCORE if column_type is ColumnType.FLOAT64 else units.PER_MILLE, name
            ),
        )
        for name, (column_type, meaning) in CARRIED.items()
    ),
)


def fg_c_table(metrics: Sequence[Metric]) -> Table:
    """Give the table of correlations of some metrics."""
    return Table(
        FG_C,
        ("window_end_ts", "role", "host_ip", "window_label", "horizon"),
        (
            text_key("host_ip", "the host"),
            text_key("window_label", "the length of the window, such as w_15m"),
            key_column("window_end_ts", ColumnType.TIMESTAMP, "end of the window, exclusive"),
            text_key("horizon", "how far the baseline goes back: 7d or 30d"),
            value_column(
                "baseline_ts",
                ColumnType.TIMESTAMP,
                "start of the local date whose baseline it is: that on which the window begins",
                Origin(
                    units.TIME,
                    "start of the local date of window_start_ts",
                    ("fg_a.window_start_ts",),
                ),
            ),
            value_column(
                "time_band",
                ColumnType.STRING,
                "the part of the week, as in fg_a",
                Origin(units.TEXT, "as in fg_a", ("fg_a.time_band",)),
            ),
            value_column(
                "is_partial",
                ColumnType.INT64,
                "1 where the window is partial, or its baseline is missing, else 0",
                Origin(
                    units.FLAG,
                    "1 if fg_a.is_partial is 1, or if no run of the baselines of baseline_ts is published, else 0",
                    ("fg_a.is_partial", "baseline_rows.dt"),
                ),
            ),
            *SCORES,
            *(column for metric in metrics for column in metric_columns(metric)),
            value_column(
                "published_at",
                ColumnType.TIMESTAMP,
                "when the run was made",
                Origin(units.TIME, "the clock of the run"),
            ),
            text_key("feature_spec_version", "version of the features"),
            text_key("dt", "UTC date of window_end_ts, YYYY-MM-DD"),
            text_key("hh", "UTC hour of window_end_ts, 00..23"),
            text_key("mm", "UTC minute of window_end_ts, 00..59"),
            text_key("role", "the side from which the host is seen"),
        ),
        LEVELS,
    )


@cache
def metric_columns(metric: Metric) -> tuple[OutputColumn, ...]:
    """Give the columns of a metric."""
    scope = value_column(
        departure_name(metric.name, SCOPE_ENDING),
        ColumnType.STRING,
        f"whose baseline of {metric.name} it is: host, segment or network; null where all are cold",
        Origin(
            units.TEXT,
            f"the first of {', '.join(SCOPES)} with {spell(IS_WARM)}",
            ("baseline_rows.is_cold", "baseline_rows.hosts_cnt", "baseline.n"),
            WITHOUT_BASELINE,
        ),
    )
    return (*(_departure_column(metric, one, scope.name) for one in departures(metric)), scope)


def _departure_column(metric: Metric, departure: Departure, scope: str) -> OutputColumn:
    formula = departure.formula
    made_of = tuple(f"fg_a.{name}" for name in sorted(columns_of(metric.value)))
    return value_column(
        departure_name(metric.name, departure.ending),
        departure.type,
        f"{metric.name}: {departure.meaning}",
        Origin(
            departure.measured_in,
            formula,
            (*made_of, *_of_baseline(columns_of(formula))),
            stands_for=dict.fromkeys(READ_OFF, scope),
            note=f"x = {spell(metric.value)}",
        ),
    )


def _of_baseline(read: Set[str]) -> Iterator[str]:
    """The columns of the baseline that a formula reads."""
    for name in ("scan_score", *BASELINE_STEPS):
        if name in read:
            yield from (name,) if name == "scan_score" else BASELINE_STEPS[name].inputs
