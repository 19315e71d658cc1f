"""Published features as Polars frames, for those who use them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import polars as pl

from ndr_adapters.polars.published import read_table
from ndr_adapters.polars.write import empty_frame
from ndr_core.baselines.tables import BASELINE, BASELINE_ROWS
from ndr_core.correlations.tables import fg_c_table
from ndr_core.history.tables import PAIR_HISTORY
from ndr_core.publishing.published import PublishedTables
from ndr_core.tables.table import RECORD_ID, Table
from ndr_core.windows.labels import DEFAULT_LABELS
from ndr_core.windows.tables import BEACON, fg_a_table
from ndr_core.windows.wide import (
    OF_ANCHOR,
    OF_LABEL,
    PREFIXES,
    WIDE_KEYS,
    has_values,
    label_fact_name,
    wide_name,
)

_TIME_TEXT: Final = "%Y-%m-%dT%H:%M:%SZ"
_OF_PLACE: Final = ("scope", "name", "role", "time_band", "window_label")
"""Whose baseline it is."""


def read_pair_history(
    published: PublishedTables, *, since: datetime | None = None, until: datetime | None = None
) -> pl.LazyFrame:
    """Give the published pair history: a row for each host, role, peer, port and UTC day, with its `record_id`.

    `published`: the output of the features; `since`, `until`: days that start in [since, until). Without any run it
    has no rows. Rows come in no order. Raises as `read_table`; the views by peer, port and segment, prevalence and
    pair tiles are read by `read_table`.
    """
    rows = _rows(published, PAIR_HISTORY, since, until)
    return rows.with_columns(_record_id("host_ip", "role", "peer_ip", "peer_port", "dt"))


def read_fg_a(
    published: PublishedTables, *, since: datetime | None = None, until: datetime | None = None
) -> pl.LazyFrame:
    """Give the published windows: a row for each host, role, label and end of a window, with its `record_id`.

    `published`: the output of the features; `since`, `until`: windows that end in [since, until). Without any run it
    has no rows, and no columns of the deltas' measures. Rows come in no order. Raises as `read_table`.
    """
    rows = _rows(published, fg_a_table(()), since, until)
    return rows.with_columns(_record_id("host_ip", "role", "window_label", "window_end_ts"))


def read_beacons(
    published: PublishedTables, *, since: datetime | None = None, until: datetime | None = None
) -> pl.LazyFrame:
    """Give the published beacons: a row for each host, peer, port and end of a day's window, with its `record_id`.

    Else as `read_fg_a`.
    """
    rows = _rows(published, BEACON, since, until)
    return rows.with_columns(_record_id("host_ip", "role", "peer_ip", "peer_port", "window_end_ts"))


def read_fg_c(
    published: PublishedTables, *, since: datetime | None = None, until: datetime | None = None
) -> pl.LazyFrame:
    """Give the published correlations: a row for each host, role, label, end of a window and horizon.

    With its `record_id`. Without any run it has no rows, and no columns of metrics. Else as `read_fg_a`.
    """
    rows = _rows(published, fg_c_table(()), since, until)
    return rows.with_columns(
        _record_id("host_ip", "role", "window_label", "window_end_ts", "horizon")
    )


def read_baselines(
    published: PublishedTables, *, since: datetime | None = None, until: datetime | None = None
) -> pl.LazyFrame:
    """Give the published baselines: a row for each metric of a host, a segment or the network.

    The `record_id` is made of scope, name, role, time_band, window_label, metric, horizon and `dt`. `published`: the
    output of the features; `since`, `until`: baselines of the dates `dt` that begin in [since, until), as if they were
    UTC days. Without any run it has no rows. Rows come in no order. Raises as `read_table`.

    A count or sum of which all samples are 0 has no row here: what `read_baseline_rows` has a row of, and this has not,
    has `samples_cnt` samples, each of them 0. Histograms of counts and sums lack bucket 0, too: it is `n` less the
    rest, and bucket -1 counts windows of which the value is not known, which are none of `n`.
    """
    rows = _rows(published, BASELINE, since, until)
    return rows.with_columns(_record_id(*_OF_PLACE, "metric", "horizon", "dt"))


def read_baseline_rows(
    published: PublishedTables, *, since: datetime | None = None, until: datetime | None = None
) -> pl.LazyFrame:
    """Give what baselines are made of: a row for each host, segment or network, whatever its metrics.

    The `record_id` is that of `read_baselines` without the metric. Else as `read_baselines`.
    """
    rows = _rows(published, BASELINE_ROWS, since, until)
    return rows.with_columns(_record_id(*_OF_PLACE, "horizon", "dt"))


def wide_fg_a(rows: pl.LazyFrame, labels: Iterable[str] | None = None) -> pl.LazyFrame:
    """Give windows as one row for each host and end of windows, by the names of the original pipeline.

    `rows`: as `read_fg_a` gives them; `labels`: the windows to give, those of a spec by default if None. A column of
    a window gets its label behind its name, that of an inbound row `in_` before it: `in_sessions_cnt_w_15m`; one of a
    window that a host does not have is null. `drop_cnt` becomes `deny_cnt`, `high_risk_sessions_cnt` becomes
    `high_risk_port_sessions_cnt`; `bytes_sent_sum` and `bytes_recv_sum` become `bytes_src_sum` and `bytes_dst_sum`, by
    the side of the session that sent them: of inbound rows, whose host is the destination, the other way round.
    """
    known = rows.collect_schema().names()
    values = [name for name in known if name != RECORD_ID and has_values(name)]
    chosen = [label.name for label in DEFAULT_LABELS] if labels is None else list(labels)
    wide = rows.group_by(WIDE_KEYS).agg(pl.col(name).first() for name in OF_ANCHOR)
    for label in chosen:
        of_label = rows.filter(pl.col("window_label") == label)
        facts = of_label.group_by(WIDE_KEYS).agg(
            pl.col(name).first().alias(label_fact_name(name, label)) for name in OF_LABEL
        )
        wide = wide.join(facts, on=WIDE_KEYS, how="left")
        for role in PREFIXES:
            renamed = of_label.filter(pl.col("role") == role).select(
                *WIDE_KEYS,
                *(pl.col(name).alias(wide_name(role, name, label)) for name in values),
            )
            wide = wide.join(renamed, on=WIDE_KEYS, how="left")
    return wide.with_columns(_record_id("host_ip", "window_end_ts"))


def _rows(
    published: PublishedTables, table: Table, since: datetime | None, until: datetime | None
) -> pl.LazyFrame:
    """The rows of a table; of one that nobody has published, none."""
    found = read_table(published, table.name, since=since, until=until)
    return found if found.collect_schema().names() else empty_frame(table.columns).lazy()


def _record_id(*key: str) -> pl.Expr:
    """The parts of a key joined by `|`: times as text in UTC, an unknown port as nothing."""
    parts: Sequence[pl.Expr] = [
        pl.col(name).dt.strftime(_TIME_TEXT)
        if name.endswith("_ts")
        else pl.col(name).cast(pl.String).fill_null("")
        for name in key
    ]
    return pl.concat_str(parts, separator="|").alias(RECORD_ID)
