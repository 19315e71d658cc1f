"""The histograms of some pairs of a window: how large their sessions were, and when these began."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.cell_counts import added_cells
from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.features.numbered import ROW, START, PairRows
from ndr_adapters.polars.features.pair_cells import PAIR, PART, PairCells
from ndr_adapters.polars.keys import distinct
from ndr_core.deltas.timing import EARLY_START, SENT, STARTS, shifted_bucket
from ndr_core.expressions.expr import col
from ndr_core.expressions.portable import bucket_middle

SECOND: Final = "second"
"""Column: whole seconds since 1970-01-01 UTC."""
SIZE: Final = "size"
"""Column: the middle of a bucket of bytes sent."""

SIZE_OF_BUCKET: Final = compile_expr(bucket_middle(col("bucket"))).alias(SIZE)
_SECOND: Final = compile_expr(shifted_bucket(col("bucket"), col(START))).alias(SECOND)


@frozen
class PairHistograms:
    """Histograms of the pairs of a window, of those that are asked for."""

    parts: Sequence[PairRows]
    cells: PairCells
    window: int

    def sizes(self, pairs: pl.Series) -> pl.DataFrame:
        """Give PAIR, `bucket` and `count` of bytes sent, sorted by both, each bucket of a pair once.

        `pairs`: distinct, of the role outbound; of a window that is no whole day, on ports of the set auth alone.
        """
        return added_cells(self._buckets(pairs, SENT.name).drop(START).collect().lazy(), PAIR)

    def seconds(self, pairs: pl.Series) -> pl.DataFrame:
        """Give PAIR and SECOND of distinct starts, whole seconds since 1970-01-01 UTC, sorted by both.

        `pairs`: distinct, of the role outbound, of a whole day.
        """
        told = self._buckets(pairs, STARTS.name).filter(pl.col("bucket") != EARLY_START)
        return distinct(told.select(PAIR, _SECOND).collect())

    def _buckets(self, pairs: pl.Series, name: str) -> pl.LazyFrame:
        """PAIR, START, `bucket` and `count`, as they are in the slices."""
        rows = self.cells.rows_of(pairs, self.window)
        frames = [
            of_part.select(PAIR, START).with_columns(
                self.parts[place].histograms.get_column(name)[of_part[ROW]]
            )
            for (place,), of_part in rows.partition_by(PART, as_dict=True).items()
        ]
        if not frames:
            return pl.LazyFrame(schema=_BUCKETS)
        return (
            pl.concat(frames)
            .lazy()
            .filter(pl.col(name).list.len() > 0)
            .explode(name)
            .select(PAIR, START, pl.col(name).struct.unnest())
        )


_BUCKETS: Final = {PAIR: pl.UInt32, START: pl.Int64, "bucket": pl.Int64, "count": pl.Int64}
