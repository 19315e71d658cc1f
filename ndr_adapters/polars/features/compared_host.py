"""Reads what the comparison of one host with its baselines is made of, to explain it."""

from __future__ import annotations

import polars as pl

from ndr_adapters.polars.published import read_table
from ndr_core.baselines.tables import BASELINE, BASELINE_ROWS, NETWORK
from ndr_core.correlations.explanation import ComparedRows
from ndr_core.correlations.job import FoundCorrelations
from ndr_core.correlations.reference import CorrelationRows
from ndr_core.publishing.published import FollowedOutput, PublishedTables
from ndr_core.tables.merge import Row
from ndr_core.times import MINUTE_US, to_datetime
from ndr_core.windows.labels import WindowLabel
from ndr_core.windows.tables import FG_A


class PolarsComparedReader:
    """Reads published rows of one host: a `ComparedReader`."""

    def read(
        self,
        found: FoundCorrelations,
        features: FollowedOutput,
        label: WindowLabel,
        host_ip: str,
    ) -> ComparedRows:
        own = (pl.col("host_ip") == host_ip) & (pl.col("window_label") == label.name)
        names = [host_ip, found.plan.networks.segment_of(host_ip), NETWORK]
        usual = pl.col("name").is_in(names) & (pl.col("window_label") == label.name)
        rows = CorrelationRows(
            windows=_rows(found.windows, FG_A, own),
            baseline=_rows(found.baselines, BASELINE.name, usual),
            baseline_rows=_rows(found.baselines, BASELINE_ROWS.name, usual),
            dates=found.needs.dates,
        )
        return ComparedRows(rows, _stored(found, features, own))


def _rows(published: PublishedTables, table: str, which: pl.Expr) -> list[Row]:
    rows = read_table(published, table)
    # Without a run the table has no columns.
    return rows.filter(which).collect().to_dicts() if rows.collect_schema().names() else []


def _stored(found: FoundCorrelations, features: FollowedOutput, own: pl.Expr) -> list[Row]:
    anchor, table = found.plan.anchor, found.plan.table
    rows = read_table(
        features, table.name, since=to_datetime(anchor), until=to_datetime(anchor + MINUTE_US)
    )
    if not rows.collect_schema().names():
        return []
    version = pl.col("feature_spec_version") == found.plan.feature_spec_version
    return [table.plain_row(row) for row in rows.filter(own & version).collect().to_dicts()]
