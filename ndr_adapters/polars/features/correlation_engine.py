"""The Polars engine of correlations: published windows of an anchor, and baselines -> staged rows of `fg_c`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, ClassVar, Final

import polars as pl
from attrs import field, frozen

from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.interruptible import interruptible
from ndr_adapters.polars.features.correlation_files import CorrelationFiles, UsualFiles
from ndr_adapters.polars.features.correlation_kernel import compare
from ndr_adapters.polars.features.networks import segments
from ndr_adapters.polars.features.unreadable import unreadable_named
from ndr_adapters.polars.write import StagingRoot, write_named
from ndr_core.correlations.engine import CorrelationInputs
from ndr_core.correlations.plan import BaselineDate, CorrelationPlan

BYTES_AT_ONCE: Final = 32 << 20
"""Bytes of files of baselines with which a share of hosts is compared: it takes some twenty times the memory."""


@frozen
class PolarsCorrelationEngine:
    """Compares windows with baselines on one machine, a share of the hosts at a time: a `CorrelationEngine`.

    `storage_options`: how Polars reaches S3, where the output lies there.
    """

    name: ClassVar[str] = "polars"
    storage_options: dict[str, Any] = field(factory=dict)
    bytes_at_once: int = BYTES_AT_ONCE

    def build(
        self, plan: CorrelationPlan, inputs: CorrelationInputs, staging_root: str
    ) -> Mapping[str, int]:
        staging = StagingRoot(staging_root, self.storage_options)
        files = CorrelationFiles.of(plan, inputs)
        with full_disk_named(staging_root), unreadable_named(inputs.windows, inputs.baselines):
            return interruptible(partial(_build, files, staging, self.bytes_at_once))


def _build(files: CorrelationFiles, staging: StagingRoot, bytes_at_once: int) -> Mapping[str, int]:
    staged: dict[str, int] = {}
    table = files.plan.table
    for number, rows in enumerate(_compared(files, bytes_at_once)):
        staged |= write_named(rows, table, staging, f"part-{number:05}")
    return staged


def _compared(files: CorrelationFiles, bytes_at_once: int) -> Iterator[pl.DataFrame]:
    """Rows of `fg_c`, share by share, each sorted by the keys of the table."""
    for role, date, band, windows in files.parts():
        usual = files.usual(role, date, band)
        hosts = windows.get_column("host_ip").unique().sort()
        shares = min(hosts.len(), max(1, -(-usual.baseline.bytes // bytes_at_once)))
        at_once = -(-hosts.len() // shares)
        for first in range(0, hosts.len(), at_once):
            its_hosts = hosts.slice(first, at_once)
            its_windows = windows.filter(pl.col("host_ip").is_in(its_hosts.implode()))
            yield compare_share(files.plan, role, date, its_windows, usual)


def compare_share(
    plan: CorrelationPlan,
    role: str,
    date: BaselineDate,
    windows: pl.DataFrame,
    usual: UsualFiles,
) -> pl.DataFrame:
    """Compare windows of one role and band, of at least one host, with baselines of a date. Gives rows of `fg_c`."""
    hosts = windows.get_column("host_ip").unique().sort()
    of_hosts = usual.of_hosts(hosts[0], hosts[-1])
    of_others = usual.of_others(segments(hosts, plan.networks).unique())
    baseline, baseline_rows = (
        pl.concat(parts).collect(engine="streaming")
        for parts in zip(of_hosts, of_others, strict=True)
    )
    return compare(plan, role, date, windows, baseline, baseline_rows)
