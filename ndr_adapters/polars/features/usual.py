"""The baselines with which windows can be compared, by their numbers: what is read off them, and their samples."""

from __future__ import annotations

from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.features.grid import Grid, numbered, standing
from ndr_adapters.polars.features.tails import Tails
from ndr_core.baselines.metrics import Absent, Metric
from ndr_core.correlations.ladder import IS_WARM, READ_OFF

_PLACE: Final = ("scope", "name", "window_label", "horizon")
_MADE_OF: Final = ("is_cold", "hosts_cnt", "samples_cnt", "baseline_shift_flag")
BASELINE_COLUMNS: Final = (*_PLACE, "metric", *READ_OFF, "included", "excluded")
"""What is read of `baseline`."""
ROWS_COLUMNS: Final = (*_PLACE, *_MADE_OF)
"""What is read of `baseline_rows`."""


@frozen
class Usual:
    """All rows of `baseline` of which windows need one."""

    metrics: tuple[Metric, ...]
    by_number: pl.DataFrame
    """`scope`, and the columns of `_MADE_OF`: these are null where there is no baseline."""
    read_off: pl.DataFrame
    """`READ_OFF`, row by row."""
    rows: pl.Series
    """Metric by metric, and number by number: where the row stands; null where there is none."""
    included: Tails
    excluded: Tails
    """Of the rows that use what was excluded; of others nothing."""

    @classmethod
    def of(
        cls,
        metrics: tuple[Metric, ...],
        grid: Grid,
        baseline: pl.DataFrame,
        baseline_rows: pl.DataFrame,
    ) -> Usual:
        """Number rows of the two tables. Those that no window of the grid can be compared with are left out."""
        made_of, numbers = _with_number(baseline_rows, grid.numbers(baseline_rows))
        by_number = made_of.select(pl.col(*_MADE_OF).gather(standing(numbers, grid.size)))
        metric = numbered(baseline.get_column("metric"), [one.name for one in metrics])
        rows, places = _with_number(baseline, metric * grid.size + grid.numbers(baseline))
        is_shifted = by_number.get_column("baseline_shift_flag").gather(places % grid.size) == 1
        return cls(
            metrics,
            by_number.with_columns(grid.scopes()),
            rows.select(READ_OFF),
            standing(places, len(metrics) * grid.size),
            Tails.of(rows.get_column("included")),
            Tails.of(rows.select(pl.when(is_shifted).then("excluded")).to_series()),
        )

    def of_metric(self, metric: Metric) -> pl.DataFrame:
        """Give the baselines of a metric, number by number.

        `row`: where its row stands, null without one; `n`: its samples, null without a baseline; `is_warm`.
        """
        size = self.by_number.height
        row = self.rows.slice(self.metrics.index(metric) * size, size)
        n = self.read_off.get_column("n").gather(row)
        found = self.by_number.with_columns(row.alias("row"), n.alias("n"))
        if metric.absent is Absent.ZERO:
            of_silent = pl.when(pl.col("row").is_null()).then("samples_cnt").otherwise("n")
            found = found.with_columns(of_silent.alias("n"))
        return found.select("row", "n", compile_expr(IS_WARM).fill_null(False).alias("is_warm"))

    def at_least(self, rows: pl.Series, buckets: pl.Series) -> pl.Series:
        """Count the samples of some rows from a bucket of each on, but for bucket 0; null where row or bucket is."""
        return self.included.at_least(rows, buckets) + self.excluded.at_least(rows, buckets)


def _with_number(rows: pl.DataFrame, numbers: pl.Series) -> tuple[pl.DataFrame, pl.Series]:
    """The rows that have a number, and their numbers."""
    has_one = numbers.is_not_null()
    return rows.filter(has_one), numbers.filter(has_one)
