"""Correlations as one step of tasks: each compares the windows of a range of hosts with their baselines.

The windows of one anchor are few, and files of baselines are sorted by host: a task reads little more than it needs,
so nothing is shuffled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl
from attrs import frozen

from ndr_adapters.polars.features.correlation_engine import compare_share
from ndr_adapters.polars.features.correlation_files import CorrelationFiles
from ndr_adapters.polars.write import StagingRoot
from ndr_adapters.spark.fanout.chain import Chain, Frames, Kernel, Step, Task
from ndr_adapters.spark.fanout.staged import written
from ndr_core.correlations.plan import BaselineDate
from ndr_core.windows.plan import ROLE_NAMES


@frozen
class _Share:
    """The windows of a range of hosts that are compared with baselines of one role, date and band."""

    role: str
    date: BaselineDate
    band: str
    first: str
    last: str
    """The first and the last host, in the order of texts."""


def correlation_chain(
    files: CorrelationFiles, staging: StagingRoot, cut: Callable[[int], int]
) -> Chain:
    """Make the chain that compares windows with baselines from their files, and stages its table.

    `cut`: cuts so many rows of baselines into shares.
    """
    kernel = Kernel("correlate", _Correlate(files, staging), shares=0)
    return Chain((Step((kernel,), tuple(_shares(files, cut))),))


def _shares(files: CorrelationFiles, cut: Callable[[int], int]) -> Iterator[_Share]:
    for role in ROLE_NAMES:
        windows = files.of_windows(role)
        if windows is None:
            continue
        keys = windows.select("host_ip", "window_label", "time_band").unique().collect()
        for date in dict.fromkeys(files.dates.values()):
            of_date = keys.filter(pl.col("window_label").is_in(files.labels_of(date)))
            for (band,), part in of_date.partition_by("time_band", as_dict=True).items():
                hosts = part.get_column("host_ip").unique().sort()
                shares = cut(files.usual(role, date, band).baseline.rows)
                at_once = -(-hosts.len() // shares)
                for first in range(0, hosts.len(), at_once):
                    its_hosts = hosts.slice(first, at_once)
                    yield _Share(role, date, band, its_hosts[0], its_hosts[-1])


@frozen
class _Correlate:
    """Compares the windows of its share, and writes the rows."""

    files: CorrelationFiles
    staging: StagingRoot

    def __call__(self, task: Task) -> Frames:
        share: _Share | None = task.order
        if share is None:
            return
        windows = self.files.of_windows(share.role)
        assert windows is not None, "a share has windows"
        its_windows = windows.filter(
            pl.col("host_ip").is_between(pl.lit(share.first), pl.lit(share.last)),
            pl.col("window_label").is_in(self.files.labels_of(share.date)),
            pl.col("time_band") == share.band,
        ).collect(engine="streaming")
        usual = self.files.usual(share.role, share.date, share.band)
        rows = compare_share(self.files.plan, share.role, share.date, its_windows, usual)
        yield written(rows, self.files.plan.table, self.staging, task.token)
