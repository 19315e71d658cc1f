"""The beacon rows of the outbound hosts of a whole day: `windows.regularity` of the core, for many hosts at once."""

from __future__ import annotations

from typing import Final

import polars as pl

from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.features.masks import Sight
from ndr_adapters.polars.features.novelty import HISTORY_DAYS, Known, pair_ages
from ndr_adapters.polars.features.numbered import SESSIONS
from ndr_adapters.polars.features.numbers import SIDE, Numbers, is_outbound
from ndr_adapters.polars.features.pair_cells import PAIR
from ndr_adapters.polars.features.pair_histograms import (
    SECOND,
    SIZE,
    SIZE_OF_BUCKET,
    PairHistograms,
)
from ndr_adapters.polars.features.prevalence import Prevalence
from ndr_adapters.polars.features.ranks import Ranked, medians
from ndr_adapters.polars.features.window_pairs import WindowPairs
from ndr_adapters.polars.runs import run_sums
from ndr_adapters.polars.views import HOST
from ndr_core.deltas.timing import UNANSWERED
from ndr_core.features.networks import Side
from ndr_core.windows.beacon import BEACON_FORMULAS, LEAST_STARTS, MODE_WIDTH, SIZE_WIDTH

_HALF: Final = 50


def regular_pairs(window: WindowPairs, histograms: PairHistograms) -> pl.DataFrame:
    """Give the pairs that make beacon rows, with those of `PAIR_AGGREGATES` that no history tells.

    Sorted by PAIR; also HOST, PEER and PORT.
    """
    is_candidate = (
        is_outbound() & (pl.col(SIDE) != Side.NEITHER.value) & (pl.col(SESSIONS) >= LEAST_STARTS)
    )
    candidates = window.pairs.filter(is_candidate)
    gaps = _gaps(histograms.seconds(candidates.get_column(PAIR)))
    regular = candidates.join(gaps, on=PAIR, how="inner", maintain_order="left")
    sizes = _sizes(histograms, regular.get_column(PAIR))
    is_external = (pl.col(SIDE) == Side.EXTERNAL.value).cast(pl.Int64)
    return regular.join(sizes, on=PAIR, how="left", maintain_order="left").with_columns(
        pl.col(UNANSWERED.name).alias("beacon:unanswered"), is_external.alias("is_external")
    )


def beacon_rows(
    regular: pl.DataFrame,
    numbers: Numbers,
    hosts: pl.DataFrame,
    known: Known,
    sight: Sight | None,
    prevalence: Prevalence | None,
) -> pl.DataFrame:
    """Add what the history tells of regular pairs, and `BEACON_FORMULAS`.

    `hosts`: HOST and `history_days`; `sight`, `prevalence`: None where the history is not known.
    """
    if sight is None or prevalence is None:
        names = ("prevalence_hosts", "beacon:hosts_seen", "age_days", HISTORY_DAYS)
        rows = regular.with_columns(pl.lit(None, dtype=pl.Int64).alias(name) for name in names)
    else:
        ages = pair_ages(known, regular.get_column(PAIR), sight).alias("age_days")
        rows = (
            regular.with_columns(ages, numbers.peer_ip())
            .join(hosts.select(HOST, HISTORY_DAYS), on=HOST, how="left", maintain_order="left")
            .join(prevalence.peers, on="peer_ip", how="left", maintain_order="left")
            .drop("peer_ip")
            .with_columns(
                pl.col("prevalence_hosts").fill_null(0),
                pl.lit(prevalence.hosts_seen, dtype=pl.Int64).alias("beacon:hosts_seen"),
            )
        )
    for formula in BEACON_FORMULAS:
        rows = rows.with_columns(compile_expr(formula.value).alias(formula.name))
    return rows


def beacon_maxima(beacons: pl.DataFrame) -> pl.LazyFrame:
    """Give HOST and `BEACON_AGGREGATES` of hosts with rows of external peers."""
    largest = [pl.max(name).alias(f"{name}_max") for name in ("beacon_score", "beacon_threat")]
    return beacons.lazy().filter(pl.col("is_external") == 1).group_by(HOST).agg(largest)


def _gaps(seconds: pl.DataFrame) -> pl.DataFrame:
    """What the distinct starts of pairs tell, of pairs that have enough: sorted by PAIR. `seconds`: sorted, too."""
    runs = seconds.get_column(PAIR).rle().struct.unnest()
    starts_cnt = runs.get_column("len").cast(pl.Int64)
    last = starts_cnt.cum_sum() - 1
    second = seconds.get_column(SECOND)
    ends = pl.DataFrame(
        {
            PAIR: runs.get_column("value"),
            "gaps_cnt": starts_cnt - 1,
            "beacon:first": second.gather(last - starts_cnt + 1),
            "beacon:last": second.gather(last),
        }
    )
    has_enough = starts_cnt >= LEAST_STARTS
    gaps = (
        seconds.lazy()
        .select(
            PAIR,
            (pl.col(SECOND) - pl.col(SECOND).shift(1)).alias("value"),
            (pl.col(PAIR) == pl.col(PAIR).shift(1)).alias("is_gap"),
            pl.lit(has_enough).gather(pl.col(PAIR).rle_id()).alias("has_enough"),
        )
        .filter("is_gap", "has_enough")
        .select(PAIR, "value")
        .collect()
    )
    # All of these have the pairs with enough starts, in order.
    periods = medians(gaps, PAIR).get_column("median").alias("period_s")
    apart = (pl.col("value") - pl.col("period_s")).abs()
    away = gaps.with_columns(_of_run(periods, PAIR)).with_columns(apart.alias("value"))
    in_mode = (pl.col("value") <= compile_expr(MODE_WIDTH)).cast(pl.Int64)
    modes = run_sums(away.lazy(), [PAIR], in_mode.alias("beacon:mode_gaps")).collect()
    mads = medians(away.select(PAIR, "value"), PAIR).get_column("median").alias("beacon:mad")
    return ends.filter(has_enough).with_columns(periods, modes.get_column("beacon:mode_gaps"), mads)


def _sizes(histograms: PairHistograms, pairs: pl.Series) -> pl.DataFrame:
    """What the bytes sent of pairs tell."""
    cells = histograms.sizes(pairs).with_columns(SIZE_OF_BUCKET)
    median = Ranked.of(cells, PAIR).values(_HALF, SIZE_OF_BUCKET, "bytes_sent_median")
    is_like = (pl.col(SIZE) - pl.col("bytes_sent_median")).abs() <= compile_expr(SIZE_WIDTH)
    like = pl.when(is_like).then("count").otherwise(0).alias("beacon:like_sized")
    with_medians = cells.with_columns(_of_run(median.get_column("bytes_sent_median"), PAIR))
    return median.hstack(run_sums(with_medians.lazy(), [PAIR], like).drop(PAIR).collect())


def _of_run(values: pl.Series, key: str) -> pl.Expr:
    """The value of a row's run of equal keys. `values`: of each run, in order."""
    return pl.lit(values).gather(pl.col(key).rle_id()).alias(values.name)
