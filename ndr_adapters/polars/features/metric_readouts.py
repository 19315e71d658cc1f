"""What is read off many histograms of metrics at once: percentiles and spread, each a value in the metric's unit."""

from __future__ import annotations

from typing import Final

import polars as pl

from ndr_adapters.polars.features.metric_buckets import middles
from ndr_adapters.polars.features.metric_codes import GROUP
from ndr_adapters.polars.runs import run_sums

ZEROS: Final = "zeros"
"""Column of groups: samples in bucket 0 that are in no cell."""

PERCENTILES: Final = {"median": 50, "p25": 25, "p75": 75, "p95": 95, "p99": 99}
READOUT: Final = ("n", *PERCENTILES, "mad", "iqr")
"""Columns of what is read off, as those of `Readout`."""

_LIMITS: Final = ("median", "least", "most")
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
    found_in = {name: _cells(places, percent, seen) for name, percent in PERCENTILES.items()}
    values = (
        pl.lit(cells.get_column("bucket").gather(one)).fill_null(0).alias(name)
        for name, one in found_in.items()
    )
    counts = cells.get_column("count").gather(found_in["median"])
    held = pl.lit(counts).fill_null(pl.col(ZEROS)).alias("held")
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


def _cells(places: pl.DataFrame, percent: int, seen: pl.Series) -> pl.Series:
    """Of each group the place of the cell with a percentile's sample, that of nearest rank; null among its zeros."""
    rank = (percent * pl.col("n") + 99) // 100 - pl.col(ZEROS)
    wanted = places.select(pl.col("before").fill_null(0) + rank).to_series()
    return places.select(pl.when(rank > 0).then(pl.lit(seen.search_sorted(wanted)))).to_series()


def _spread(found: pl.DataFrame, cells: pl.DataFrame) -> pl.Series:
    """Median distance of samples from the median of their group.

    It is no less than the distance of the nearer quartile, as fewer than half of the samples lie between both, and no
    more than that of the other, as at least half lie from one to the other. So few cells are sorted by their distance.
    """
    half = (pl.col("n") + 1) // 2
    # Where half of the samples lie in the bucket of the median, their distance is 0.
    is_spread = (pl.col("held") < half) & (pl.col("n") > 0)
    flags = found.select(is_spread).to_series()
    of_cells = _with_limits(found.filter(pl.col("before").is_not_null()), is_spread, half)
    spread = of_cells.filter("is_spread")
    samples = [_samples(of_cells, cells), _samples_of_zeros(spread)]
    counts = pl.concat(_counts(one) for one in samples).group_by("run").sum()
    ranks = (
        spread.lazy()
        .select("run", "half")
        .join(counts, on="run", how="left", maintain_order="left")
        .select(pl.col("other").cum_sum() - pl.col("other") + pl.col("half") - pl.col("nearer"))
        .collect()
        .to_series()
    )
    ordered = _by_distance(
        pl.concat(one.filter(~pl.col("is_nearer")).drop("is_nearer") for one in samples)
    )
    places = ordered.get_column("count").cum_sum().search_sorted(ranks)
    distances = ordered.get_column("distance").gather(places)
    none = found.select(pl.when(pl.col("n") > 0).then(pl.lit(0, dtype=pl.Int64))).to_series()
    return none.scatter(flags.arg_true(), distances)


def _with_limits(groups: pl.DataFrame, is_spread: pl.Expr, half: pl.Expr) -> pl.DataFrame:
    """Groups that have cells, with the least and the most that their spread can be: `most` is -1 where it is 0."""
    quartiles = (pl.col("median") - pl.col("p25"), pl.col("p75") - pl.col("median"))
    return (
        groups.lazy()
        .select(
            "median",
            ZEROS,
            half.alias("half"),
            is_spread.alias("is_spread"),
            pl.min_horizontal(quartiles).alias("least"),
            pl.when(is_spread).then(pl.max_horizontal(quartiles)).otherwise(-1).alias("most"),
        )
        .with_row_index("run")
        .collect()
    )


def _samples(groups: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """The cells that are not too far away, in the order of their groups.

    Gives `run`, `distance`, `count`, and `is_nearer`: whether they are too near.
    """
    run = cells.get_column(GROUP).rle_id()
    of_run = {name: pl.lit(groups.get_column(name)).gather("run") for name in _LIMITS}
    distance = (pl.lit(middles()).gather("bucket") - of_run["median"]).abs().alias("distance")
    return (
        pl.DataFrame({"run": run, "bucket": cells["bucket"], "count": cells["count"]})
        .lazy()
        .select("run", distance, "count", of_run["most"].alias("most"))
        .filter(pl.col("distance") <= pl.col("most"))
        .drop("most")
        .with_columns(is_nearer=pl.col("distance") < of_run["least"])
        .collect()
    )


def _samples_of_zeros(groups: pl.DataFrame) -> pl.DataFrame:
    """The same of samples in bucket 0 that are in no cell."""
    is_near = (pl.col(ZEROS) > 0) & (pl.col("median") <= pl.col("most"))
    return groups.filter(is_near).select(
        "run",
        pl.col("median").alias("distance"),
        pl.col(ZEROS).alias("count"),
        is_nearer=pl.col("median") < pl.col("least"),
    )


def _counts(samples: pl.DataFrame) -> pl.LazyFrame:
    """How many samples of each `run` are `nearer`, and how many `other`."""
    nearer = (pl.col("count") * pl.col("is_nearer")).alias("nearer")
    other = (pl.col("count") * ~pl.col("is_nearer")).alias("other")
    return run_sums(samples.lazy(), ["run"], nearer, other)


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
