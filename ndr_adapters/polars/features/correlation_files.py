"""The published files of which the correlations of an anchor are made, and their rows."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from attrs import frozen

from ndr_adapters.polars.features.correlation_kernel import window_columns
from ndr_adapters.polars.features.folder_rows import FolderRows
from ndr_adapters.polars.features.usual import BASELINE_COLUMNS, ROWS_COLUMNS
from ndr_core.baselines.tables import BASELINE, BASELINE_ROWS, HOST, NETWORK
from ndr_core.correlations.engine import CorrelationInputs
from ndr_core.correlations.plan import BaselineDate, BaselineDates, CorrelationPlan
from ndr_core.features.days import date_of
from ndr_core.windows.plan import ROLE_NAMES
from ndr_core.windows.tables import FG_A


@frozen
class UsualFiles:
    """Files of the baselines of one role, date and band."""

    baseline: FolderRows
    baseline_rows: FolderRows

    def of_hosts(self, first: str, last: str) -> tuple[pl.LazyFrame, pl.LazyFrame]:
        """Give the rows of hosts from one address to another one, in the order of texts: those of both tables."""
        its_name = pl.col("name").is_between(pl.lit(first), pl.lit(last))
        return self._where((pl.col("scope") == HOST) & its_name)

    def of_others(self, segments: pl.Series) -> tuple[pl.LazyFrame, pl.LazyFrame]:
        """Give the rows of some segments, and of the network, likewise."""
        names = [*segments, NETWORK]
        return self._where((pl.col("scope") != HOST) & pl.col("name").is_in(names))

    def _where(self, condition: pl.Expr) -> tuple[pl.LazyFrame, pl.LazyFrame]:
        return (
            self.baseline.frame(BASELINE_COLUMNS).filter(condition),
            self.baseline_rows.frame(ROWS_COLUMNS).filter(condition),
        )


@frozen
class CorrelationFiles:
    """The files of which the correlations of an anchor are made."""

    plan: CorrelationPlan
    dates: BaselineDates
    windows: FolderRows
    baseline: FolderRows
    baseline_rows: FolderRows

    @classmethod
    def of(cls, plan: CorrelationPlan, inputs: CorrelationInputs) -> CorrelationFiles:
        """Find them. Raises as `readable_files`, and NdrError for a format that this version does not know."""
        return cls(
            plan,
            inputs.dates,
            FolderRows.of_runs(inputs.windows, FG_A).ending([plan.anchor]),
            FolderRows.of_table(inputs.baselines, BASELINE),
            FolderRows.of_table(inputs.baselines, BASELINE_ROWS),
        )

    def of_windows(self, role: str) -> pl.LazyFrame | None:
        """Give the windows of one role that are compared; None where there is none of the role."""
        files = self.windows.chosen({"role": [role]})
        if not files.files:
            return None
        its_label = pl.col("window_label").is_in([one.name for one in self.plan.labels])
        return files.frame(window_columns(self.plan)).filter(its_label)

    def usual(self, role: str, date: BaselineDate, band: str) -> UsualFiles:
        """Choose the files of the baselines with which windows are compared: none of a date that is not known."""
        wanted = {
            "role": [role],
            "dt": [date_of(date.date)] if date.is_known else [],
            "time_band": [band],
        }
        return UsualFiles(self.baseline.chosen(wanted), self.baseline_rows.chosen(wanted))

    def labels_of(self, date: BaselineDate) -> list[str]:
        """Name the windows that are compared with the baselines of a date."""
        return [label.name for label, its_date in self.dates.items() if its_date == date]

    def parts(self) -> Iterator[tuple[str, BaselineDate, str, pl.DataFrame]]:
        """Read the windows that are compared with baselines of one role, date and band: these, and the windows."""
        for role in ROLE_NAMES:
            found = self.of_windows(role)
            if found is None:
                continue
            windows = found.collect()
            for date in dict.fromkeys(self.dates.values()):
                of_date = windows.filter(pl.col("window_label").is_in(self.labels_of(date)))
                for part in of_date.partition_by("time_band", maintain_order=True):
                    yield role, date, part.item(0, "time_band"), part
