"""The windows of a chosen host beside what is usual for it, metric by metric."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import field, frozen

from ndr_core.baselines.metrics import Absent, Metric, metrics_named
from ndr_core.baselines.tables import HOST, SEGMENT
from ndr_core.correlations.formulas import HALF_Z, SCOPE_ENDING, UPPER_Z_ENDING, departure_name
from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import columns_of
from ndr_core.features.networks import Networks
from ndr_core.report.scores import DETAIL_METRICS
from ndr_core.report.span import seconds

Row = Mapping[str, Any]

BAND: Final = ("median", "p25", "p75", "p99")
"""What a band shows of a baseline."""
MARKED_Z: Final = HALF_Z
"""From this upper_z on a window is marked: the metric alone makes an `anomaly_strength` of one half."""


@frozen
class UsualKey:
    """Which row of `baseline` a window was compared with."""

    date: str
    role: str
    time_band: str
    scope: str
    name: str
    window_label: str
    horizon: str
    metric: str

    @classmethod
    def of(cls, row: Row) -> UsualKey:
        """Take the key of a row of `baseline`."""
        place = (row["dt"], row["role"], row["time_band"], row["scope"], row["name"])
        return cls(*place, row["window_label"], row["horizon"], row["metric"])


@frozen
class HostWindows:
    """The windows of one host, in each role, by metric."""

    bands: tuple[tuple[Any, ...], ...]
    """What was usual at some time: the values of `BAND`, and whose baseline it was."""
    metrics: Mapping[str, Mapping[str, tuple[tuple[Any, ...], ...]]]
    """Role -> metric -> rows: end of the window (s), value, upper_z, number of the band; null where there is none."""

    @property
    def marked(self) -> int:
        """How many values of windows are marked."""
        return sum(
            row[2] is not None and row[2] >= MARKED_Z
            for of_role in self.metrics.values()
            for rows in of_role.values()
            for row in rows
        )

    def to_plain(self) -> dict[str, Any]:
        """Give JSON-ready data."""
        return {
            "bands": [list(band) for band in self.bands],
            "metrics": {
                role: {name: [list(row) for row in rows] for name, rows in of_role.items()}
                for role, of_role in self.metrics.items()
            },
        }


def detail_metrics(columns: Iterable[str]) -> tuple[Metric, ...]:
    """Give the metrics that are shown of a host, as far as windows with these columns have them."""
    known = frozenset(columns)
    shown = metrics_named(DETAIL_METRICS)
    return tuple(one for one in shown if columns_of(one.value) <= known)


def best_horizon(rows: Iterable[Row], metrics: Sequence[Metric]) -> str | None:
    """Choose the horizon in which most values have a z; of equal ones the shorter. None without any row.

    `rows`: those of `fg_c`.
    """
    known: dict[str, int] = {}
    for row in rows:
        found = sum(row.get(_upper_z(one)) is not None for one in metrics)
        known[row["horizon"]] = known.get(row["horizon"], 0) + found
    return min(known, key=lambda name: (-known[name], len(name), name), default=None)


@frozen
class Comparisons:
    """What windows were compared with."""

    rows: Mapping[tuple[Any, ...], Row]
    """(host, role, end in us) -> row of `fg_c`."""
    baselines: Mapping[UsualKey, Row]
    networks: Networks

    def scoped(self, row: Row, metric: Metric) -> UsualKey | None:
        """Tell whose baseline a metric of a row of `fg_c` was compared with; None where all were cold."""
        scope = row.get(departure_name(metric.name, SCOPE_ENDING))
        if scope is None:
            return None
        host = row["host_ip"]
        own = {HOST: host, SEGMENT: self.networks.segment_of(host)}
        return UsualKey(
            date=row["baseline_date"],
            role=row["role"],
            time_band=row["time_band"],
            scope=scope,
            # The baseline of the network has its name.
            name=str(own.get(scope, scope)),
            window_label=row["window_label"],
            horizon=row["horizon"],
            metric=metric.name,
        )

    def band(self, row: Row, metric: Metric) -> tuple[Any, ...] | None:
        """Give what was usual, the values of `BAND`, and whose baseline it was; None where nothing is known."""
        key = self.scoped(row, metric)
        if key is None:
            return None
        usual = self.baselines.get(key)
        if usual is not None:
            return (*(usual[name] for name in BAND), key.scope)
        # A count or sum of which all samples are 0 has no row.
        return (*(0 for _ in BAND), key.scope) if metric.absent is Absent.ZERO else None


def windows_of_host(
    windows: Iterable[Row], metrics: Sequence[Metric], compared: Comparisons
) -> HostWindows:
    """Put the windows of a host beside what was usual when they began.

    `windows`: rows of `fg_a` of one host and one label, in the order of time, `window_end_ts` in us.
    """
    bands = _Bands()
    found: dict[str, dict[str, list[tuple[Any, ...]]]] = {}
    for window in windows:
        end, role = window["window_end_ts"], window["role"]
        row = compared.rows.get((window["host_ip"], role, end))
        for metric in metrics:
            value = evaluate(metric.value, window)
            z = None if row is None else row.get(_upper_z(metric))
            band = None if row is None else compared.band(row, metric)
            shown = (
                seconds(end),
                value,
                None if z is None else round(z, 2),
                None if band is None else bands.number(band),
            )
            found.setdefault(role, {}).setdefault(metric.name, []).append(shown)
    plain = {
        role: {name: tuple(rows) for name, rows in of_role.items()}
        for role, of_role in found.items()
    }
    return HostWindows(tuple(bands.numbers), plain)


@frozen
class _Bands:
    """Each band once, numbered in the order in which they come."""

    numbers: dict[tuple[Any, ...], int] = field(factory=dict)

    def number(self, band: tuple[Any, ...]) -> int:
        return self.numbers.setdefault(band, len(self.numbers))


def _upper_z(metric: Metric) -> str:
    return departure_name(metric.name, UPPER_Z_ENDING)
