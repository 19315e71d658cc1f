"""The reference engines of baselines: the core's reference over published rows, written as Polars writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import polars as pl
from attrs import field, frozen

from ndr_adapters.polars.write import StagingRoot
from ndr_adapters.reference.features import published_rows, staged
from ndr_core.baselines.engine import BaselineInputs, HorizonInputs, SummaryInputs
from ndr_core.baselines.plan import BaselinePlan, SummaryPlan
from ndr_core.baselines.reference import baseline_tables, summary_tables
from ndr_core.baselines.rows import BaselineTables, HorizonRows, SummaryRows, SummaryTables
from ndr_core.baselines.tables import (
    BASELINE,
    BASELINE_ROWS,
    BASELINE_TABLES,
    SUMMARY,
    SUMMARY_ROWS,
    SUMMARY_TABLES,
)
from ndr_core.features.days import date_of
from ndr_core.publishing.pinned import PinnedTables
from ndr_core.tables.merge import Row
from ndr_core.times import to_us
from ndr_core.windows.labels import WindowLabel
from ndr_core.windows.tables import FG_A


@frozen
class ReferenceSummaryEngine:
    """Sums up windows in plain Python, all rows in memory: a `SummaryEngine`."""

    name: ClassVar[str] = "reference"
    storage_options: dict[str, Any] = field(factory=dict)

    def build(
        self, plan: SummaryPlan, inputs: SummaryInputs, staging_root: str
    ) -> Mapping[str, int]:
        windows = published_rows(inputs.windows, FG_A)
        rows = SummaryRows(
            _that_end(windows, inputs.ends),
            _that_end(windows, inputs.excluded_ends),
            _baselines(inputs.baselines),
        )
        tables = summary_tables(plan, rows)
        made = [(table, tables[table.name]) for table in SUMMARY_TABLES]
        return staged(made, StagingRoot(staging_root, self.storage_options))


@frozen
class ReferenceBaselineEngine:
    """Makes baselines in plain Python, all rows in memory: a `BaselineEngine`."""

    name: ClassVar[str] = "reference"
    storage_options: dict[str, Any] = field(factory=dict)

    def build(
        self, plan: BaselinePlan, inputs: BaselineInputs, staging_root: str
    ) -> Mapping[str, int]:
        tables = baseline_tables(plan, [_horizon(one, inputs) for one in inputs.horizons])
        made = [(table, tables[table.name]) for table in BASELINE_TABLES]
        return staged(made, StagingRoot(staging_root, self.storage_options))


def _horizon(horizon: HorizonInputs, inputs: BaselineInputs) -> HorizonRows:
    return HorizonRows(
        _summaries(inputs.summaries, horizon.added),
        _summaries(inputs.summaries, horizon.removed),
        None if horizon.former is None else _baselines(horizon.former),
    )


def _summaries(published: PinnedTables, dates: Iterable[int]) -> SummaryTables:
    """The summaries of some local dates."""
    texts = [date_of(date) for date in dates]
    of_dates = pl.col("dt").is_in(texts)
    return SummaryTables(
        published_rows(published, SUMMARY.name, of_dates),
        published_rows(published, SUMMARY_ROWS.name, of_dates),
    )


def _baselines(published: PinnedTables | None) -> BaselineTables:
    if published is None:
        return BaselineTables()
    return BaselineTables(
        published_rows(published, BASELINE.name), published_rows(published, BASELINE_ROWS.name)
    )


def _that_end(rows: Iterable[Row], ends: Mapping[int, tuple[WindowLabel, ...]]) -> list[Row]:
    """The rows of some windows, each by its end and its label."""
    wanted = {(end, label.name) for end, labels in ends.items() for label in labels}
    return [row for row in rows if (to_us(row["window_end_ts"]), row["window_label"]) in wanted]
