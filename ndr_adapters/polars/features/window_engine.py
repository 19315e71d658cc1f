"""The Polars engine of windows: published deltas, pairs and history -> staged tables of one anchor."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Final

from attrs import field, frozen

from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.interruptible import interruptible
from ndr_adapters.polars.features.unreadable import unreadable_named
from ndr_adapters.polars.features.window_files import WindowFiles, window_files
from ndr_adapters.polars.features.window_kernel import Anchor, build_windows
from ndr_adapters.polars.write import StagingRoot, write_named
from ndr_core.deltas.roles import OUTBOUND
from ndr_core.features.networks import Hosts
from ndr_core.windows.engine import WindowInputs
from ndr_core.windows.plan import ROLE_NAMES, WindowPlan
from ndr_core.windows.tables import BEACON

ROWS_AT_ONCE: Final = 16 << 20
"""Rows of pairs that are in memory at once, about: of more, a share of the hosts is read at a time."""


@frozen
class PolarsWindowEngine:
    """Builds windows on one machine: a `WindowEngine`.

    `storage_options`: how Polars reaches S3, where the output lies there.
    """

    name: ClassVar[str] = "polars"
    storage_options: dict[str, Any] = field(factory=dict)
    rows_at_once: int = ROWS_AT_ONCE

    def build(self, plan: WindowPlan, inputs: WindowInputs, staging_root: str) -> Mapping[str, int]:
        staging = StagingRoot(staging_root, self.storage_options)
        anchor = Anchor.of(inputs)
        files = window_files(inputs, anchor.intervals)
        roles = ROLE_NAMES if plan.hosts is Hosts.ALL else (OUTBOUND.name,)
        shares = max(1, -(-files.pairs.count(roles) // self.rows_at_once))
        with full_disk_named(staging_root), unreadable_named(inputs.deltas, inputs.features):
            return interruptible(partial(_build, files, plan, anchor, staging, shares))


def _build(
    files: WindowFiles, plan: WindowPlan, anchor: Anchor, staging: StagingRoot, shares: int
) -> Mapping[str, int]:
    source = anchor.day_history
    prevalence = None if source is None else files.prevalence(source, plan.networks)
    staged: dict[str, int] = {}
    parts = (
        part
        for share in files.frames().shares(shares)
        for part in build_windows(share, plan, anchor, prevalence)
    )
    for number, part in enumerate(parts):
        for rows, table in ((part.fg_a, plan.fg_a), (part.beacons, BEACON)):
            staged |= write_named(rows.sort(table.keys), table, staging, f"part-{number:05}")
    return staged
