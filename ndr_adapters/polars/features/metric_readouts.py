"""What is read off many histograms of metrics at once: percentiles and spread, each a value in the metric's unit."""

from __future__ import annotations

from typing import Final

import polars as pl

from ndr_adapters.polars.features.metric_buckets import middles
from ndr_adapters.polars.features.metric_cells import arrays, loops
from ndr_adapters.polars.features.metric_codes import GROUP

ZEROS: Final = "zeros"
"""Column of groups: samples in bucket 0 that are in no cell."""

_PERCENTILES: Final = {"p25": 25, "median": 50, "p75": 75, "p95": 95, "p99": 99}
READOUT: Final = ("n", "median", "p25", "p75", "p95", "p99", "mad", "iqr")
"""Columns of what is read off, as those of `Readout`."""


def read_off(groups: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """Read off histograms: gives GROUP and READOUT of each group, in order. Without samples all but `n` is null.

    `groups`: GROUP in order, each once, and ZEROS; `cells`: in order; those of unknown values are no samples.
    """
    found = loops().readouts(
        groups.get_column(GROUP).to_numpy(),
        groups.get_column(ZEROS).to_numpy(),
        arrays(cells),
        middles().to_numpy(),
        tuple(_PERCENTILES.values()),
    )
    columns = dict(zip(("n", *_PERCENTILES, "mad"), found, strict=True))
    values = pl.DataFrame(columns).with_columns(iqr=pl.col("p75") - pl.col("p25"))
    has_samples = pl.col("n") > 0
    return groups.select(GROUP).with_columns(
        values.select("n", *(pl.when(has_samples).then(name).alias(name) for name in READOUT[1:]))
    )
