"""Rows by way of files, from which each query reads the columns that it needs."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any, Final

import polars as pl

from ndr_adapters.interruptible import interruptible

_ROWS_PER_GROUP: Final = 1 << 14
"""Of spooled records: each share's file holds one group of them in memory."""

_SORTED_ROWS_PER_GROUP: Final = 1 << 16

_COMPRESSION: Final = "uncompressed"
"""Parquet's own encodings leave little for lz4, which takes a quarter of the time of writing."""


def spooled(rows: pl.LazyFrame, path: str) -> pl.LazyFrame:
    """Rows by way of one file."""
    return _spooled(rows, path, statistics=False)


def spooled_in_order(rows: pl.LazyFrame, path: str) -> pl.LazyFrame:
    """Sorted rows by way of one file: a query for some keys reads groups of rows that may have them."""
    return _spooled(rows, path, statistics=True, row_group_size=_SORTED_ROWS_PER_GROUP)


def _spooled(rows: pl.LazyFrame, path: str, **form: Any) -> pl.LazyFrame:
    interruptible(
        lambda: rows.sink_parquet(
            path, compression=_COMPRESSION, mkdir=True, engine="streaming", **form
        )
    )
    return _scanned([path])


def spooled_in_shares(
    records: pl.LazyFrame, path: str, shares: int
) -> tuple[pl.LazyFrame, list[pl.LazyFrame]]:
    """Records by way of files: all of them, and by shares, of which one has all between two hosts."""
    if shares > 1:
        by_hosts = pl.PartitionBy(path, key={"share": _share(shares)}, include_key=False)
        interruptible(
            lambda: records.sink_parquet(
                by_hosts,
                compression=_COMPRESSION,
                statistics=False,
                row_group_size=_ROWS_PER_GROUP,
                mkdir=True,
                engine="streaming",
            )
        )
        files = [sorted(map(str, folder.iterdir())) for folder in Path(path).glob("share=*")]
        if files:  # else there is no record
            return _scanned(list(chain(*files))), list(map(_scanned, files))
    whole = spooled(records, f"{path}.parquet")
    return whole, [whole]


def _share(shares: int) -> pl.Expr:
    """Which share a record belongs to: the same for all between two hosts, in both directions."""
    return (pl.col("source_ip").hash() + pl.col("destination_ip").hash()) % shares


def _scanned(files: list[str]) -> pl.LazyFrame:
    return pl.scan_parquet(files, glob=False, hive_partitioning=False)
