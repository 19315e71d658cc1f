"""The Polars engine of summaries: published windows of a local date -> staged tables of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Final

from attrs import field, frozen

from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.interruptible import interruptible
from ndr_adapters.polars.features.summary_files import SummaryFiles
from ndr_adapters.polars.features.summary_kernel import SummaryEnds, build_share
from ndr_adapters.polars.features.unreadable import unreadable_named
from ndr_adapters.polars.write import SUMMARIES, StagingRoot, write_named
from ndr_core.baselines.engine import SummaryInputs
from ndr_core.baselines.plan import SummaryPlan

ROWS_AT_ONCE: Final = 1 << 20
"""Rows of windows that are in memory at once, about: of more, a share of the hosts is read at a time."""


@frozen
class PolarsSummaryEngine:
    """Sums up windows on one machine: a `SummaryEngine`.

    `storage_options`: how Polars reaches S3, where the output lies there.
    """

    name: ClassVar[str] = "polars"
    storage_options: dict[str, Any] = field(factory=dict)
    rows_at_once: int = ROWS_AT_ONCE

    def build(
        self, plan: SummaryPlan, inputs: SummaryInputs, staging_root: str
    ) -> Mapping[str, int]:
        staging = StagingRoot(staging_root, self.storage_options)
        ends = SummaryEnds(inputs.ends, inputs.excluded_ends)
        files = SummaryFiles.of(plan, inputs, ends)
        with full_disk_named(staging_root), unreadable_named(inputs.windows, inputs.baselines):
            return interruptible(partial(_build, files, ends, staging, self.rows_at_once))


def _build(
    files: SummaryFiles, ends: SummaryEnds, staging: StagingRoot, rows_at_once: int
) -> Mapping[str, int]:
    staged: dict[str, int] = {}
    for of_role in files.of_roles():
        frames = of_role.frames()
        shares = max(1, -(-of_role.windows.rows // rows_at_once))
        for number in range(shares):
            share = build_share(frames.share(number, shares), files.plan, ends)
            for table, frame in share.tables():
                name = f"part-{number:05}"
                staged |= write_named(frame, table, staging, name, SUMMARIES)
    return staged
