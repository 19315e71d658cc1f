"""Many histograms of metrics at once, as cells: a row for each bucket of each, sorted by both.

A cell is packed into one integer, so that equal cells lie behind each other once these are sorted: that is several
times faster than a table of cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl

from ndr_adapters.polars.features.metric_buckets import BUCKETS
from ndr_adapters.polars.features.metric_codes import GROUP
from ndr_adapters.polars.runs import run_sums
from ndr_adapters.polars.write import DTYPES
from ndr_core.baselines.metrics import UNKNOWN
from ndr_core.tables.columns import ColumnType

CELLS: Final = {GROUP: pl.UInt64(), "bucket": pl.Int64(), "count": pl.Int64()}
"""Columns of cells. Buckets begin at UNKNOWN."""

_BUCKET_BITS: Final = (BUCKETS - UNKNOWN).bit_length()
_KEY_BITS: Final = 64
_HISTOGRAM: Final = DTYPES[ColumnType.HISTOGRAM]


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


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Sort histograms by their GROUP, so that their cells are in order once they are exploded."""
    # Lists in one piece are picked many times faster.
    return rows if rows.get_column(GROUP).is_sorted() else rows.rechunk().sort(GROUP)


def exploded(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """Give the cells of histograms. `rows`: GROUP, and histograms in a column, none of them null."""
    return (
        rows.lazy()
        .filter(pl.col(column).list.len() > 0)
        .select(GROUP, column)
        .explode(column)
        .select(GROUP, pl.col(column).struct.unnest())
        .collect()
    )


def added_up(added: Iterable[pl.DataFrame], removed: Iterable[pl.DataFrame] = ()) -> pl.DataFrame:
    """Add up the counts of each cell, in order, and take others away. Cells of which nothing is left are gone.

    More may be taken away than there is: then a count is below 0.
    """
    signed = [(1, part) for part in added if part.height]
    signed += [(-1, part) for part in removed if part.height]
    if not signed:
        return no_cells()
    group, count = (max(_largest(part, name) for _, part in signed) for name in (GROUP, "count"))
    change = 1 << count.bit_length()
    if group.bit_length() + _BUCKET_BITS + (2 * change - 1).bit_length() > _KEY_BITS:
        return _grouped(signed)
    size, half = _number(2 * change), _number(change)
    cell = packed(pl.col(GROUP), pl.col("bucket"))
    keys = [
        part.select(
            cell * size + _number(0 if sign > 0 else change) + pl.col("count").cast(pl.UInt64)
        ).to_series()
        for sign, part in signed
    ]
    ordered = pl.concat(key.alias("key") for key in keys).sort().to_frame()
    del keys
    counts = (pl.col("key") % half).cast(pl.Int64)
    if any(sign < 0 for sign, _ in signed):
        counts = pl.when(pl.col("key") // half % 2 == 1).then(-counts).otherwise(counts)
    return _summed(
        ordered.lazy().select((pl.col("key") // size).alias("cell"), counts.alias("count"))
    )


def changed(cells: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """Add changes to cells: counts may be below 0. Cells of which nothing is left are gone.

    Both in order, each cell once; then it takes a third of the time of `added_up`, which sorts all of them.
    """
    if not (cells.height and changes.height):
        return cells if cells.height else changes
    parts = [cells, changes]
    if max(_largest(part, GROUP) for part in parts).bit_length() + _BUCKET_BITS > _KEY_BITS:
        return _grouped((1, part) for part in parts)
    of_cell = packed(pl.col(GROUP), pl.col("bucket")).alias("cell")
    whole = pl.concat(part.select(of_cell, "count") for part in parts).rechunk()
    return _summed(whole.sort("cell").lazy())


def by_sign(cells: pl.DataFrame) -> tuple[list[pl.DataFrame], list[pl.DataFrame]]:
    """Part changes into what comes and what goes, as `added_up` takes them."""
    goes = cells.filter(pl.col("count") < 0)
    if not goes.height:
        return [cells], []
    return [cells.filter(pl.col("count") > 0)], [goes.with_columns(-pl.col("count"))]


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


def _summed(cells: pl.LazyFrame) -> pl.DataFrame:
    """Cells of packed ones in order, in which a cell may come several times."""
    return (
        run_sums(cells, ["cell"], pl.col("count"))
        .filter(pl.col("count") != 0)
        .select(*unpacked(pl.col("cell")), "count")
        .collect()
    )


def _grouped(signed: Iterable[tuple[int, pl.DataFrame]]) -> pl.DataFrame:
    """Cells added up by a table of them: numbers of groups and counts are too large for one integer."""
    parts = pl.concat(
        part.with_columns(pl.col("count") * sign).select(CELLS.keys()) for sign, part in signed
    )
    sums = parts.group_by(GROUP, "bucket").agg(pl.sum("count"))
    return sums.filter(pl.col("count") != 0).sort(GROUP, "bucket")


def _largest(part: pl.DataFrame, name: str) -> int:
    found = part.get_column(name).max()
    assert isinstance(found, int)
    return found


def _number(value: int) -> pl.Expr:
    return pl.lit(value, dtype=pl.UInt64)
