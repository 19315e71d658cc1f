"""Samples of metrics that no cell has: windows of which no row tells, and rows whose value is 0."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ndr_adapters.polars.features.metric_cells import arrays, loops
from ndr_adapters.polars.features.metric_codes import GROUP, Codes
from ndr_adapters.polars.features.metric_readouts import ZEROS
from ndr_core.baselines.metrics import Absent, Metric


def with_zeros(
    groups: pl.DataFrame, samples: str, cells: pl.DataFrame, codes: Codes, metrics: Sequence[Metric]
) -> pl.DataFrame:
    """Add ZEROS: of an `Absent.ZERO` metric the samples that are neither in a cell nor unknown.

    `groups`: GROUP in order, each once, and a column of samples; `cells`: in order, of these groups and others,
    unknown ones among them.
    """
    counts = loops().totals(groups.get_column(GROUP).to_numpy(), arrays(cells))
    zeros = (pl.col(samples) - pl.lit(pl.Series(counts))).clip(lower_bound=0)
    is_counted = codes.is_of(one.name for one in metrics if one.absent is Absent.ZERO)
    return groups.with_columns(pl.when(is_counted).then(zeros).otherwise(0).alias(ZEROS))
