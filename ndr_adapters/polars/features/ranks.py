"""Values at ranks: percentiles and medians of many histograms at once."""

from __future__ import annotations

import polars as pl
from attrs import frozen

from ndr_adapters.polars.keys import in_order
from ndr_adapters.polars.runs import run_sums


@frozen
class Ranked:
    """Histograms, one behind the other, so that one running sum ranks them all."""

    keys: pl.Series
    """Of each histogram, in ascending order."""
    totals: pl.Series
    """The counts of each, added up."""
    _buckets: pl.Series
    _seen: pl.Series

    @classmethod
    def of(cls, cells: pl.DataFrame, key: str) -> Ranked:
        """Rank cells. `cells`: `key`, `bucket` and `count`, sorted by key and bucket, each bucket of a key once."""
        by_key = run_sums(cells.lazy(), [key], pl.col("count").cast(pl.Int64)).collect()
        seen = cells.get_column("count").cast(pl.Int64).cum_sum()
        return cls(
            by_key.get_column(key), by_key.get_column("count"), cells.get_column("bucket"), seen
        )

    def values(self, percent: int, value: pl.Expr, name: str) -> pl.DataFrame:
        """Give each key with a value at a percentile. `percent`, `value`: as `at` takes them."""
        return pl.DataFrame([self.keys, self.at(percent, value).alias(name)])

    def at(self, percent: int, value: pl.Expr) -> pl.Series:
        """Give a value at a percentile, that of nearest rank, of each histogram. `value`: over `bucket`."""
        before = self.totals.cum_sum() - self.totals
        rank = before + (percent * self.totals + 99) // 100
        buckets = self._buckets.gather(self._seen.search_sorted(rank)).alias("bucket")
        return buckets.to_frame().select(value).to_series()


def medians(values: pl.DataFrame, key: str) -> pl.DataFrame:
    """Give the median of the values of each key, that of rank (n + 1) // 2, in the order of the keys.

    `values`: `key` and `value`, as `in_order` takes them.
    """
    ordered = in_order(values.select(key, "value"))
    runs = ordered.get_column(key).rle().struct.unnest()
    number = runs.get_column("len").cast(pl.Int64)
    middle = number.cum_sum() - number + (number + 1) // 2 - 1
    medians = ordered.get_column("value").gather(middle).alias("median")
    return pl.DataFrame([runs.get_column("value").alias(key), medians])
