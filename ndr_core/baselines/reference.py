"""The semantics of summaries and baselines in plain Python over plain rows: slow, obvious, the oracle of every test."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import asdict, frozen

from ndr_core.baselines.buckets import bucket
from ndr_core.baselines.judge import judge_by
from ndr_core.baselines.metrics import UNKNOWN, Absent, Metric
from ndr_core.baselines.plan import BaselinePlan, HorizonPlan, SummaryPlan
from ndr_core.baselines.readout import read_off
from ndr_core.baselines.rows import HorizonRows, HostKey, PlainRow, SummaryRows
from ndr_core.baselines.samples import SAMPLES, SHIFT, with_zeros
from ndr_core.baselines.sums import Sums, horizon_sums
from ndr_core.baselines.tables import (
    BASELINE,
    BASELINE_ROWS,
    HOST,
    NETWORK,
    SEGMENT,
    SUMMARY,
    SUMMARY_ROWS,
)
from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import col, columns_of
from ndr_core.tables.columns import Histogram, add_histograms
from ndr_core.tables.merge import Row, nulls_first
from ndr_core.tables.table import Table

_BUCKET: Final = bucket(col("x"))


def summary_tables(plan: SummaryPlan, rows: SummaryRows) -> dict[str, list[Row]]:
    """Sum up the windows of a local date: table -> its rows, sorted by their keys.

    A window that stands out by the judge is counted as excluded, as are those of excluded periods.
    """
    labels = {label.name: label for label in plan.labels}
    judge = judge_by(rows.judge, plan.judging)
    windows: Counter[tuple[HostKey, bool]] = Counter()
    cells: dict[tuple[HostKey, Metric], tuple[Counter[int], Counter[int]]] = {}
    for is_in_period, found in ((True, rows.included), (False, rows.excluded)):
        for row in found:
            key = HostKey.of(row)
            label = labels[key.window_label]
            values = {metric.name: metric_value(metric, row) for metric in plan.metrics}
            is_included = is_in_period and not judge.stands_out(key, values, plan.judging)
            windows[key, is_included] += 1
            for metric in plan.metrics:
                found_bucket = stored_bucket(metric, values[metric.name])
                if found_bucket is not None and metric.is_of(key.role, label):
                    kinds = cells.setdefault((key, metric), (Counter(), Counter()))
                    kinds[not is_included][found_bucket] += 1
    constants = plan.constants()
    keys = {key for key, _ in windows}
    return {
        SUMMARY.name: _finished(
            SUMMARY,
            (
                {
                    **key.columns(),
                    "metric": metric.name,
                    "included": _histogram(included),
                    "excluded": _histogram(excluded),
                    **constants,
                }
                for (key, metric), (included, excluded) in cells.items()
            ),
        ),
        SUMMARY_ROWS.name: _finished(
            SUMMARY_ROWS,
            (
                {
                    **key.columns(),
                    "rows_included": windows[key, True],
                    "rows_excluded": windows[key, False],
                    **constants,
                }
                for key in keys
            ),
        ),
    }


def metric_value(metric: Metric, row: PlainRow) -> int | None:
    """Give the value of a metric of a row of `fg_a`; None where it is null, or where a column of it is absent."""
    operands = {name: row.get(name) for name in columns_of(metric.value)}
    value: int | None = evaluate(metric.value, operands)
    return value


def stored_bucket(metric: Metric, value: int | None) -> int | None:
    """Give the bucket in which a window with a value is counted; None where it is in no bucket."""
    if value is None:
        return UNKNOWN if metric.absent is Absent.ZERO else None
    found = int(evaluate(_BUCKET, {"x": value}))
    return None if found == 0 and metric.absent is Absent.ZERO else found


def baseline_tables(plan: BaselinePlan, horizons: Sequence[HorizonRows]) -> dict[str, list[Row]]:
    """Make the baselines of a date: table -> its rows, sorted by their keys.

    `horizons`: what each horizon of the plan is made of, in its order. Raises NdrError where the former baselines and
    the summary of the leaving date do not fit together, and where a host has more windows than were summed up.
    """
    absent = {metric.name: metric.absent for metric in plan.metrics}
    baseline: list[Row] = []
    rows: list[Row] = []
    for of_horizon, horizon in zip(horizons, plan.horizons, strict=True):
        hosts = _hosts(horizon_sums(of_horizon, horizon), horizon, plan.fleeting)
        for one in (*hosts, *_groups(hosts, horizon, plan)):
            same = {
                "role": one.role,
                "time_band": one.time_band,
                "scope": one.scope,
                "name": one.name,
                "window_label": one.window_label,
                "horizon": horizon.horizon.name,
                **plan.constants(),
            }
            rows.append({**same, **one.columns(horizon)})
            for metric, (included, excluded) in one.cells.items():
                used = one.used(metric)
                known = read_off(with_zeros(absent[metric], used, one.samples_cnt))
                baseline.append(
                    {
                        **same,
                        "metric": metric,
                        **asdict(known),
                        "included": included,
                        "excluded": excluded,
                    }
                )
    return {
        BASELINE.name: _finished(BASELINE, baseline),
        BASELINE_ROWS.name: _finished(BASELINE_ROWS, rows),
    }


@frozen
class ScopeBaseline:
    """What the baselines of a host, a segment or the network are made of, in a part of the week."""

    role: str
    time_band: str
    scope: str
    name: str
    window_label: str
    rows_included: int
    rows_excluded: int
    windows_cnt: int
    samples_cnt: int
    hosts_cnt: int
    support_days: int
    is_cold: int
    baseline_shift_flag: int
    dates_mask: int
    cells: Mapping[str, tuple[Histogram, Histogram]]
    """Metric -> included and excluded."""

    def used(self, metric: str) -> Histogram:
        """Give the cells that are read off."""
        included, excluded = self.cells[metric]
        return add_histograms([included, excluded]) if self.baseline_shift_flag else included

    def columns(self, plan: HorizonPlan) -> Row:
        """Give the columns of `baseline_rows` that are counts."""
        return {
            **asdict(self, filter=lambda one, _: one.name != "cells"),
            "baseline_start_ts": plan.start,
            "baseline_end_ts": plan.end,
        }


def _hosts(sums: Sums, plan: HorizonPlan, fleeting: Iterable[str]) -> list[ScopeBaseline]:
    """The baselines of hosts: of each part of the week with windows since a host was first seen, silent or not."""
    cells = sums.metrics_of()
    found = []
    seen = set()
    for (host, role), mask in sums.masks.items():
        first = plan.first_date(mask)
        support = plan.support_since(first)
        for (band, label), windows in plan.windows_since(first).items():
            key = HostKey(role, band, host, label)
            included, excluded = sums.rows.get(key, (0, 0))
            if not windows or included + excluded > windows:
                continue
            seen.add(key)
            counts = {
                "rows_included": included,
                "rows_excluded": excluded,
                "windows_cnt": windows,
            }
            is_cold = support[band, label] < plan.least_support(band) or host in fleeting
            found.append(
                ScopeBaseline(
                    role=role,
                    time_band=band,
                    scope=HOST,
                    name=host,
                    window_label=label,
                    **counts,
                    samples_cnt=evaluate(SAMPLES, counts),
                    hosts_cnt=1,
                    support_days=support[band, label],
                    is_cold=int(is_cold),
                    baseline_shift_flag=evaluate(SHIFT, counts),
                    dates_mask=mask,
                    cells=cells.get(key, {}),
                )
            )
    too_many = sums.rows.keys() - seen
    if too_many:
        raise plan.too_many(min(key.host_ip for key in too_many))
    return found


def _groups(
    hosts: Sequence[ScopeBaseline], horizon: HorizonPlan, plan: BaselinePlan
) -> list[ScopeBaseline]:
    """The baselines of segments and of the network: what their hosts' add up to."""
    members: dict[tuple[str, ...], list[ScopeBaseline]] = defaultdict(list)
    for one in hosts:
        for scope, name in ((SEGMENT, plan.networks.segment_of(one.name)), (NETWORK, NETWORK)):
            members[one.role, one.time_band, scope, name, one.window_label].append(one)
    return [_group(key, of_key, horizon) for key, of_key in members.items()]


