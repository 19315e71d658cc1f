"""The reference engine of correlations: the core's reference over published rows, written as Polars writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import field, frozen

from ndr_adapters.polars.write import StagingRoot
from ndr_adapters.reference.features import published_rows, staged
from ndr_core.baselines.tables import BASELINE, BASELINE_ROWS
from ndr_core.correlations.engine import CorrelationInputs
from ndr_core.correlations.plan import CorrelationPlan
from ndr_core.correlations.reference import CorrelationRows, build_correlations
from ndr_core.times import to_us
from ndr_core.windows.tables import FG_A


@frozen
class ReferenceCorrelationEngine:
    """Compares windows with baselines in plain Python, all rows in memory: a `CorrelationEngine`."""

    name: ClassVar[str] = "reference"
    storage_options: dict[str, Any] = field(factory=dict)

    def build(
        self, plan: CorrelationPlan, inputs: CorrelationInputs, staging_root: str
    ) -> Mapping[str, int]:
        windows = published_rows(inputs.windows, FG_A)
        rows = CorrelationRows(
            [row for row in windows if to_us(row["window_end_ts"]) == plan.anchor],
            published_rows(inputs.baselines, BASELINE.name),
            published_rows(inputs.baselines, BASELINE_ROWS.name),
            inputs.dates,
        )
        made = [(plan.table, build_correlations(plan, rows))]
        return staged(made, StagingRoot(staging_root, self.storage_options))
