"""The pair history as a chain of kernels: some tasks read files, others build a share of the hosts each.

What is counted of all hosts, the prevalence of peers, is put together by one task at the end, which also has the names
of the files that the others wrote: of a task that ran twice, those of one try.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.features.history_files import (
    FORMER_COLUMNS,
    PAIR_COLUMNS,
    TILE_COLUMNS,
    DayFiles,
    TableDays,
)
from ndr_adapters.polars.features.history_kernel import build_share, prevalence
from ndr_adapters.polars.features.history_numbers import DayRows
from ndr_adapters.polars.scan import Scanner
from ndr_adapters.polars.write import StagingRoot
from ndr_adapters.spark.fanout.chain import Chain, Frames, Kernel, Step, Task
from ndr_adapters.spark.fanout.file_rows import ADDRESSES, of_built_hosts, read, spread
from ndr_adapters.spark.fanout.staged import FILES, written
from ndr_core.history.plan import HistoryPlan
from ndr_core.history.tables import PREVALENCE
from ndr_core.publishing.manifest import OutputFile

_PAIRS: Final = "pairs"
_TILES: Final = "tiles"
_FORMER: Final = "former"
_CONTACTS: Final = "contacts"
"""As `HistoryShare.contacts`, of each share."""
_COLUMNS: Final = {_PAIRS: PAIR_COLUMNS, _TILES: TILE_COLUMNS, _FORMER: FORMER_COLUMNS}


def history_chain(
    found: DayFiles, plan: HistoryPlan, staging: StagingRoot, cores: int, shares: int
) -> Chain:
    """Make the chain that builds the history of a day from its files, and stages its tables."""
    days = {_PAIRS: found.pairs, _TILES: found.tiles}
    if found.former is not None:
        days[_FORMER] = found.former
    scanners = {name: Scanner.of_table(one.root, one.table) for name, one in days.items()}
    by_host = dict.fromkeys(days, ("host_ip",))
    build = _Build(plan, staging, scanners)
    return Chain(
        (
            Step(
                (Kernel("read", _Read(plan, scanners), shares=0),), spread(_files_of(days), cores)
            ),
            Step((Kernel("build", build, by_host, shares),)),
            Step((Kernel("prevalence", _Prevalence(plan, staging), {_CONTACTS: (), FILES: ()}),)),
        ),
        ADDRESSES,
    )


def _files_of(days: Mapping[str, TableDays]) -> Iterator[tuple[str, OutputFile]]:
    return ((name, file) for name, one in days.items() for file in one.files)


@frozen
class _Read:
    """Reads files, as rows that are to meet those of their host."""

    plan: HistoryPlan
    scanners: Mapping[str, Scanner]

    def __call__(self, task: Task) -> Frames:
        addresses = task.addresses
        for name, role, rows in read(task.order or (), self.scanners):
            columns = [
                addresses.number(pl.col(column)) if column in ADDRESSES else pl.col(column)
                for column in _COLUMNS[name]
                if column != "role"
            ]
            found = rows.select(columns).collect(engine="streaming")
            if name == _PAIRS:
                found = of_built_hosts(found, self.plan.hosts, self.plan.networks, addresses)
            yield name, found.with_columns(role=pl.lit(role)).select(_COLUMNS[name])


@frozen
class _Build:
    """Builds the history of the hosts of its share, and writes it."""

    plan: HistoryPlan
    staging: StagingRoot
    scanners: Mapping[str, Scanner]

    def __call__(self, task: Task) -> Frames:
        frames = task.gathered()
        if not frames:
            return

        def rows(name: str) -> pl.LazyFrame:
            if name not in frames:
                return self.scanners[name].no_rows().select(_COLUMNS[name])
            return frames[name].lazy().with_columns(task.addresses.known(pl.col(*ADDRESSES)))

        former = rows(_FORMER) if _FORMER in self.scanners else None
        share = build_share(DayRows(rows(_PAIRS), rows(_TILES), former, task.addresses), self.plan)
        for table, made in share.tables():
            yield written(made, table, self.staging, task.token)
        yield _CONTACTS, share.contacts()


@frozen
class _Prevalence:
    """Puts together what was counted of peers, and names the files of all."""

    plan: HistoryPlan
    staging: StagingRoot

    def __call__(self, task: Task) -> Frames:
        frames = task.gathered()
        if frames:
            yield FILES, frames[FILES]
            rows = prevalence([frames[_CONTACTS]], self.plan)
            yield written(rows, PREVALENCE, self.staging, task.token)
