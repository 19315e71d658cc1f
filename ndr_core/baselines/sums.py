"""What a host's windows of some local dates add up to: counts, which add and subtract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from typing import Final

from attrs import field, frozen

from ndr_core.baselines.plan import HorizonPlan
from ndr_core.baselines.rows import BaselineTables, HorizonRows, HostKey, PlainRow, SummaryTables
from ndr_core.baselines.tables import BASELINE, BASELINE_ROWS, HOST, SUMMARY, SUMMARY_ROWS
from ndr_core.features.days import day_of_date
from ndr_core.tables.columns import Histogram
from ndr_core.tables.table import Table

HostRole = tuple[str, str]
"""Host and role."""

_NO_CELLS: Final[Histogram] = ()


@frozen
class Sums:
    """Sums over the local dates of a horizon. Without counts of 0."""

    masks: Mapping[HostRole, int]
    """Host and role -> `dates_mask`."""
    rows: Mapping[HostKey, tuple[int, int]]
    """rows_included and rows_excluded."""
    cells: Mapping[tuple[HostKey, str], tuple[Histogram, Histogram]]
    """Key and metric -> included and excluded."""

    def metrics_of(self) -> dict[HostKey, dict[str, tuple[Histogram, Histogram]]]:
        """Give the cells by key, then by metric."""
        found: dict[HostKey, dict[str, tuple[Histogram, Histogram]]] = {}
        for (key, metric), cells in self.cells.items():
            found.setdefault(key, {})[metric] = cells
        return found


def horizon_sums(rows: HorizonRows, plan: HorizonPlan) -> Sums:
    """Add up the summaries of a horizon, or go on from the sums of the date before. Both give equal sums.

    Raises NdrError where the former baselines and the summary of the leaving date do not fit together.
    """
    counts = _Counts()
    counts.add(rows.added, 1)
    masks = _masks(rows.added, plan)
    if rows.former is None:
        return counts.sums(masks)
    counts.go_on(rows.former, plan.horizon.name)
    counts.add(rows.removed, -1)
    before = _former_masks(rows.former, plan.horizon.name)
    whole = (1 << plan.horizon.days) - 1
    for host, mask in before.items():
        masks[host] = masks.get(host, 0) | (mask << 1) & whole
    masks = {host: mask for host, mask in masks.items() if mask}
    left = {host for host, mask in before.items() if mask << 1 & ~whole}
    misfits = {
        *(left ^ _hosts_of(rows.removed)),
        *counts.negative(),
        *(counts.hosts() - masks.keys()),
    }
    if misfits:
        raise plan.misfit(HOST, min(host for host, _ in misfits))
    return counts.sums(masks)


@frozen
class _Counts:
    """Counts that are being added up: by key and kind, and by metric and bucket, too."""

    rows: Counter[tuple[HostKey, bool]] = field(factory=Counter)
    cells: Counter[tuple[HostKey, str, bool, int]] = field(factory=Counter)

    def add(self, tables: SummaryTables, sign: int) -> None:
        for row in map(SUMMARY_ROWS.plain_row, tables.rows):
            self._add_rows(HostKey.of(row), row, sign)
        for row in map(SUMMARY.plain_row, tables.summary):
            self._add_cells(HostKey.of(row), row, sign)

    def go_on(self, former: BaselineTables, horizon: str) -> None:
        for row in of_hosts(BASELINE_ROWS, former.rows, horizon):
            self._add_rows(HostKey.of_baseline(row), row, 1)
        for row in of_hosts(BASELINE, former.baseline, horizon):
            self._add_cells(HostKey.of_baseline(row), row, 1)

    def _add_rows(self, key: HostKey, row: PlainRow, sign: int) -> None:
        self.rows[key, True] += sign * row["rows_included"]
        self.rows[key, False] += sign * row["rows_excluded"]

    def _add_cells(self, key: HostKey, row: PlainRow, sign: int) -> None:
        for is_included, cells in ((True, row["included"]), (False, row["excluded"])):
            for bucket, count in cells:
                self.cells[key, row["metric"], is_included, bucket] += sign * count

    def negative(self) -> Set[HostRole]:
        """The hosts of which something was taken away that was not there."""
        return {
            _host_role(key)
            for counts in (self.rows, self.cells)
            for (key, *_), count in counts.items()
            if count < 0
        }

    def hosts(self) -> Set[HostRole]:
        """The hosts of which something is left."""
        return {
            _host_role(key)
            for counts in (self.rows, self.cells)
            for (key, *_), count in counts.items()
            if count
        }

    def sums(self, masks: Mapping[HostRole, int]) -> Sums:
        kept = {key for (key, _), count in self.rows.items() if count}
        cells: dict[tuple[HostKey, str], tuple[dict[int, int], dict[int, int]]] = {}
        for (key, metric, is_included, bucket), count in self.cells.items():
            if count:
                kinds = cells.setdefault((key, metric), ({}, {}))
                kinds[not is_included][bucket] = count
        return Sums(
            masks,
            {key: (self.rows[key, True], self.rows[key, False]) for key in kept},
            {
                key: (_histogram(included), _histogram(excluded))
                for key, (included, excluded) in cells.items()
            },
        )


def of_hosts(table: Table, rows: Iterable[PlainRow], horizon: str) -> list[PlainRow]:
    """Give the rows of hosts and of a horizon, as the core has them, from those of a baseline."""
    return [
        table.plain_row(row) for row in rows if row["scope"] == HOST and row["horizon"] == horizon
    ]


def _masks(tables: SummaryTables, plan: HorizonPlan) -> dict[HostRole, int]:
    masks: dict[HostRole, int] = {}
    for row in tables.rows:
        host = row["host_ip"], row["role"]
        masks[host] = masks.get(host, 0) | plan.date_bit(day_of_date(row["dt"]))
    return masks


def _former_masks(former: BaselineTables, horizon: str) -> dict[HostRole, int]:
    rows = of_hosts(BASELINE_ROWS, former.rows, horizon)
    return {(row["name"], row["role"]): row["dates_mask"] for row in rows}


def _hosts_of(tables: SummaryTables) -> Set[HostRole]:
    return {(row["host_ip"], row["role"]) for row in tables.rows}


def _host_role(key: HostKey) -> HostRole:
    return key.host_ip, key.role


def _histogram(cells: Mapping[int, int]) -> Histogram:
    return tuple(sorted(cells.items()))
