"""Histograms of the pair table: which sessions of a pair began when, and how many bytes they sent.

A session's pair and bucket are one integer. Once these are sorted, equal ones lie behind each other and are counted as
runs: that is several times faster than a list for each pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import polars as pl

from ndr_adapters.polars import cell_counts
from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.keys import packed_keys
from ndr_adapters.polars.views import HOST
from ndr_core.deltas.timing import TIMING_HISTOGRAMS, PairHistogram

_NUMBER_BITS: Final = 31
_PAIR: Final = "pair"
ROWS: Final = "rows"
"""Column of grouped rows: how many of them there are of a pair."""

HISTOGRAM_BY_NAME: Final = {one.name: one for one in TIMING_HISTOGRAMS}


def counted(
    sessions: pl.LazyFrame, keys: Sequence[str], numbers: Mapping[str, str]
) -> Iterator[pl.Series]:
    """Count the sessions of each pair by bucket.

    `keys`: columns that make a pair, as in `keys.grouped`; `numbers`: name of a histogram -> the column with the
    number of a session's bucket. Gives the histograms, in the order in which `keys.grouped` sorts pairs.
    """
    packed = {f"key_{place}": key for place, key in enumerate(packed_keys(sessions, keys))}
    ordered = (
        sessions.select(
            *(key.packed().alias(name) for name, key in packed.items()),
            *(pl.col(number).alias(name) for name, number in numbers.items()),
        )
        .sort(*packed)
        .collect()
    )
    is_other = pl.any_horizontal(pl.col(name) != pl.col(name).shift() for name in packed)
    pair = ordered.select(is_other.fill_null(False).cum_sum().cast(pl.UInt64)).to_series()
    for name in numbers:
        cells = (pair * (1 << _NUMBER_BITS) + ordered.get_column(name)).sort()
        runs = cells.rle().struct.unnest()
        lists = _lists(
            runs.select(
                (pl.col("value") // (1 << _NUMBER_BITS)).alias(_PAIR),
                (pl.col("value") % (1 << _NUMBER_BITS)).alias("number"),
                pl.col("len").alias("count"),
            ),
            HISTOGRAM_BY_NAME[name],
        )
        yield lists.get_column(name)


def _lists(cells: pl.DataFrame, histogram: PairHistogram) -> pl.DataFrame:
    """Give `_PAIR` and its histogram, in order. `cells`: `_PAIR`, `number` and `count`, sorted by the first two."""
    bucket = compile_expr(histogram.of_number).alias("bucket")
    return (
        cells.lazy()
        .with_columns(pl.col(_PAIR).set_sorted(), pl.col("number", "count").cast(pl.Int64))
        .select(_PAIR, pl.struct(bucket, "count").alias(histogram.name))
        .group_by(_PAIR, maintain_order=True)
        .agg(histogram.name)
        .collect()
    )


def gathered(name: str) -> pl.Expr:
    """All cells of the rows of a pair in one list, for `agg`; null where one row has none. `added` adds them up."""
    cells = pl.col(name).explode(empty_as_null=False, keep_nulls=False)
    return pl.when(pl.col(name).null_count() == 0).then(cells.implode()).alias(name)


def added(rows: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """Add up the counts of each bucket; gives the rows in no order, without `ROWS`.

    `rows`: with lists from `gathered`, and `ROWS`. The list of a single row is a histogram as it is.
    """
    is_alone = pl.col(ROWS) == 1
    alone, several = (rows.filter(part).drop(ROWS) for part in (is_alone, ~is_alone))
    if several.is_empty():
        return alone
    for name in names:
        several = several.with_columns(_added(several.get_column(name), HISTOGRAM_BY_NAME[name]))
    return pl.concat([alone, several])


def _added(lists: pl.Series, histogram: PairHistogram) -> pl.Series:
    name = histogram.name
    cells = (
        lists.to_frame()
        .lazy()
        .with_row_index(HOST)
        .filter(pl.col(name).list.len() > 0)
        .explode(name)
        .select(pl.col(HOST).cast(pl.Int64), pl.col(name).struct.unnest())
        .select(HOST, compile_expr(histogram.number).cast(pl.UInt32).alias("bucket"), "count")
    )
    whole = cell_counts.added_cells(cells).rename({HOST: _PAIR, "bucket": "number"})
    # A list that is null or empty has no cells, and stays what it is.
    places = pl.DataFrame({_PAIR: pl.int_range(lists.len(), eager=True), "given": lists})
    found = places.join(_lists(whole, histogram), on=_PAIR, how="left", maintain_order="left")
    return found.select(pl.coalesce(name, "given").alias(name)).to_series()
