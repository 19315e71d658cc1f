"""Many histograms of metrics at once, as cells: a row for each bucket of each, sorted by both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

import polars as pl
from polars.exceptions import ComputeError

from ndr_adapters.polars.features.metric_buckets import BUCKETS
from ndr_adapters.polars.features.metric_codes import GROUP
from ndr_adapters.polars.write import DTYPES
from ndr_core.baselines.metrics import UNKNOWN
from ndr_core.tables.columns import ColumnType

if TYPE_CHECKING:
    from ndr_adapters.polars.features.metric_loops import Cells, Loops

CELLS: Final = {GROUP: pl.UInt64(), "bucket": pl.Int64(), "count": pl.Int64()}
"""Columns of cells. Buckets begin at UNKNOWN."""

_BUCKET_BITS: Final = (BUCKETS - UNKNOWN).bit_length()
_HISTOGRAM: Final = DTYPES[ColumnType.HISTOGRAM]


@cache
def loops() -> Loops:
    """Give the loops over cells."""
    # numba takes its time to be imported, and only jobs that make baselines have it.
    from ndr_adapters.polars.features.metric_loops import LOOPS

    return LOOPS


def no_cells() -> pl.DataFrame:
    """Give cells of no histogram."""
    return pl.DataFrame(schema=CELLS)


def packed(group: pl.Expr, of_bucket: pl.Expr) -> pl.Expr:
    """Pack a cell, without its count, into one UInt64. `group`: UInt64; `of_bucket`: Int64."""
    return group * _number(1 << _BUCKET_BITS) + (of_bucket - UNKNOWN).cast(pl.UInt64)


def unpacked(cell: pl.Expr) -> list[pl.Expr]:
    """Give GROUP and `bucket` of a packed cell."""
    size = _number(1 << _BUCKET_BITS)
    return [(cell // size).alias(GROUP), ((cell % size).cast(pl.Int64) + UNKNOWN).alias("bucket")]


def exploded(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """Give the cells of histograms. `rows`: GROUP, and histograms in a column, none of them null.

    Raises ComputeError, as Polars does for what it can't read, where a bucket can't be, or something is null.
    """
    cells = (
        rows.lazy()
        .filter(pl.col(column).list.len() > 0)
        .select(GROUP, column)
        .explode(column)
        .select(GROUP, pl.col(column).struct.unnest())
        .collect()
    )
    # The loops over cells rely on it.
    is_bucket = pl.col("bucket").is_between(UNKNOWN, BUCKETS - 1).all()
    if sum(cells.null_count().row(0)) or not cells.select(is_bucket).item():
        raise ComputeError(
            f"{column}: a histogram has a bucket that is not {UNKNOWN} to {BUCKETS - 1}, or a null"
        )
    return cells


def added_up(added: Iterable[pl.DataFrame], removed: Iterable[pl.DataFrame] = ()) -> pl.DataFrame:
    """Add up the counts of each cell, in order, and take others away. Cells of which nothing is left are gone.

    The parts may have cells in any order, and several times. More may be taken away than there is: then a count is
    below 0.
    """
    found = arrays(no_cells())
    for sign, parts in ((1, added), (-1, removed)):
        for part in parts:
            more = loops().ordered(arrays(part))
            found = more if sign > 0 and not len(found[0]) else loops().merged(found, more, sign)
    return _frame(found)


def changed(cells: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """Add changes to cells: counts may be below 0. Cells of which nothing is left are gone.

    `cells`: in any order; `changes`: in order, each cell once. Gives cells in order.
    """
    if not changes.height:
        return added_up([cells])
    return _frame(loops().merged(arrays(cells), arrays(changes), 1))


def counted(cells: pl.Series) -> pl.DataFrame:
    """Count packed cells, each of one sample: gives cells."""
    runs = cells.sort().rle().struct.unnest()
    return runs.select(*unpacked(pl.col("value")), pl.col("len").cast(pl.Int64).alias("count"))


def histograms(groups: pl.Series, cells: pl.DataFrame) -> pl.Series:
    """Give the histogram of each group, empty where it has no cell.

    `groups`: in order, each once; `cells`: in order, of no other groups.
    """
    found = (
        cells.lazy()
        .select(pl.col(GROUP).set_sorted(), pl.struct("bucket", "count").alias("cells"))
        .group_by(GROUP, maintain_order=True)
        .agg("cells")
        .collect()
    )
    lists = found.get_column("cells")
    if found.height == groups.len():
        return lists
    # The place of the empty list is behind all others.
    nothing = pl.Series([[]], dtype=_HISTOGRAM)
    places = pl.repeat(found.height, groups.len(), dtype=pl.UInt32, eager=True)
    if found.height:
        own = pl.int_range(found.height, dtype=pl.UInt32, eager=True)
        places = places.scatter(groups.search_sorted(found.get_column(GROUP)), own)
    # Lists in one piece are picked many times faster.
    return pl.concat([lists.cast(_HISTOGRAM), nothing]).rechunk().gather(places)


def groups_of(parts: Sequence[pl.DataFrame]) -> pl.Series:
    """Give the groups of some cells, in order, each once."""
    runs = [part.get_column(GROUP).rle().struct.field("value") for part in parts]
    found = pl.concat(runs) if len(runs) > 1 else runs[0]
    if sum(1 for one in runs if one.len()) > 1:
        found = found.unique().sort()
    return found.alias(GROUP)


def arrays(cells: pl.DataFrame) -> Cells:
    """Give the columns of cells as arrays."""
    group, bucket, count = (cells.get_column(name).to_numpy() for name in CELLS)
    return group, bucket, count


def _frame(cells: Cells) -> pl.DataFrame:
    return pl.DataFrame(dict(zip(CELLS, cells, strict=True)), CELLS)


def _number(value: int) -> pl.Expr:
    return pl.lit(value, dtype=pl.UInt64)
