"""The published files of which the baselines of a date are made, and their rows."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from attrs import frozen

from ndr_adapters.polars.features.baseline_frames import (
    DATE,
    FORMER_COLUMNS,
    FORMER_ROWS_COLUMNS,
    FORMER_SCOPES_COLUMNS,
    SEGMENT,
    SUMMARY_COLUMNS,
    SUMMARY_ROWS_COLUMNS,
    BaselineFrames,
    CellFrames,
)
from ndr_adapters.polars.features.folder_rows import HOST_FOLDERS, FolderRows
from ndr_core.baselines import tables
from ndr_core.baselines.engine import BaselineInputs
from ndr_core.baselines.plan import BaselinePlan
from ndr_core.baselines.tables import BASELINE, BASELINE_ROWS, SUMMARY, SUMMARY_ROWS
from ndr_core.features.days import date_of, day_of_date


@frozen
class BaselineFiles:
    """The files of which the baselines of a date are made."""

    summary: FolderRows
    summary_rows: FolderRows
    former: FolderRows
    former_rows: FolderRows
    horizons: tuple[str, ...]
    """Names of those that go on from the baselines of the date before."""

    @classmethod
    def of(cls, plan: BaselinePlan, inputs: BaselineInputs) -> BaselineFiles:
        """Find them. Raises as `readable_files`, and NdrError for a format that this version does not know."""
        dates = {date_of(date) for one in inputs.horizons for date in (*one.added, *one.removed)}
        going_on = {
            horizon.horizon.name: one.former
            for horizon, one in zip(plan.horizons, inputs.horizons, strict=True)
            if one.former is not None
        }
        former = next(iter(going_on.values()), None)
        summary, summary_rows = (
            FolderRows.of_table(inputs.summaries, table).chosen({"dt": dates})
            for table in (SUMMARY, SUMMARY_ROWS)
        )
        return cls(
            summary,
            summary_rows,
            FolderRows.of_table(former, BASELINE),
            FolderRows.of_table(former, BASELINE_ROWS),
            tuple(going_on),
        )

    @property
    def bytes(self) -> int:
        """Bytes of histograms."""
        return self.summary.bytes + self.former.bytes

    def frames(self) -> BaselineFrames:
        """Give their rows, the histograms of each role and band apart."""
        summaries, formers = (one.folders(HOST_FOLDERS) for one in (self.summary, self.former))
        no_summary, no_former = self.summary.none(), self.former.none()
        cells = [
            self.cells(summaries.get(folder, no_summary), formers.get(folder, no_former))
            for folder in sorted({*summaries, *formers})
        ]
        rows = _dated(self.summary_rows, SUMMARY_ROWS_COLUMNS)
        return BaselineFrames(
            rows,
            self.former_rows.of_hosts(FORMER_ROWS_COLUMNS, self.horizons),
            cells,
            self.former_scopes(self.former),
        )

    def cells(self, summary: FolderRows, former: FolderRows) -> CellFrames:
        """Give the rows of some of the files of histograms."""
        return CellFrames(
            _dated(summary, SUMMARY_COLUMNS), former.of_hosts(FORMER_COLUMNS, self.horizons)
        )

    def former_scopes(self, former: FolderRows) -> pl.LazyFrame:
        """Give the rows of segments and of the network of some of the files of the date before."""
        scopes = (tables.SEGMENT, tables.NETWORK)
        return former.of_scopes(FORMER_SCOPES_COLUMNS, scopes, self.horizons, SEGMENT)


def _dated(files: FolderRows, columns: Sequence[str]) -> pl.LazyFrame:
    """Rows of summaries with their DATE."""
    held = [name for name in columns if name != DATE]
    by_date = [
        of_date.frame(held).with_columns(pl.lit(day_of_date(text), dtype=pl.Int64).alias(DATE))
        for (text,), of_date in files.folders(["dt"]).items()
    ]
    none = files.frame([*held]).with_columns(pl.lit(None, dtype=pl.Int64).alias(DATE))
    return pl.concat(by_date or [none]).select(columns)
