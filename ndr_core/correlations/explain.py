"""Why a window lies where it does: with whose baseline it was compared, what that is made of, and the arithmetic.

The values are those of the reference semantics, made of the same functions; what is shown beside them is made of the
same rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from ndr_core.baselines.metrics import Metric
from ndr_core.baselines.readout import middle_of, read_off, scale_of
from ndr_core.baselines.samples import with_zeros
from ndr_core.correlations.formulas import (
    CARRIED,
    EXFIL_METRIC,
    SCOPE_ENDING,
    UPPER_Z_ENDING,
    anomaly_strength,
    departure_name,
    departures,
    exfil_score,
)
from ndr_core.correlations.ladder import Baselines, Rung, Subject
from ndr_core.correlations.plan import BaselineDate, CorrelationPlan
from ndr_core.correlations.reference import CorrelationRows, compared, metric_operands
from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import columns_of
from ndr_core.expressions.spell import spell
from ndr_core.features.days import date_of
from ndr_core.tables.columns import OutputColumn
from ndr_core.tables.merge import Row
from ndr_core.times import DAY_US, iso_text
from ndr_core.windows.explained import Evidence, Explained, of_formula, top
from ndr_core.windows.labels import WindowLabel

NEW_BYTES: Final = "new_ext_bytes_sent"
STRENGTH: Final = "anomaly_strength"
EXFIL: Final = "exfil_score"
SCORES: Final = (STRENGTH, EXFIL)
"""The scores that windows themselves do not have."""

_MEANINGS: Final = {
    "n": "samples of the baseline",
    "n_ge": "of these, those in the bucket of x or above",
    "median": "its median",
    "p99": "its 99th percentile",
    "mad": "median distance of its samples from the median",
    "iqr": "distance of its quartiles",
    "scan_score": "as in fg_a",
}


@frozen
class Comparison:
    """A row of `fg_c`: a window of a host in one role, compared with one horizon of its baseline."""

    role: str
    horizon: str
    row: Mapping[str, Any]
    """All columns of `fg_c`, as the published tables give them now."""
    columns: tuple[Explained, ...]
    """The same, each with what made it."""


def columns_of_metric(metric: Metric) -> frozenset[str]:
    """Name the columns of `fg_c` that a metric has."""
    endings = (*(one.ending for one in departures(metric)), SCOPE_ENDING)
    return frozenset(departure_name(metric.name, ending) for ending in endings)


def read_by(metrics: Iterable[Metric], key_metrics: Iterable[str], name: str) -> frozenset[str]:
    """Give the columns of `fg_a` that a column of `fg_c` is made of; none for columns that say what a row is.

    `metrics`, `key_metrics`: those of the correlations.
    """
    known = {metric.name: metric for metric in metrics}
    if name == STRENGTH:
        return frozenset[str]().union(*(columns_of(known[key].value) for key in key_metrics))
    if name == EXFIL:
        return frozenset({EXFIL_METRIC, NEW_BYTES})
    found = (one for one in known.values() if name in columns_of_metric(one))
    return next(
        (columns_of(one.value) for one in found), frozenset({name} if name in CARRIED else ())
    )


def explain_comparisons(
    plan: CorrelationPlan,
    label: WindowLabel,
    rows: CorrelationRows,
    most: int,
    names: Collection[str] = (),
) -> tuple[Comparison, ...]:
    """Explain the rows of one host in one window: outbound before inbound, horizons in the order of the plan.

    `rows`: of the window, those of the host alone, and the baselines of the host, of its segment and of the network;
    `most`: rows of each evidence, `explained.ALL` for all; `names`: the columns of which is shown what made them, all
    without any.
    """
    baselines = Baselines.of(rows.baseline, rows.baseline_rows, plan.networks)
    date = rows.dates[label]
    windows = [row for row in rows.windows if row["window_label"] == label.name]
    return tuple(
        _Facts(plan, window, label, horizon, date, baselines, most, names).comparison()
        for window in sorted(windows, key=lambda row: row["role"], reverse=True)
        for horizon in plan.horizons
    )


@frozen
class _Facts:
    """What one row is made of."""

    plan: CorrelationPlan
    window: Mapping[str, Any]
    label: WindowLabel
    horizon: str
    date: BaselineDate
    baselines: Baselines
    most: int
    names: Collection[str]

    def comparison(self) -> Comparison:
        row = compared(self.plan, self.window, self.label, self.horizon, self.date, self.baselines)
        by_name = {column.name: column for column in self.plan.table.columns}
        made = dict(self._of_metrics(by_name)) | self._scores(by_name, row)
        columns = tuple(
            made.get(column.name, Explained(column.name, row[column.name], column.meaning))
            for column in by_name.values()
        )
        return Comparison(self.window["role"], self.horizon, row, columns)

    def _of_metrics(self, by_name: Mapping[str, OutputColumn]) -> Iterator[tuple[str, Explained]]:
        for metric in self.plan.metrics:
            if not self.names or not columns_of_metric(metric).isdisjoint(self.names):
                for one in self._of_metric(metric, by_name):
                    yield one.column, one

    def _of_metric(
        self, metric: Metric, by_name: Mapping[str, OutputColumn]
    ) -> Iterator[Explained]:
        rungs = self._rungs(metric)
        rung = next((one for one in rungs if one.is_warm), None)
        usual = None if rung is None else rung.usual
        values = metric_operands(metric, self.window, usual)
        meanings = _MEANINGS | {
            "x": f"{metric.name} of the window, in {metric.unit.value}: {spell(metric.value)}"
        }
        shown = (*self._made_of(metric), *self._baseline(metric, rung), *_ladder(rungs))
        for one in departures(metric):
            column = by_name[departure_name(metric.name, one.ending)]
            known = {**values, column.name: evaluate(one.formula, values)}
            yield of_formula(column, one.formula, known, meanings, shown)
        column = by_name[departure_name(metric.name, SCOPE_ENDING)]
        scope = None if rung is None else rung.scope
        yield Explained(column.name, scope, column.meaning, evidence=shown)

    def _made_of(self, metric: Metric) -> Iterator[Evidence]:
        """The columns of the window that the metric is made of, where these are not the metric itself."""
        row = {name: self.window.get(name) for name in sorted(columns_of(metric.value))}
        if row.keys() != {metric.name}:
            yield Evidence("columns of the window", (row,), 1)

    def _rungs(self, metric: Metric) -> Sequence[Rung]:
        if not self.date.is_known or not metric.is_of(self.window["role"], self.label):
            return ()
        subject = Subject(
            date_of(self.date.date),
            self.window["role"],
            self.window["time_band"],
            self.window["host_ip"],
            self.label.name,
            self.horizon,
        )
        return tuple(self.baselines.rungs(subject, metric))

    def _baseline(self, metric: Metric, rung: Rung | None) -> Iterator[Evidence]:
        """What the baseline says that the window is compared with, and the samples that it is read off."""
        if rung is None or rung.usual is None or rung.made_of is None:
            return
        whole = with_zeros(metric.absent, rung.usual.used, rung.made_of["samples_cnt"])
        found = read_off(whole)
        row: Row = {
            **_dates(rung, self.horizon),
            "n": found.n,
            "median": found.median,
            "p25": found.p25,
            "p75": found.p75,
            "p99": found.p99,
            "mad": found.mad,
            "iqr": found.iqr,
            "scale": evaluate(scale_of(metric.unit), rung.usual.read_off),
        }
        yield Evidence(f"baseline of {metric.name}, in {metric.unit.value}", (row,), 1)
        samples = [{"value": middle_of(bucket), "windows": count} for bucket, count in whole]
        yield top("its samples by value", samples, self.most, lambda one: one["windows"])

    def _scores(self, by_name: Mapping[str, OutputColumn], row: Row) -> dict[str, Explained]:
        values = {**row, **{name: self.window.get(name) for name in (EXFIL_METRIC, NEW_BYTES)}}
        meanings = {name: column.meaning for name, column in by_name.items()}
        meanings |= dict.fromkeys((EXFIL_METRIC, NEW_BYTES), "as in fg_a")
        keys = [
            {
                "metric": name,
                **{
                    ending: row[departure_name(name, ending)]
                    for ending in (UPPER_Z_ENDING, "z", "tail_bits", "ratio", SCOPE_ENDING)
                },
            }
            for name in self.plan.key_metrics
        ]
        shown = top(
            "key metrics",
            keys,
            self.most,
            lambda one: (one[UPPER_Z_ENDING] is not None, one[UPPER_Z_ENDING] or 0),
        )
        strength = anomaly_strength(self.plan.key_metrics)
        exfil = exfil_score(self.plan.min_bytes)
        carried = {
            name: Explained(name, row[name], by_name[name].meaning, f"{name} of fg_a")
            for name in CARRIED
        }
        return {
            STRENGTH: of_formula(by_name[STRENGTH], strength, values, meanings, (shown,)),
            EXFIL: of_formula(by_name[EXFIL], exfil, values, meanings),
            **carried,
        }


def _dates(rung: Rung, horizon: str) -> Row:
    """Whose baseline it is, and of which local dates."""
    assert rung.made_of is not None
    start, end = rung.made_of["baseline_start_ts"], rung.made_of["baseline_end_ts"]
    return {
        "scope": rung.scope,
        "name": rung.name,
        "horizon": horizon,
        "from": iso_text(start),
        "until": iso_text(end),
        "days": (end - start + DAY_US // 2) // DAY_US,
    }


def _ladder(rungs: Sequence[Rung]) -> Iterator[Evidence]:
    """All baselines, and which of them tell enough."""
    if rungs:
        known = tuple(map(_rung_row, rungs))
        yield Evidence("baselines, the narrowest first", known, len(known))


def _rung_row(rung: Rung) -> Row:
    made_of = rung.made_of or {}
    columns = (
        *("hosts_cnt", "rows_included", "rows_excluded", "windows_cnt", "samples_cnt"),
        *("support_days", "is_cold", "baseline_shift_flag"),
    )
    return {
        "scope": rung.scope,
        "name": rung.name,
        "n": None if rung.usual is None else rung.usual.read_off["n"],
        **{name: made_of.get(name) for name in columns},
        "tells_enough": "yes" if rung.is_warm else "no",
    }
