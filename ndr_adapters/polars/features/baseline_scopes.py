"""The baselines of segments and of the network, compiled for Polars: what the hosts of all shares use, put together."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from ndr_adapters.polars.features.baseline_hosts import FIRST, covered_windows, first_bit
from ndr_adapters.polars.features.baseline_kernel import (
    SEGMENT,
    USED,
    Used,
    added_rows,
    baseline_rows,
    baselines,
    used_cells,
)
from ndr_adapters.polars.features.metric_cells import added_up, exploded, groups_of, histograms
from ndr_adapters.polars.features.metric_codes import GROUP, NAME, ROW, Codes
from ndr_adapters.polars.features.metric_readouts import read_off
from ndr_adapters.polars.features.metric_zeros import with_zeros
from ndr_core.baselines.plan import BaselinePlan
from ndr_core.baselines.tables import NETWORK


def total(parts: Iterable[Used], plan: BaselinePlan) -> Used:
    """Add up what hosts use, each key once."""
    found = list(parts)
    rows = added_rows(pl.concat(one.rows for one in found).lazy())
    cells = pl.concat(one.cells for one in found)
    codes = _codes(cells.get_column(SEGMENT), plan)
    return Used(rows, used_cells(_added(cells, codes), codes))


def of_network(used: Used, plan: BaselinePlan) -> Used:
    """Add up what the hosts of segments use, as that of one segment, whose name is that of the network."""
    one = pl.lit(NETWORK).alias(SEGMENT)
    return total([Used(used.rows.with_columns(one), used.cells.with_columns(one))], plan)


def scope_tables(used: Used, scope: str, plan: BaselinePlan) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Make the rows of `baseline` and `baseline_rows` of segments, or of the network, sorted by role, band and key.

    `used`: all that there is of these, each key once.
    """
    codes = _codes(used.rows.get_column(SEGMENT), plan)
    place = _place(codes)
    covered = covered_windows(plan).lazy()
    on = [FIRST, "horizon", "time_band", "window_label"]
    is_cold = pl.col("support_days") < pl.col("least_support")
    rows = (
        used.rows.lazy()
        .with_columns(place, first_bit())
        .join(covered.drop("windows_cnt"), on=on, how="left")
        .with_columns(codes.row(), is_cold.cast(pl.Int64).alias("is_cold"))
        .sort(ROW)
        .rename({SEGMENT: "name"})
        .collect()
    )
    cells = _added(used.cells, codes)
    groups = groups_of([cells]).to_frame().lazy().with_columns(codes.row_of())
    samples = groups.join(
        rows.lazy().select(ROW, "samples_cnt"), on=ROW, how="left", maintain_order="left"
    )
    zeros = with_zeros(samples, "samples_cnt", cells, codes, plan.metrics)
    read = read_off(zeros, cells.filter(pl.col("bucket") >= 0))
    found = (
        read.lazy()
        .with_columns(codes.row_of(), codes.metric_of())
        .with_columns(
            *codes.key("name"),
            included=pl.lit(histograms(read.get_column(GROUP), cells)),
            excluded=pl.lit(histograms(read.get_column(GROUP), cells.clear())),
        )
    )
    return baselines(found, scope, plan), baseline_rows(rows.lazy(), scope, plan)


def _codes(names: pl.Series, plan: BaselinePlan) -> Codes:
    return Codes.of(
        names.unique().sort(),
        (label.name for label in plan.labels),
        (metric.name for metric in plan.metrics),
        (one.horizon.name for one in plan.horizons),
    )


def _place(codes: Codes) -> pl.Expr:
    places = pl.int_range(codes.names.len(), dtype=pl.UInt32, eager=True)
    return pl.col(SEGMENT).replace_strict(codes.names, places).alias(NAME)


def _added(cells: pl.DataFrame, codes: Codes) -> pl.DataFrame:
    """The cells of histograms, each once."""
    numbered = cells.lazy().with_columns(_place(codes)).select(codes.group(), USED).collect()
    return added_up([exploded(numbered, USED)])
