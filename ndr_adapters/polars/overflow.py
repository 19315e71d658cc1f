"""Sums that left int64: which, and of which host."""

from __future__ import annotations

import polars as pl

from ndr_core.deltas.plan import DeltaPlan
from ndr_core.deltas.tables import overflow_place
from ndr_core.errors import OverflowingColumnError


def overflows(hosts: pl.DataFrame, plan: DeltaPlan) -> pl.DataFrame:
    """Find the first host of each sum that left int64: the `column` by its place among the sums, and the host's keys.

    `hosts`: from `aggregate.name_hosts`.
    """
    keys = hosts.select("slice_start", "role", "host_ip")
    found = [
        keys.filter(hosts.get_column(item.name).is_null())
        .sort(keys.columns)
        .head(1)
        .select(pl.lit(place, dtype=pl.Int64).alias("column"), pl.all())
        for place, item in enumerate(plan.stored_sums)
    ]
    return pl.concat(found)


def refuse_overflow(found: pl.DataFrame, plan: DeltaPlan) -> None:
    """Raise OverflowingColumnError for the first of the sums that left int64. `found`: from `overflows`."""
    if not found.is_empty():
        column, *host = found.sort(found.columns).row(0)
        raise OverflowingColumnError(plan.stored_sums[column].name, overflow_place(*host))
