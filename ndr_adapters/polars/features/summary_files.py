"""The published files of which the summary of a local date is made, and their rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
from attrs import evolve, frozen

from ndr_adapters.polars.features.folder_rows import FolderRows
from ndr_adapters.polars.features.summary_kernel import (
    JUDGE_COLUMNS,
    JUDGE_ROWS_COLUMNS,
    WINDOW_KEYS,
    SummaryEnds,
    SummaryFrames,
    window_columns,
)
from ndr_core.baselines.engine import SummaryInputs
from ndr_core.baselines.judge import JUDGING_HORIZON
from ndr_core.baselines.plan import SummaryPlan
from ndr_core.baselines.tables import BASELINE, BASELINE_ROWS, HOST
from ndr_core.publishing.manifest import OutputFile
from ndr_core.tables.slices import place_us
from ndr_core.windows.plan import ROLE_NAMES
from ndr_core.windows.tables import FG_A

_JUDGES: Final = (pl.col("scope") == HOST) & (pl.col("horizon") == JUDGING_HORIZON)


@frozen
class SummaryFiles:
    """The files of which the summary of a local date is made."""

    plan: SummaryPlan
    windows: FolderRows
    judge: FolderRows
    judge_rows: FolderRows

    @classmethod
    def of(cls, plan: SummaryPlan, inputs: SummaryInputs, ends: SummaryEnds) -> SummaryFiles:
        """Find them. Raises as `readable_files`, and NdrError for a format that this version does not know."""
        windows = FolderRows.of_runs(inputs.windows, FG_A)
        wanted = {*ends.included, *ends.excluded}
        files = tuple(file for file in windows.files if _end(file) in wanted)
        return cls(
            plan,
            evolve(windows, files=files),
            FolderRows.of_table(inputs.baselines, BASELINE),
            FolderRows.of_table(inputs.baselines, BASELINE_ROWS),
        )

    def of_roles(self) -> list[SummaryFiles]:
        """Part them by role, of those that have windows: their hosts can be summed up by themselves."""
        roles = ({"role": [role]} for role in ROLE_NAMES)
        parts = (
            evolve(
                self,
                windows=self.windows.chosen(role),
                judge=self.judge.chosen(role),
                judge_rows=self.judge_rows.chosen(role),
            )
            for role in roles
        )
        return [part for part in parts if part.windows.files]

    def frames(self) -> SummaryFrames:
        """Give their rows."""
        return SummaryFrames(
            self.windows.frame((*WINDOW_KEYS, *window_columns(self.plan))),
            _of_hosts(self.judge, JUDGE_COLUMNS),
            _of_hosts(self.judge_rows, JUDGE_ROWS_COLUMNS),
        )


def _end(file: OutputFile) -> int:
    """The end of the windows of a file, us."""
    assert file.slice is not None
    return place_us(file.slice)


def _of_hosts(files: FolderRows, columns: Sequence[str]) -> pl.LazyFrame:
    """Rows of baselines by which windows are judged."""
    held = ["name" if name == "host_ip" else name for name in columns]
    rows = files.frame([*held, "scope", "horizon"]).filter(_JUDGES)
    return rows.rename({"name": "host_ip"}).select(columns)
