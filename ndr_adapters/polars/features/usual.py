"""The baselines with which windows can be compared, by their numbers: what is read off them, and their samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.features.bits import bits_of_middles
from ndr_adapters.polars.features.grid import Grid, numbered, standing
from ndr_adapters.polars.features.tails import Tails
from ndr_adapters.polars.marks import marks
from ndr_core.baselines.buckets import bucket
from ndr_core.baselines.metrics import Absent, Metric
from ndr_core.correlations.ladder import IS_WARM, READ_OFF
from ndr_core.expressions.expr import col

_PLACE: Final = ("scope", "name", "window_label", "horizon")
_MADE_OF: Final = ("is_cold", "hosts_cnt", "samples_cnt", "baseline_shift_flag")
BASELINE_COLUMNS: Final = (*_PLACE, "metric", *READ_OFF, "included", "excluded")
"""What is read of `baseline`."""
ROWS_COLUMNS: Final = (*_PLACE, *_MADE_OF)
"""What is read of `baseline_rows`."""


@frozen
class Usual:
    """What is usual of some metrics: by number, those of the first metric, then those of the second one."""

    by_number: pl.DataFrame
    """`row`: where the row of `baseline` stands, null without one; `n`: samples, null without a baseline; `is_warm`."""
    read_off: pl.DataFrame
    """`READ_OFF`, row by row, and `median_bits`."""
    used: Sequence[pl.Series]
    """The histograms of each row: what was included, and what was excluded, null where it is not used."""

    @classmethod
    def of(
        cls,
        metrics: Sequence[Metric],
        grid: Grid,
        baseline: pl.DataFrame,
        baseline_rows: pl.DataFrame,
    ) -> Usual:
        """Number rows of the two tables. Those that no window of the grid can be compared with are left out."""
        made_of = standing(grid.numbers(baseline_rows), grid.size)
        by_number = baseline_rows.select(pl.col(*_MADE_OF).gather(made_of))
        metric = numbered(baseline.get_column("metric"), [one.name for one in metrics])
        number = grid.numbers(baseline)
        is_shifted = by_number.get_column("baseline_shift_flag").gather(number) == 1
        median = baseline.select(compile_expr(bucket(col("median")))).to_series()
        row = standing(metric * grid.size + number, len(metrics) * grid.size)
        with_scope = by_number.with_columns(grid.scopes())
        return cls(
            _by_number(metrics, with_scope, row, baseline.get_column("n").gather(row)),
            baseline.select(*READ_OFF, bits_of_middles(median).alias("median_bits")),
            baseline.select("included", pl.when(is_shifted).then("excluded")).get_columns(),
        )

    def at_least(self, rows: pl.Series, buckets: pl.Series) -> pl.Series:
        """Count the samples of some rows from a bucket of each on; null where row or bucket is, and for bucket 0."""
        wanted = pl.select(pl.when(buckets > 0).then(rows)).to_series()
        # Most windows have nothing of most metrics: the cells of others alone are unfolded.
        are_needed = marks(wanted.drop_nulls(), self.read_off.height)
        number = (are_needed.cum_sum().cast(pl.Int64) - 1).gather(wanted)
        included, excluded = (
            Tails.of(histograms.filter(are_needed)).at_least(number, buckets)
            for histograms in self.used
        )
        return included + excluded


def _by_number(
    metrics: Sequence[Metric], made_of: pl.DataFrame, row: pl.Series, n: pl.Series
) -> pl.DataFrame:
    """`row`, `n` and `is_warm` of all metrics. `made_of`: by number, of one metric; `row`, `n`: of all metrics."""
    silent = made_of.get_column("samples_cnt")
    unknown = pl.repeat(None, silent.len(), dtype=pl.Int64, eager=True)
    of_silent = pl.concat(silent if one.absent is Absent.ZERO else unknown for one in metrics)
    found = pl.concat([made_of] * len(metrics)).with_columns(
        row.alias("row"), n=pl.when(row.is_not_null()).then(n).otherwise(of_silent)
    )
    return found.select("row", "n", compile_expr(IS_WARM).fill_null(False).alias("is_warm"))
