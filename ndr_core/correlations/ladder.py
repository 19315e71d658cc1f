"""Whose baseline a window is compared with: the host's own, else that of its segment, else that of the network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from attrs import frozen

from ndr_core.baselines.metrics import Absent, Metric
from ndr_core.baselines.readout import LEAST_SAMPLES
from ndr_core.baselines.tables import BASELINE, BASELINE_ROWS, HOST, NETWORK, SEGMENT
from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import col
from ndr_core.features.networks import Networks
from ndr_core.tables.columns import Histogram, add_histograms
from ndr_core.tables.merge import Row

LEAST_HOSTS: Final = 5
"""A segment of fewer hosts has no baseline of its own."""

IS_WARM: Final = (
    col("is_cold").eq(0)
    & (col("n") >= LEAST_SAMPLES)
    & (col("scope").ne(SEGMENT) | (col("hosts_cnt") >= LEAST_HOSTS))
)
"""Whether a baseline tells enough of a metric to compare with, over `scope`, `is_cold`, `hosts_cnt` and its `n`."""

READ_OFF: Final = ("n", "median", "p99", "mad", "iqr")
"""The columns of `baseline` that windows are compared with."""


@frozen
class Usual:
    """What is usual of one metric: the baseline with which a window is compared."""

    scope: str
    """Whose baseline it is."""
    read_off: Mapping[str, int]
    """The values of `READ_OFF`."""
    used: Histogram
    """The cells that it is read off: of counts and sums without bucket 0, and with unknown values as bucket -1."""

    def at_least(self, bucket: int) -> int:
        """Count the samples in a bucket or above it."""
        if bucket == 0:
            return self.read_off["n"]
        return sum(count for place, count in self.used if place >= bucket)


@frozen
class Rung:
    """One baseline of the ladder."""

    scope: str
    name: str
    made_of: Row | None = None
    """Its row of `baseline_rows`; None where there is none."""
    usual: Usual | None = None
    """What it says of the metric; None where it knows nothing of it."""
    is_warm: bool = False
    """Whether it tells enough to compare with."""


@frozen
class Subject:
    """A host in a window that is to be compared with a horizon of a baseline."""

    date: str
    """Local date of the baseline, YYYY-MM-DD."""
    role: str
    time_band: str
    host_ip: str
    window_label: str
    horizon: str


@frozen
class Baselines:
    """The rows of baselines, by their keys."""

    rows: Mapping[tuple[Any, ...], Row]
    """Key of `baseline_rows` -> row."""
    metrics: Mapping[tuple[Any, ...], Row]
    """Key of `baseline` -> row."""
    networks: Networks

    @classmethod
    def of(
        cls,
        baseline: Iterable[Mapping[str, Any]],
        baseline_rows: Iterable[Mapping[str, Any]],
        networks: Networks,
    ) -> Baselines:
        """Take rows of the tables `baseline` and `baseline_rows`, as the core or as a reader gives them."""
        return cls(
            {BASELINE_ROWS.key_of(row): BASELINE_ROWS.plain_row(row) for row in baseline_rows},
            {BASELINE.key_of(row): BASELINE.plain_row(row) for row in baseline},
            networks,
        )

    def usual(self, subject: Subject, metric: Metric) -> Usual | None:
        """Find the baseline of a metric: the narrowest one that is warm; None where all are cold."""
        return next((one.usual for one in self.rungs(subject, metric) if one.is_warm), None)

    def rungs(self, subject: Subject, metric: Metric) -> Iterator[Rung]:
        """Give the baselines of a metric, the narrowest first."""
        names = {
            HOST: subject.host_ip,
            SEGMENT: self.networks.segment_of(subject.host_ip),
            NETWORK: NETWORK,
        }
        for scope, name in names.items():
            yield self._rung(subject, metric, scope, name)

    def _rung(self, subject: Subject, metric: Metric, scope: str, name: str) -> Rung:
        place = (subject.date, subject.role, subject.time_band, scope, name, subject.window_label)
        made_of = self.rows.get((*place, subject.horizon))
        if made_of is None:
            return Rung(scope, name)
        row = self.metrics.get((*place, metric.name, subject.horizon))
        if row is not None:
            read_off = {column: row[column] for column in READ_OFF}
            is_all_used = made_of["baseline_shift_flag"] == 1
            parts = [row["included"], *([row["excluded"]] if is_all_used else [])]
            used = add_histograms(parts)
        elif metric.absent is Absent.ZERO:
            read_off = dict.fromkeys(READ_OFF, 0) | {"n": made_of["samples_cnt"]}
            used = ()
        else:
            return Rung(scope, name, made_of)
        is_warm = evaluate(IS_WARM, {**made_of, "n": read_off["n"]})
        return Rung(scope, name, made_of, Usual(scope, read_off, used), bool(is_warm))
