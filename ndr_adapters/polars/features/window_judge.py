"""Which windows stand out so far that they are no part of what is usual, compiled for Polars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.features.metric_cells import added_up, exploded
from ndr_adapters.polars.features.metric_codes import GROUP, ROW, Codes
from ndr_adapters.polars.features.metric_readouts import read_off
from ndr_adapters.polars.features.metric_zeros import with_zeros
from ndr_core.baselines.metrics import Metric
from ndr_core.baselines.plan import OUTLIER_Z
from ndr_core.baselines.readout import LEAST_SAMPLES, Z

OPERANDS: Final = ("median", "mad", "iqr")
"""What departures are measured by."""


@frozen
class Judge:
    """What was usual for hosts before a local date, by all of their windows."""

    codes: Codes
    usual: pl.DataFrame
    """GROUP and OPERANDS; absent where there are too few samples."""

    @classmethod
    def of(
        cls, codes: Codes, cells: pl.DataFrame, rows: pl.DataFrame, metrics: Sequence[Metric]
    ) -> Judge:
        """Read off the hosts' baselines of 7 days.

        `cells`: GROUP, `included` and `excluded`, of some metrics; `rows`: ROW and `windows_cnt`.
        """
        whole = added_up([exploded(cells, "included"), exploded(cells, "excluded")])
        of_rows = pl.concat(rows.select(codes.group_of(one.name), "windows_cnt") for one in metrics)
        groups = with_zeros(of_rows.sort(GROUP), "windows_cnt", whole, codes, metrics)
        found = read_off(groups, whole)
        return cls(codes, found.filter(pl.col("n") >= LEAST_SAMPLES).select(GROUP, *OPERANDS))

    def stands_out(self, windows: pl.DataFrame, metrics: Sequence[Metric]) -> pl.Series:
        """Tell of each window whether it lies too far above what is usual in one of some metrics.

        `windows`: ROW and the columns of `fg_a` of which these metrics are made.
        """
        found = pl.repeat(False, windows.height, dtype=pl.Boolean, eager=True)
        for metric in metrics:
            known = self.usual.lazy().filter(self.codes.is_of([metric.name]))
            z = (
                windows.lazy()
                .select(ROW, compile_expr(metric.value).alias("x"))
                .join(
                    known.select(self.codes.row_of(), *OPERANDS),
                    on=ROW,
                    how="left",
                    maintain_order="left",
                )
                .select((compile_expr(Z[metric.unit]) > OUTLIER_Z).fill_null(False))
            )
            found |= z.collect().to_series()
        return found