def _group(
    key: tuple[str, ...], members: Sequence[ScopeBaseline], plan: HorizonPlan
) -> ScopeBaseline:
    role, band, scope, name, label = key
    mask = 0
    used: dict[str, list[Histogram]] = defaultdict(list)
    for one in members:
        mask |= one.dates_mask
        for metric in one.cells:
            used[metric].append(one.used(metric))
    merged = {metric: add_histograms(histograms) for metric, histograms in used.items()}
    support = plan.support_since(plan.first_date(mask))[band, label]
    return ScopeBaseline(
        role=role,
        time_band=band,
        scope=scope,
        name=name,
        window_label=label,
        **{column: sum(getattr(one, column) for one in members) for column in _ADDED},
        support_days=support,
        is_cold=int(support < plan.least_support(band)),
        baseline_shift_flag=max(one.baseline_shift_flag for one in members),
        dates_mask=mask,
        cells={metric: (cells, ()) for metric, cells in merged.items() if cells},
    )


_ADDED: Final = ("rows_included", "rows_excluded", "windows_cnt", "samples_cnt", "hosts_cnt")
"""The columns of several hosts that are sums of theirs."""


def _histogram(cells: Mapping[int, int]) -> Histogram:
    return tuple(sorted(cells.items()))


def _finished(table: Table, rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Rows in the columns of their table, sorted by its keys."""
    whole = [{column.name: row[column.name] for column in table.columns} for row in rows]
    return sorted(whole, key=lambda row: nulls_first(table.key_of(row)))
