"""Histogram columns of the delta table for users: merging them, and reading quantiles off them.

A histogram is a list of buckets with their counts; `ndr schema` has the formula of the buckets.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import polars as pl

from ndr_adapters.polars.expr import compile_expr
from ndr_core.errors import UsageError
from ndr_core.expressions.expr import col
from ndr_core.expressions.portable import bucket_middle

_FINEST: Final = 1_000_000


def merge_histograms(column: str) -> pl.Expr:
    """Add the histograms of rows: for `agg` of a group, or `select` of all rows. Null where one of them is null.

    >>> cells = [[{"bucket": 3, "count": 1}], [{"bucket": 3, "count": 2}, {"bucket": 7, "count": 1}]]
    >>> rows = pl.DataFrame({"host_ip": ["10.0.0.1", "10.0.0.1"], "bytes_sent_hist": cells})
    >>> merged = rows.group_by("host_ip").agg(merge_histograms("bytes_sent_hist"))
    >>> merged.item(0, "bytes_sent_hist").to_list()
    [{'bucket': 3, 'count': 3}, {'bucket': 7, 'count': 1}]
    """
    cells = pl.col(column).explode(empty_as_null=False, keep_nulls=False)
    buckets = cells.struct.field("bucket")
    ordered = buckets.sort()
    seen = cells.struct.field("count").sort_by(buckets).cum_sum()
    is_last = (ordered != ordered.shift(-1)).fill_null(True)
    seen_with_bucket = seen.filter(is_last)
    merged = pl.struct(
        ordered.filter(is_last).alias("bucket"),
        (seen_with_bucket - seen_with_bucket.shift(1, fill_value=0)).alias("count"),
    )
    return pl.when(pl.col(column).null_count() == 0).then(merged.implode()).alias(column)


def quantile(column: str, q: float) -> pl.Expr:
    """Give the value at a quantile of each row's histogram: nearest rank, the middle of its bucket.

    `column`: `bytes_sent_hist`, `bytes_recv_hist` (bytes) or `duration_hist` (microseconds); `q`: from 0 to 1, with
    at most six decimals. So `quantile("bytes_sent_hist", 0.95)` is `bytes_sent_p95`. Null for an empty histogram and
    for a null. Raises UsageError for another `q`.

    >>> cells = [[{"bucket": 3, "count": 9}, {"bucket": 7, "count": 1}], []]
    >>> rows = pl.DataFrame({"bytes_sent_hist": cells})
    >>> rows.select(quantile("bytes_sent_hist", 0.95)).to_series().to_list()
    [7, None]
    """
    share = _exact(q)
    cell = pl.element()
    counts = cell.struct.field("count")
    rank = (counts.sum() * share.numerator + (share.denominator - 1)) // share.denominator
    holds = counts.cum_sum() >= rank.clip(lower_bound=1)
    bucket = cell.struct.field("bucket").filter(holds).first()
    found = pl.col(column).list.eval(bucket).list.first()
    return compile_expr(bucket_middle(col("bucket")), {"bucket": found}).alias(column)


def _exact(q: float) -> Fraction:
    """The decimal number that a float is written as: 0.07 is 7 of 100, not a little more."""
    share = Fraction(repr(q)) if 0 <= q <= 1 else None
    if share is None or share.denominator > _FINEST:
        raise UsageError(f"quantile: {q} must be a number from 0 to 1 with at most six decimals")
    return share
