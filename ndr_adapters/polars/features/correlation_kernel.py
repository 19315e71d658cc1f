"""Windows of one role, compared with the baselines of one date and band: all metrics, and the scores made of them.

What is known of the rows to be made, and of baselines, lies in columns: one is looked up in the other by number, and
no rows are joined.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.features.bits import bits_of, bits_of_buckets
from ndr_adapters.polars.features.compared_rows import ComparedRows
from ndr_adapters.polars.features.usual import Usual
from ndr_adapters.polars.write import DTYPES, schema_of
from ndr_core.baselines.metrics import Absent, Metric
from ndr_core.baselines.tables import SCOPES
from ndr_core.correlations.formulas import (
    CARRIED,
    COUNTED_IN_BITS,
    EXFIL_METRIC,
    NEW_BYTES,
    SCOPE_ENDING,
    anomaly_strength,
    departure_name,
    departures,
    exfil_score,
)
from ndr_core.correlations.plan import BaselineDate, CorrelationPlan
from ndr_core.correlations.tables import metric_columns
from ndr_core.expressions.expr import columns_of

_OF_WINDOW: Final = ("host_ip", "window_label", "time_band", "is_partial", *CARRIED)


def window_columns(plan: CorrelationPlan) -> list[str]:
    """Name what is read of `fg_a`. A run may lack columns that metrics are made of: these are null."""
    of_metrics = (name for metric in plan.metrics for name in sorted(columns_of(metric.value)))
    return list(dict.fromkeys([*_OF_WINDOW, EXFIL_METRIC, NEW_BYTES, *of_metrics]))


def compare(
    plan: CorrelationPlan,
    role: str,
    date: BaselineDate,
    windows: pl.DataFrame,
    baseline: pl.DataFrame,
    baseline_rows: pl.DataFrame,
) -> pl.DataFrame:
    """Compare windows of some hosts with their baselines. Gives rows of `fg_c`, sorted by its keys.

    `windows`: rows of `fg_a` of one role, in `window_columns`, of labels of the plan; `baseline` and `baseline_rows`:
    in `BASELINE_COLUMNS` and `ROWS_COLUMNS`, rows of the date, of this role and of the band of the windows. Rows of
    the hosts, of their segments and of the network must be among them; those of others are left out.
    """
    rows = ComparedRows.of(plan, windows)
    usual = Usual.of(plan.metrics, rows.grid, baseline, baseline_rows)
    found = rows.columns(*_OF_WINDOW)
    for metric in plan.metrics:
        found |= _metric(metric, role, rows, usual)
    scores = {
        "anomaly_strength": anomaly_strength(plan.key_metrics),
        "exfil_score": exfil_score(plan.min_bytes),
    }
    same = {**plan.constants(), "role": role, "baseline_ts": date.start}
    if not date.is_known:
        same["is_partial"] = 1
    made = pl.DataFrame({**rows.columns(EXFIL_METRIC, NEW_BYTES), **found}).with_columns(
        rows.horizons().alias("horizon"),
        *(compile_expr(score).alias(name) for name, score in scores.items()),
        *(pl.lit(value).alias(name) for name, value in same.items()),
    )
    schema = schema_of(plan.table.columns)
    return made.select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def _metric(metric: Metric, role: str, rows: ComparedRows, usual: Usual) -> dict[str, pl.Series]:
    """The columns of a metric."""
    are_of = rows.are_of(metric, role)
    if not are_of.any():
        return {
            name: pl.repeat(None, are_of.len(), dtype=dtype, eager=True)
            for name, dtype in schema_of(metric_columns(metric)).items()
        }
    baselines = usual.of_metric(metric)
    narrowest = _narrowest(rows, baselines.get_column("is_warm"), are_of)
    its_own = baselines.select(pl.all().gather(narrowest.get_column("number")))
    values = _values(metric, rows, usual, its_own)
    found = values.select(
        compile_expr(one.value)
        .cast(DTYPES[one.type])
        .alias(departure_name(metric.name, one.ending))
        for one in departures(metric)
    )
    scope = narrowest.get_column("scope")
    return {**found.to_dict(), departure_name(metric.name, SCOPE_ENDING): scope}


def _narrowest(rows: ComparedRows, is_warm: pl.Series, are_of: pl.Series) -> pl.DataFrame:
    """The `scope` and the `number` of the narrowest baseline of each row that is warm, null where none is.

    `is_warm`: by number; `are_of`: whether a row can have the metric.
    """
    steps = [
        (scope, numbers, pl.when(is_warm.gather(numbers) & are_of))
        for scope, numbers in zip(SCOPES, rows.baselines, strict=True)
    ]
    return pl.select(
        scope=pl.coalesce(where.then(pl.lit(scope)) for scope, _, where in steps),
        number=pl.coalesce(where.then(numbers) for _, numbers, where in steps),
    )


def _values(
    metric: Metric, rows: ComparedRows, usual: Usual, baselines: pl.DataFrame
) -> pl.DataFrame:
    """What the departures of a metric read. `baselines`: of each row, as `Usual.of_metric`, null where all are cold."""
    row, n = baselines.get_column("row"), baselines.get_column("n")
    of_window = rows.values(metric)
    bucket = of_window.get_column("bucket")
    found = usual.read_off.select(pl.exclude("n").gather(row)).with_columns(
        usual.at_least(row, bucket).alias("n_ge")
    )
    if metric.absent is Absent.ZERO:
        # All samples of a baseline without a row of the metric are 0.
        is_silent = n.is_not_null() & row.is_null()
        found = found.select(pl.when(is_silent).then(0).otherwise(pl.all()).name.keep())
    at_least = pl.when(bucket == 0).then(n).when(bucket.is_not_null()).then("n_ge")
    values = found.with_columns(
        n, of_window.get_column("x"), rows.columns("scan_score")["scan_score"], n_ge=at_least
    )
    return values.with_columns(
        bits_of_buckets(bucket).alias("x_bits"),
        *(
            bits_of(values.select(compile_expr(count)).to_series()).alias(name)
            for name, count in COUNTED_IN_BITS.items()
            if name != "x_bits"
        ),
    )
