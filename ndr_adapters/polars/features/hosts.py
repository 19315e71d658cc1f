"""Rows of hosts, brought together by HOST."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from ndr_adapters.polars.views import HOST


def joined(hosts: pl.DataFrame, parts: Iterable[pl.LazyFrame]) -> pl.LazyFrame:
    """Give HOST of hosts, in their order, with the columns of parts, null where a part lacks a host."""
    found = hosts.lazy().select(HOST)
    for part in parts:
        found = found.join(part, on=HOST, how="left", maintain_order="left")
    return found


def counted(rows: pl.LazyFrame, *but: str) -> pl.LazyFrame:
    """Give counts as int64, 0 where they are null: all columns but HOST and those that are named."""
    counts = pl.all().exclude(HOST, *but)
    return rows.with_columns(counts.cast(pl.Int64).fill_null(0))
