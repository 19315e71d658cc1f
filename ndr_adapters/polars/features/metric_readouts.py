"""What is read off many histograms of metrics at once: percentiles and spread, each a value in the metric's unit."""

from __future__ import annotations

from typing import Final

import polars as pl

from ndr_adapters.polars.features.metric_buckets import middles
from ndr_adapters.polars.features.metric_codes import GROUP

ZEROS: Final = "zeros"
"""Column of groups: samples in bucket 0 that are in no cell."""

PERCENTILES: Final = {"median": 50, "p25": 25, "p75": 75, "p95": 95, "p99": 99}
READOUT: Final = ("n", *PERCENTILES, "mad", "iqr")
"""Columns of what is read off, as those of `Readout`."""

_KEY_BITS: Final = 62


def read_off(groups: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """Read off histograms: gives GROUP and READOUT of each group, in order. Without samples all but `n` is null.

    `groups`: GROUP in order, each once, and ZEROS; `cells`: in order, of no other groups, of buckets from 0 on.
    """
    runs = cells.get_column(GROUP).rle().struct.unnest()
    seen = cells.get_column("count").cum_sum()
    after = seen.gather(runs.get_column("len").cast(pl.Int64).cum_sum() - 1)
    known = pl.DataFrame(
        {GROUP: runs.get_column("value"), "before": after.shift(1, fill_value=0), "after": after}
    )
    places = (
        groups.lazy()
        .select(GROUP, ZEROS)
        .join(known.lazy(), on=GROUP, how="left", maintain_order="left")
        .with_columns(n=(pl.col("after") - pl.col("before")).fill_null(0) + pl.col(ZEROS))
        .collect()
    )
    values = [
        _at(places, percent, seen, cells.get_column("bucket"), 0).alias(name)
        for name, percent in PERCENTILES.items()
    ]
    held = _at(places, 50, seen, cells.get_column("count"), ZEROS).alias("held")
    its_middles = (
        pl.when(pl.col("n") > 0).then(pl.lit(middles()).gather(name)).alias(name)
        for name in PERCENTILES
    )
    found = places.with_columns(*values, held).with_columns(*its_middles)
    return found.select(
        GROUP,
        "n",
        *PERCENTILES,
        _spread(found, cells).alias("mad"),
        (pl.col("p75") - pl.col("p25")).alias("iqr"),
    )


def _at(
    places: pl.DataFrame, percent: int, seen: pl.Series, of_cells: pl.Series, of_zeros: int | str
) -> pl.Series:
    """Of each group the value of the cell with a percentile's sample, that of nearest rank, or that of its zeros."""
    rank = (percent * pl.col("n") + 99) // 100 - pl.col(ZEROS)
    wanted = places.select(pl.col("before").fill_null(0) + rank).to_series()
    # One more: a sample among the zeros of the last group may lie behind all cells.
    found = _with_one_more(of_cells).gather(seen.search_sorted(wanted))
    zeros = pl.col(of_zeros) if isinstance(of_zeros, str) else pl.lit(of_zeros, dtype=pl.Int64)
    return places.select(pl.when(rank <= 0).then(zeros).otherwise(pl.lit(found))).to_series()


def _spread(found: pl.DataFrame, cells: pl.DataFrame) -> pl.Series:
    """Median distance of samples from the median of their group."""
    half = (pl.col("n") + 1) // 2
    # Where half of the samples lie in the bucket of the median, their distance is 0.
    is_spread = (pl.col("held") < half) & (pl.col("n") > 0)
    flags = found.select(is_spread).to_series()
    of_cells = found.filter(pl.col("before").is_not_null()).select(
        "median", "n", ZEROS, half.alias("half"), is_spread.alias("is_spread")
    )
    run = cells.get_column(GROUP).rle_id()
    is_chosen = of_cells.get_column("is_spread").gather(run)
    chosen = pl.DataFrame({"run": run, "bucket": cells["bucket"], "count": cells["count"]}).filter(
        is_chosen
    )
    middle = pl.lit(middles()).gather("bucket")
    median = pl.lit(of_cells.get_column("median")).gather("run")
    of_chosen = chosen.select("run", (middle - median).abs().alias("distance"), "count")
    spread = of_cells.with_row_index("run").filter("is_spread")
    of_zeros = spread.filter(pl.col(ZEROS) > 0).select(
        "run", pl.col("median").alias("distance"), pl.col(ZEROS).alias("count")
    )
    ordered = _by_distance(pl.concat([of_chosen, of_zeros]))
    ranks = spread.select(pl.col("n").cum_sum() - pl.col("n") + pl.col("half")).to_series()
    places = ordered.get_column("count").cum_sum().search_sorted(ranks)
    distances = ordered.get_column("distance").gather(places)
    none = found.select(pl.when(pl.col("n") > 0).then(pl.lit(0, dtype=pl.Int64))).to_series()
    return none.scatter(flags.arg_true(), distances)


def _by_distance(samples: pl.DataFrame) -> pl.DataFrame:
    """Samples sorted by `run` and `distance`."""
    ends = samples.select(pl.max("run", "distance")).row(0)
    runs, distances = (0 if end is None else int(end).bit_length() for end in ends)
    if runs + distances > _KEY_BITS:
        return samples.sort("run", "distance").select("distance", "count")
    size = pl.lit(1 << distances, dtype=pl.Int64)
    key = pl.col("run").cast(pl.Int64) * size + pl.col("distance")
    ordered = samples.select(key.alias("key"), "count").sort("key")
    return ordered.select((pl.col("key") % size).alias("distance"), "count")


def _with_one_more(values: pl.Series) -> pl.Series:
    return pl.concat([values, pl.Series(values.name, [0], dtype=values.dtype)])
