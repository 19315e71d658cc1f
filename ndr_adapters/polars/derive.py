"""Deriving whole rows from what is stored and merges: the last step of building and of merging."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.views import HOST
from ndr_adapters.polars.write import DTYPES
from ndr_core.measures.kinds import (
    Distribution,
    LargestCount,
    Measure,
    cell_aggregates,
    row_formulas,
)


def finish_histogram(
    cells: pl.DataFrame, hosts: pl.DataFrame, distribution: Distribution
) -> list[pl.Series]:
    """Give the stored histogram and what is read off it, aligned with the hosts, which are sorted by HOST.

    `cells`: from `histogram_cells` or `merge_histogram`. A host without any has an empty histogram.
    """
    found = finished(cells, distribution)
    if found.height < hosts.height:
        found = hosts.select(HOST).join(found, on=HOST, how="left", maintain_order="left")
        largest = [one.name for one in distribution.readouts if isinstance(one, LargestCount)]
        found = found.with_columns(pl.col(distribution.histogram).fill_null([])).with_columns(
            pl.col(name).fill_null(0) for name in largest
        )
    return found.drop(HOST).get_columns()


def finished(cells: pl.DataFrame, distribution: Distribution) -> pl.DataFrame:
    """Give HOST, the stored histogram and what is read off it, for each host that has cells.

    `cells`: sorted by host and bucket. The cells of all hosts lie behind each other, so that one running sum ranks
    them all: a host's ranks begin behind those of the hosts before.
    """
    counts = cells.select(pl.col(HOST).set_sorted(), pl.col("bucket", "count").cast(pl.Int64))
    by_host = counts.lazy().group_by(HOST, maintain_order=True)
    histogram = pl.struct("bucket", "count").alias(distribution.histogram)
    found = by_host.agg(
        histogram, pl.sum("count").alias("records"), pl.max("count").alias("largest")
    ).collect()
    records = found.get_column("records")
    before = records.cum_sum() - records
    seen = counts.get_column("count").cum_sum()
    columns = found.select(HOST, distribution.histogram).get_columns()
    for readout in distribution.readouts:
        if isinstance(readout, LargestCount):
            columns.append(found.get_column("largest").alias(readout.name))
            continue
        rank = before + (readout.percent * records + 99) // 100
        holds_rank = counts.get_column("bucket").gather(seen.search_sorted(rank)).alias("bucket")
        value = compile_expr(readout.value).alias(readout.name)
        columns.append(holds_rank.to_frame().select(value).to_series())
    return pl.DataFrame(columns)


def derived_rows(
    hosts: pl.DataFrame, cells: Sequence[pl.DataFrame], measures: Sequence[Measure]
) -> pl.DataFrame:
    """Add the columns that are formulas over a row's sums and the aggregates of its cells.

    Rows that were merged have the sums of which a source tells nothing.
    `cells`: from `summarized`, for each key that the measures need.
    """
    rows = hosts.lazy()
    for part in cells:
        rows = rows.join(part.lazy(), on=HOST, how="left", maintain_order="left")
    # A host whose pairs all lack the key has no cells: what counts them is 0.
    counted = [item.name for items in cell_aggregates(measures).values() for item in items]
    rows = rows.with_columns(pl.col(name).fill_null(0) for name in counted)
    return rows.with_columns(
        compile_expr(value).cast(DTYPES[column_type]).alias(name)
        for name, value, column_type in row_formulas(measures)
        if name not in hosts.columns
    ).collect()
