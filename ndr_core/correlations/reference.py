"""The semantics of correlations in plain Python over plain rows: slow, obvious, the oracle of every test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from ndr_core.baselines.metrics import Metric
from ndr_core.correlations.formulas import (
    BITS,
    CARRIED,
    COUNTED_IN_BITS,
    EXFIL_METRIC,
    NEW_BYTES,
    SCOPE_ENDING,
    X_BUCKET,
    anomaly_strength,
    departure_name,
    departures,
    exfil_score,
)
from ndr_core.correlations.ladder import READ_OFF, Baselines, Subject, Usual
from ndr_core.correlations.plan import BaselineDate, BaselineDates, CorrelationPlan
from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import columns_of
from ndr_core.features.days import date_of
from ndr_core.tables.merge import Row, nulls_first
from ndr_core.windows.labels import WindowLabel


@frozen
class CorrelationRows:
    """What the correlations of an anchor are made of. Rows are as the core or as a reader gives them."""

    windows: Sequence[Mapping[str, Any]]
    """Rows of `fg_a` that end at the anchor; those of labels that are not compared are left out."""
    baseline: Sequence[Mapping[str, Any]]
    """Rows of `baseline`, of the dates of `dates` at least."""
    baseline_rows: Sequence[Mapping[str, Any]]
    """Rows of `baseline_rows`, likewise."""
    dates: BaselineDates


def build_correlations(plan: CorrelationPlan, rows: CorrelationRows) -> list[Row]:
    """Compare the windows of an anchor with their baselines.

    Gives rows of `fg_c`, sorted by role, host, label and horizon.
    """
    labels = {label.name: label for label in plan.labels}
    baselines = Baselines.of(rows.baseline, rows.baseline_rows, plan.networks)
    table = plan.table
    made = (
        compared(plan, window, label, horizon, rows.dates[label], baselines)
        for window in rows.windows
        if (label := labels.get(window["window_label"])) is not None
        for horizon in plan.horizons
    )
    whole = [{column.name: row[column.name] for column in table.columns} for row in made]
    return sorted(whole, key=lambda row: nulls_first(table.key_of(row)))


def compared(
    plan: CorrelationPlan,
    window: Mapping[str, Any],
    label: WindowLabel,
    horizon: str,
    date: BaselineDate,
    baselines: Baselines,
) -> Row:
    """Compare a row of `fg_a` with one horizon of its baseline."""
    subject = Subject(
        date_of(date.date),
        window["role"],
        window["time_band"],
        window["host_ip"],
        label.name,
        horizon,
    )
    values: Row = {
        **plan.constants(),
        "host_ip": window["host_ip"],
        "role": window["role"],
        "window_label": label.name,
        "horizon": horizon,
        "baseline_ts": date.start,
        "time_band": window["time_band"],
        "is_partial": max(window["is_partial"], int(not date.is_known)),
        **{name: window[name] for name in CARRIED},
    }
    for metric in plan.metrics:
        is_compared = date.is_known and metric.is_of(subject.role, label)
        usual = baselines.usual(subject, metric) if is_compared else None
        values |= metric_values(metric, window, usual)
    judged = {**values, **{name: window.get(name) for name in (EXFIL_METRIC, NEW_BYTES)}}
    values["anomaly_strength"] = evaluate(anomaly_strength(plan.key_metrics), judged)
    values["exfil_score"] = evaluate(exfil_score(plan.min_bytes), judged)
    return values


def metric_values(metric: Metric, window: Mapping[str, Any], usual: Usual | None) -> Row:
    """Work out the columns of a metric. `usual`: its baseline; None where there is none."""
    values = metric_operands(metric, window, usual)
    for name, count in COUNTED_IN_BITS.items():
        values[name] = evaluate(BITS, {"count": evaluate(count, values)})
    found = {
        departure_name(metric.name, one.ending): evaluate(one.value, values)
        for one in departures(metric)
    }
    scope = None if usual is None else usual.scope
    return {**found, departure_name(metric.name, SCOPE_ENDING): scope}


def metric_operands(metric: Metric, window: Mapping[str, Any], usual: Usual | None) -> Row:
    """Give what the columns of a metric are worked out from: `x`, `scan_score`, `n_ge` and `READ_OFF`."""
    x = evaluate(metric.value, {name: window.get(name) for name in columns_of(metric.value)})
    values: Row = {"x": x, "scan_score": window["scan_score"], "n_ge": None}
    values |= dict.fromkeys(READ_OFF) if usual is None else usual.read_off
    if usual is not None and x is not None:
        values["n_ge"] = usual.at_least(evaluate(X_BUCKET, values))
    return values
