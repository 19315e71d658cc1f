"""The Polars engine of the pair history: what is published of the days -> staged tables of one day."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Final

from attrs import field, frozen

from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.interruptible import interruptible
from ndr_adapters.polars.features.history_files import (
    FORMER_COLUMNS,
    PAIR_COLUMNS,
    TILE_COLUMNS,
    DayFiles,
    day_files,
)
from ndr_adapters.polars.features.history_kernel import build_share, prevalence
from ndr_adapters.polars.features.history_numbers import DayRows
from ndr_adapters.polars.features.unreadable import unreadable_named
from ndr_adapters.polars.write import StagingRoot, write_named
from ndr_core.history.engine import HistoryInputs
from ndr_core.history.plan import HistoryPlan
from ndr_core.history.tables import PREVALENCE

ROWS_AT_ONCE: Final = 4 << 20
"""Rows of pairs, tiles and former history that are in memory at once, about: a share of the hosts has so many."""


@frozen
class PolarsHistoryEngine:
    """Builds the pair history on one machine, a share of the hosts at a time: a `HistoryEngine`.

    `storage_options`: how Polars reaches S3, where the output lies there.
    """

    name: ClassVar[str] = "polars"
    storage_options: dict[str, Any] = field(factory=dict)
    rows_at_once: int = ROWS_AT_ONCE

    def build(
        self, plan: HistoryPlan, inputs: HistoryInputs, staging_root: str
    ) -> Mapping[str, int]:
        staging = StagingRoot(staging_root, self.storage_options)
        found = day_files(plan, inputs)
        shares = max(1, -(-found.row_count // self.rows_at_once))
        outputs = (inputs.day_pairs, inputs.former, inputs.tiles)
        with full_disk_named(staging_root), unreadable_named(*outputs):
            return interruptible(partial(_build, _rows_of(found), plan, staging, shares))


def _build(
    rows: DayRows, plan: HistoryPlan, staging: StagingRoot, shares: int
) -> Mapping[str, int]:
    staged: dict[str, int] = {}
    contacts = []
    for number in range(shares):
        share = build_share(rows.share(number, shares), plan)
        for table, frame in share.tables():
            staged |= write_named(frame, table, staging, f"part-{number:05}")
        contacts.append(share.contacts())
    return staged | write_named(prevalence(contacts, plan), PREVALENCE, staging, "part-00000")


def _rows_of(found: DayFiles) -> DayRows:
    former = None if found.former is None else found.former.rows(FORMER_COLUMNS)
    return DayRows(found.pairs.rows(PAIR_COLUMNS), found.tiles.rows(TILE_COLUMNS), former)
