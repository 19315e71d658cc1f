"""Reads what a window of one host is made of, to explain it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import polars as pl

from ndr_adapters.polars.features.history_files import table_days
from ndr_adapters.polars.published import read_table
from ndr_core.deltas.roles import OUTBOUND
from ndr_core.deltas.tables import DELTA, PAIR
from ndr_core.features.networks import Networks, Side
from ndr_core.history.prevalence import OF_WINDOW, Prevalence
from ndr_core.history.tables import PAIR_HISTORY
from ndr_core.publishing.published import FollowedOutput
from ndr_core.tables.merge import Row
from ndr_core.times import MINUTE_US, day_of, to_datetime
from ndr_core.windows.engine import WindowInputs
from ndr_core.windows.explanation import HostRows
from ndr_core.windows.history_source import HistorySource
from ndr_core.windows.job import FoundWindows
from ndr_core.windows.labels import WindowLabel
from ndr_core.windows.plan import ROLE_NAMES
from ndr_core.windows.reference import WindowRows
from ndr_core.windows.tables import FG_A

_MASK: Final = "days_mask"
_CONTACT: Final = ("host_ip", "peer_ip")


class PolarsHostReader:
    """Reads published rows of one host: a `HostReader`."""

    def read(
        self, found: FoundWindows, features: FollowedOutput, label: WindowLabel, host_ip: str
    ) -> HostRows:
        inputs = found.inputs
        source = inputs.history[label]
        window = (label.start(inputs.anchor), inputs.anchor)
        own = pl.col("host_ip") == host_ip
        rows = WindowRows(
            deltas=_rows(inputs, DELTA, [window], own),
            pairs=_rows(inputs, PAIR.name, [window, *source.slices], own),
            coverage=inputs.coverage[label],
            source=source,
            history=_history(inputs, source).filter(own).collect().to_dicts(),
        )
        prevalence = None
        if label.is_day and source.is_known:
            prevalence = _prevalence(inputs, source, found.plan.networks)
        return HostRows(rows, prevalence, _stored(found, features, label, host_ip))


def _stored(
    found: FoundWindows, features: FollowedOutput, label: WindowLabel, host_ip: str
) -> list[Row]:
    since, until = to_datetime(found.anchor), to_datetime(found.anchor + MINUTE_US)
    rows = read_table(features, FG_A, since=since, until=until)
    names = rows.collect_schema().names()
    if not names:
        return []
    own = (
        (pl.col("host_ip") == host_ip)
        & (pl.col("window_label") == label.name)
        & (pl.col("feature_spec_version") == found.plan.feature_spec_version)
    )
    table = found.plan.fg_a
    return [table.plain_row(row) for row in rows.filter(own).collect().to_dicts()]


def _spans(
    inputs: WindowInputs, table: str, spans: Iterable[tuple[int, int]]
) -> list[pl.LazyFrame]:
    """The rows of a table in the slices of some spans [since, until), us, by the contributions as they are."""
    frames = []
    for since, until in spans:
        found = read_table(inputs.deltas, table, since=to_datetime(since), until=to_datetime(until))
        if found.collect_schema().names():  # else there is no run
            version = pl.col("feature_spec_version") == inputs.deltas_version
            frames.append(found.filter(version, pl.col("role").is_in(ROLE_NAMES)))
    return frames


def _rows(
    inputs: WindowInputs, table: str, spans: Iterable[tuple[int, int]], which: pl.Expr
) -> list[dict[str, Any]]:
    found = (one.filter(which).collect().to_dicts() for one in _spans(inputs, table, spans))
    return [row for rows in found for row in rows]


def _history(inputs: WindowInputs, source: HistorySource) -> pl.LazyFrame:
    """The rows of the history that the window reads, with all columns."""
    days = [] if source.base is None else [source.base]
    found = table_days(inputs.features, PAIR_HISTORY, inputs.history_version, days)
    return found.rows([column.name for column in PAIR_HISTORY.columns])


def _prevalence(inputs: WindowInputs, source: HistorySource, networks: Networks) -> Prevalence:
    """Count the internal hosts of each peer, on the days that count, over all hosts."""
    outbound = pl.col("role") == OUTBOUND.name
    shift = 0 if source.base is None else source.day - source.base
    mask = pl.col(_MASK) * (1 << shift) & pl.lit(OF_WINDOW)
    earlier = [one for one in source.slices if day_of(one[0]) < source.day]
    frames = [
        _history(inputs, source).filter(outbound, mask != 0).select(_CONTACT),
        *(one.filter(outbound).select(_CONTACT) for one in _spans(inputs, PAIR.name, earlier)),
    ]
    contacts = pl.concat(frames).unique().collect()
    hosts = contacts["host_ip"].unique().to_list()
    internal = [host for host in hosts if networks.side_of(host) is Side.INTERNAL]
    counted = contacts.filter(pl.col("host_ip").is_in(internal)).group_by("peer_ip").len()
    return Prevalence(dict(counted.iter_rows()), len(internal))
