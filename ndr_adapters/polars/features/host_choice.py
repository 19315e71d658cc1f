"""Rows of numbered hosts: some are chosen by their numbers, which takes no join."""

from __future__ import annotations

import polars as pl

from ndr_adapters.polars.marks import marks
from ndr_adapters.polars.views import HOST


def marks_of(hosts: pl.DataFrame, *, among: pl.DataFrame) -> pl.Series:
    """Tell whether a HOST, of those among which they are, is one of some hosts."""
    size = among.select(pl.max(HOST).fill_null(-1) + 1).item()
    return marks(hosts.get_column(HOST), size)


def chosen(rows: pl.DataFrame, is_chosen: pl.Series) -> pl.DataFrame:
    """Choose the rows of hosts. `is_chosen`: of each HOST."""
    return rows.filter(is_chosen.gather(rows.get_column(HOST)))


def of_hosts(rows: pl.LazyFrame, hosts: pl.DataFrame) -> pl.LazyFrame:
    """Choose the rows of some hosts, before they are read. `hosts`: HOST."""
    return rows.filter(pl.col(HOST).is_in(hosts.get_column(HOST).implode()))
