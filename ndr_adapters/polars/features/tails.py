"""How many samples of histograms lie in a bucket or above it: of many histograms at once."""

from __future__ import annotations

from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.features.metric_buckets import BUCKETS

_NUMBER: Final = 1 << BUCKETS.bit_length()
"""What a histogram adds to the keys of its cells: more than any bucket, and -1 for what is unknown."""


@frozen
class Tails:
    """Histograms, one behind the other, so that one running sum counts the cells of them all."""

    _keys: pl.Series
    """Of each cell, in ascending order: its histogram and its bucket."""
    _seen: pl.Series
    """Samples before each cell, those of all histograms; at the end all samples."""
    _ends: pl.Series
    """Of each histogram: how many cells it and those before it have."""

    @classmethod
    def of(cls, histograms: pl.Series) -> Tails:
        """Take histograms, which have their places as numbers; null is one without cells."""
        lengths = histograms.list.len().fill_null(0)
        numbers = pl.int_range(lengths.len(), dtype=pl.Int64, eager=True)
        rows = pl.DataFrame({"number": numbers, "cell": histograms}).filter(lengths > 0)
        cells = rows.explode("cell").unnest("cell")
        samples = cells.get_column("count").cum_sum()
        return cls(
            _keys(cells.get_column("number"), cells.get_column("bucket")),
            pl.concat([pl.Series([0], dtype=pl.Int64), samples]),
            lengths.cast(pl.Int64).cum_sum(),
        )

    def at_least(self, numbers: pl.Series, buckets: pl.Series) -> pl.Series:
        """Count the samples of some histograms from a bucket of each on; null where number or bucket is null."""
        wanted = _keys(numbers, buckets)
        before = self._seen.gather(self._keys.search_sorted(wanted, side="left"))
        counts = self._seen.gather(self._ends.gather(numbers)) - before
        return pl.select(pl.when(wanted.is_not_null()).then(counts)).to_series()


def _keys(numbers: pl.Series, buckets: pl.Series) -> pl.Series:
    return numbers * _NUMBER + (buckets + 1)
