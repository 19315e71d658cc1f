"""Which windows stand out so far that they are no part of what is usual: contamination."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from ndr_core.baselines.horizon import WEEK_DAYS
from ndr_core.baselines.metrics import Metric
from ndr_core.baselines.plan import OUTLIER_Z
from ndr_core.baselines.readout import LEAST_SAMPLES, Readout, Z, read_off
from ndr_core.baselines.rows import BaselineTables, HostKey
from ndr_core.baselines.samples import with_zeros
from ndr_core.baselines.sums import of_hosts
from ndr_core.baselines.tables import BASELINE, BASELINE_ROWS
from ndr_core.expressions.evaluate import evaluate
from ndr_core.tables.columns import add_histograms

JUDGING_HORIZON: Final = f"{WEEK_DAYS}d"
"""Windows are judged by what the host has done in these days, usual or not."""


@frozen
class Judge:
    """What was usual for hosts before a local date, by all of their windows."""

    usual: Mapping[tuple[HostKey, str], Readout]
    """Key and metric -> what is read off; absent where there are too few samples."""

    def stands_out(
        self, key: HostKey, values: Mapping[str, Any], metrics: Sequence[Metric]
    ) -> bool:
        """Whether a window lies too far above what is usual in one of some metrics.

        `values`: metric -> its value of the window, null where unknown. What can't be compared does not stand out.
        """
        for metric in metrics:
            known, x = self.usual.get((key, metric.name)), values[metric.name]
            if known is None or x is None:
                continue
            operands = {"x": x, "median": known.median, "mad": known.mad, "iqr": known.iqr}
            if evaluate(Z[metric.unit], operands) > OUTLIER_Z:
                return True
        return False


def judge_by(baselines: BaselineTables, metrics: Sequence[Metric]) -> Judge:
    """Make the judge of a local date from its baselines: by the hosts' own of 7 days, of all windows, cold or not."""
    cells = {
        (HostKey.of_baseline(row), row["metric"]): add_histograms(
            [row["included"], row["excluded"]]
        )
        for row in of_hosts(BASELINE, baselines.baseline, JUDGING_HORIZON)
    }
    usual = {}
    for row in of_hosts(BASELINE_ROWS, baselines.rows, JUDGING_HORIZON):
        key = HostKey.of_baseline(row)
        for metric in metrics:
            of_metric = cells.get((key, metric.name), ())
            known = read_off(with_zeros(metric.absent, of_metric, row["windows_cnt"]))
            if known.n >= LEAST_SAMPLES:
                usual[key, metric.name] = known
    return Judge(usual)
