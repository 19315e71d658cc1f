"""Cells of histograms: how many records of a host lie in a bucket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from ndr_adapters.polars.keys import grouped, packed_keys
from ndr_adapters.polars.runs import run_sums
from ndr_adapters.polars.views import HOST, MINUTE, Form, RoleViews
from ndr_core.measures.kinds import Distribution

_BUCKETS_OF_A_HOST: Final = 1024
"""Of one distribution, at most, about: a busy host's values lie in some 16 powers of two, each of 64 buckets."""
_BUCKETS_AT_ONCE: Final = 4 << 20
"""In memory, of 16 bytes each, a few times over."""


CELLS: Final = {HOST: pl.Int64(), "bucket": pl.UInt32(), "count": pl.UInt32()}
"""Columns of cells."""


def host_parts(hosts: pl.DataFrame, distributions: int) -> list[pl.DataFrame]:
    """Cut hosts into parts whose histograms have some millions of buckets, one part behind the other by HOST.

    `hosts`: from `name_hosts`. A session adds a bucket to each distribution at most, until those in use all are there.
    """
    buckets = pl.col("sessions_cnt").clip(upper_bound=_BUCKETS_OF_A_HOST) * distributions
    part = hosts.select((buckets.cum_sum() // _BUCKETS_AT_ONCE).alias("part"))
    found = hosts.hstack(part).partition_by("part", maintain_order=True, include_key=False)
    return found or [hosts]


def cells_between(cells: pl.LazyFrame, hosts: pl.DataFrame) -> pl.LazyFrame:
    """Give the cells of one of the `host_parts`: files of cells that are sorted by HOST are read in part."""
    ends = hosts.select(first=pl.first(HOST), last=pl.last(HOST)).row(0)
    return cells.filter(pl.col(HOST).is_between(*ends)) if hosts.height else cells


def histogram_cells(views: RoleViews, distribution: Distribution) -> pl.DataFrame:
    """Records per host and bucket: HOST, `bucket` and `count`, sorted by host and bucket."""
    cells = pl.concat(_cells_of(views, role, distribution) for role in views.roles)
    # Of one slice, the roles lie behind each other.
    in_order = cells.get_column(HOST).is_sorted()
    return cells if in_order else cells.sort(HOST, "bucket")


def _cells_of(views: RoleViews, role: int, distribution: Distribution) -> pl.DataFrame:
    bucket = views.column(role, Form.BUCKET, distribution.bucket)
    columns = (MINUTE, views.address(role), bucket)
    rows = views.rows.select(columns)
    if rows.select(pl.col(bucket).null_count()).collect().item():
        rows = rows.filter(pl.col(bucket).is_not_null())
    keys = packed_keys(rows, columns)
    if len(keys) > 1:
        cells = grouped(rows, columns, [pl.len().alias("count")], in_order=True)
    else:
        # Equal keys lie behind each other once sorted, which is faster than a table of them.
        packed = rows.select(keys[0].packed()).collect().to_series()
        runs = packed.sort().rle().struct.rename_fields(["count", "key"]).struct.unnest()
        cells = runs.lazy().with_columns(keys[0].unpacked("key"))
    return cells.select(views.host(role), pl.col(bucket).alias("bucket"), "count").collect()


def merge_histogram(parts: Sequence[pl.LazyFrame]) -> pl.DataFrame:
    """Add up the cells of several shares of the records, each from `histogram_cells`."""
    return parts[0].collect() if len(parts) == 1 else added_cells(pl.concat(parts))


def added_cells(cells: pl.LazyFrame, key: str = HOST) -> pl.DataFrame:
    """Add up the counts of each cell. `cells`: from `histogram_cells` of several parts, or of another key than HOST."""
    cells = cells.with_columns(pl.col("count").cast(pl.Int64))
    keys = packed_keys(cells, (key, "bucket", "count"))
    if len(keys) > 1:
        counts = pl.col("count").sum()
        return grouped(cells, (key, "bucket"), [counts], in_order=True).collect(engine="streaming")
    # Equal cells lie behind each other once sorted, which is faster than a table of them, and with their counts in
    # the key nothing has to be moved along.
    ordered = cells.select(keys[0].packed().alias("packed").sort())
    unpacked = ordered.select(keys[0].unpacked("packed")).collect()
    return run_sums(unpacked.lazy(), (key, "bucket"), pl.col("count")).collect()
