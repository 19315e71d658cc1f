"""Windows of one role, compared with the baselines of one date and band: all metrics, and the scores made of them.

What is known of the rows to be made, and of baselines, lies in columns: one is looked up in the other by number, and
no rows are joined.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Final

import polars as pl

from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.features.bits import bits_of, bits_of_middles
from ndr_adapters.polars.features.compared_rows import ComparedRows
from ndr_adapters.polars.features.usual import Usual
from ndr_adapters.polars.write import DTYPES, schema_of
from ndr_core.baselines.metrics import Metric
from ndr_core.baselines.tables import SCOPES
from ndr_core.correlations.formulas import (
    CARRIED,
    EXFIL_METRIC,
    NEW_BYTES,
    SCOPE_ENDING,
    UPPER_Z_ENDING,
    Departure,
    departure_name,
    departures,
    exfil_score,
    larger,
    strength,
)
from ndr_core.correlations.plan import BaselineDate, CorrelationPlan
from ndr_core.correlations.tables import metric_columns
from ndr_core.expressions.expr import col, columns_of

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
    found = rows.columns(*_OF_WINDOW) | _metrics(plan, role, rows, baseline, baseline_rows)
    same = {**plan.constants(), "role": role, "baseline_ts": date.start}
    if not date.is_known:
        same["is_partial"] = 1
    made = pl.DataFrame({**rows.columns(EXFIL_METRIC, NEW_BYTES), **found}).with_columns(
        rows.horizons().alias("horizon"),
        _anomaly_strength(plan, found).alias("anomaly_strength"),
        compile_expr(exfil_score(plan.min_bytes)).alias("exfil_score"),
        *(pl.lit(value).alias(name) for name, value in same.items()),
    )
    schema = schema_of(plan.table.columns)
    return made.select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def _anomaly_strength(plan: CorrelationPlan, found: Mapping[str, pl.Series]) -> pl.Series:
    """`anomaly_strength` of the core, metric by metric: written out at once it would be very long."""

    def step(so_far: pl.Series, z: pl.Series) -> pl.Series:
        both = pl.DataFrame({"so_far": so_far, "z": z})
        return both.select(compile_expr(larger(col("so_far"), strength(col("z"))))).to_series()

    of_keys = [found[departure_name(name, UPPER_Z_ENDING)] for name in plan.key_metrics]
    nothing = pl.repeat(None, of_keys[0].len(), dtype=pl.Float64, eager=True)
    return reduce(step, of_keys, nothing)


def _metrics(
    plan: CorrelationPlan,
    role: str,
    rows: ComparedRows,
    baseline: pl.DataFrame,
    baseline_rows: pl.DataFrame,
) -> dict[str, pl.Series]:
    """The columns of all metrics."""
    alike: dict[tuple[Departure, ...], list[Metric]] = defaultdict(list)
    for metric in plan.metrics:
        if any(metric.is_of(role, label) for label in plan.labels):
            alike[departures(metric)].append(metric)
    metrics = [metric for of_kind in alike.values() for metric in of_kind]
    usual = Usual.of(metrics, rows.grid, baseline, baseline_rows)
    values = _values(metrics, role, rows, usual)
    found = _nulls([metric for metric in plan.metrics if metric not in metrics], rows.count)
    begin = 0
    for columns, of_kind in alike.items():
        of_these = values.slice(begin, rows.count * len(of_kind)).select(
            SCOPE_ENDING,
            *(compile_expr(one.value).cast(DTYPES[one.type]).alias(one.ending) for one in columns),
        )
        for number, metric in enumerate(of_kind):
            of_metric = of_these.slice(number * rows.count, rows.count)
            for ending, column in of_metric.to_dict().items():
                found[departure_name(metric.name, ending)] = column
        begin += of_these.height
    return found


def _nulls(metrics: Iterable[Metric], rows: int) -> dict[str, pl.Series]:
    """The columns of metrics that the windows can't have."""
    return {
        name: pl.repeat(None, rows, dtype=dtype, eager=True)
        for metric in metrics
        for name, dtype in schema_of(metric_columns(metric)).items()
    }


def _values(metrics: Sequence[Metric], role: str, rows: ComparedRows, usual: Usual) -> pl.DataFrame:
    """What departures read, and the scope of the baseline: of all rows, metric by metric."""
    number, scope = _narrowest(rows.baselines(metrics), usual, rows.are_of(metrics, role))
    row, n = (usual.by_number.get_column(name).gather(number) for name in ("row", "n"))
    of_windows = rows.values(metrics)
    x, bucket = of_windows.get_columns()
    found = usual.read_off.select(pl.exclude("n").gather(row)).with_columns(
        usual.at_least(row, bucket).alias("n_ge")
    )
    # All samples of a baseline without a row of the metric are 0.
    is_silent = n.is_not_null() & row.is_null()
    found = found.select(pl.when(is_silent).then(0).otherwise(pl.all()).name.keep())
    at_least = pl.when(bucket == 0).then(n).when(bucket.is_not_null()).then("n_ge")
    scan_score = rows.columns("scan_score")["scan_score"]
    values = found.with_columns(x, n, scope, pl.concat([scan_score] * len(metrics)), n_ge=at_least)
    return values.with_columns(
        bits_of(n).alias("n_bits"),
        bits_of(values.get_column("n_ge")).alias("n_ge_bits"),
        bits_of_middles(bucket).alias("x_bits"),
    )


def _narrowest(
    baselines: Iterable[pl.Series], usual: Usual, are_of: pl.Series
) -> tuple[pl.Series, pl.Series]:
    """Number and scope of the narrowest baseline that is warm, null where none is.

    `baselines`: scope by scope; `are_of`: whether a row can have the metric.
    """
    is_warm = usual.by_number.get_column("is_warm")
    steps = [
        (scope, numbers, pl.when(is_warm.gather(numbers) & are_of))
        for scope, numbers in zip(SCOPES, baselines, strict=True)
    ]
    found = pl.select(
        pl.coalesce(where.then(numbers) for _, numbers, where in steps).alias("number"),
        pl.coalesce(where.then(pl.lit(scope)) for scope, _, where in steps).alias(SCOPE_ENDING),
    )
    number, scope = found.get_columns()
    return number, scope
