"""The published files of which the summary of a local date is made, and their rows."""

from __future__ import annotations

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
from ndr_core.baselines.tables import BASELINE, BASELINE_ROWS
from ndr_core.windows.plan import ROLE_NAMES
from ndr_core.windows.tables import FG_A


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
        wanted = {*ends.included, *ends.excluded}
        return cls(
            plan,
            FolderRows.of_runs(inputs.windows, FG_A).ending(wanted),
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
            self.judge.of_hosts(JUDGE_COLUMNS, [JUDGING_HORIZON]),
            self.judge_rows.of_hosts(JUDGE_ROWS_COLUMNS, [JUDGING_HORIZON]),
        )
