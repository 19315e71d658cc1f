"""Windows by Polars, of the plain rows that the reference takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from ndr_adapters.polars.features.frames import HistoryRows, IntervalRows, WindowFrames
from ndr_adapters.polars.features.intervals import Interval
from ndr_adapters.polars.features.prevalence import Prevalence, prevalence_of
from ndr_adapters.polars.features.window_kernel import Anchor, build_windows
from ndr_adapters.polars.write import empty_frame
from ndr_core.deltas.tables import PAIR, delta_table
from ndr_core.history.prevalence import OF_WINDOW
from ndr_core.history.tables import (
    HOST_PEER_HISTORY,
    HOST_PORT_HISTORY,
    HOST_SEGMENT_HISTORY,
    PAIR_HISTORY,
)
from ndr_core.tables.merge import Row
from ndr_core.windows.labels import WindowLabel
from ndr_core.windows.plan import ROLE_NAMES, WindowPlan
from ndr_core.windows.reference import WindowRows, WindowTables, history_of
from ndr_core.windows.tables import BEACON
from tests.property.frames import frame_of, rows_of

Rows = Sequence[Mapping[str, Any]]


def polars_windows(
    plan: WindowPlan,
    end: int,
    windows: Mapping[WindowLabel, WindowRows],
    shares: int = 1,
    pairs_at_once: int = 1 << 22,
) -> WindowTables:
    """Build windows in shares of hosts. The windows must be made of the same rows."""
    labels = tuple(sorted(windows))
    anchor = Anchor(
        end,
        labels,
        {label: windows[label].coverage for label in labels},
        {label: windows[label].source for label in labels},
    )
    frames = window_frames(plan, anchor, windows)
    prevalence = next(
        (prevalence_by(plan, windows[label]) for label in labels if label.is_day), None
    )
    built = [
        part
        for share in frames.shares(shares)
        for part in build_windows(share, plan, anchor, prevalence, pairs_at_once)
    ]
    fg_a = pl.concat([empty_frame(plan.fg_a.columns), *(one.fg_a for one in built)])
    beacons = pl.concat([empty_frame(BEACON.columns), *(one.beacons for one in built)])
    return WindowTables(
        rows_of(fg_a, plan.fg_a.columns, plan.fg_a.keys),
        rows_of(beacons, BEACON.columns, BEACON.keys),
    )


def window_frames(
    plan: WindowPlan, anchor: Anchor, windows: Mapping[WindowLabel, WindowRows]
) -> WindowFrames:
    """Give the rows of windows as frames."""
    some = next(iter(windows.values()))
    rows = [
        _of_interval(plan, interval, role, some)
        for interval in anchor.intervals.parts
        for role in ROLE_NAMES
    ]
    bases = {one.source.base: one.history for one in windows.values() if one.source.is_known}
    history = [
        HistoryRows(day, role, _history_frames(plan, role, known))
        for day, known in bases.items()
        if day is not None
        for role in ROLE_NAMES
    ]
    return WindowFrames(tuple(rows), tuple(history))


def prevalence_by(plan: WindowPlan, rows: WindowRows) -> Prevalence | None:
    """Count the internal hosts of each peer by Polars; None where the history is not known."""
    known, _ = history_of(plan, rows)
    if known is None:
        return None
    contacts = [
        {"host_ip": host, "peer_ip": peer}
        for (host, role), history in known.items()
        if role == "outbound"
        for (peer, _), mask in history.pairs.items()
        if mask & OF_WINDOW
    ]
    schema = {"host_ip": pl.String(), "peer_ip": pl.String()}
    return prevalence_of([pl.LazyFrame(contacts, schema=schema)], plan.networks)


def _of_interval(plan: WindowPlan, interval: Interval, role: str, rows: WindowRows) -> IntervalRows:
    def chosen(parts: Rows) -> list[Mapping[str, Any]]:
        return [
            row
            for row in parts
            if row["role"] == role and interval.since <= row["slice_start_ts"] < interval.until
        ]

    deltas = frame_of(chosen(rows.deltas), delta_table(plan.measures).columns)
    pairs = frame_of(chosen(rows.pairs), PAIR.columns)
    return IntervalRows(interval, role, pairs.lazy(), deltas.lazy())


def _history_frames(plan: WindowPlan, role: str, known: Rows) -> dict[str, pl.LazyFrame]:
    rows = [
        {**row, "segment": plan.networks.segment_of(row["peer_ip"])}
        for row in known
        if row["role"] == role
    ]
    return {
        PAIR_HISTORY.name: _view(rows, "peer_ip", "peer_port"),
        HOST_PEER_HISTORY.name: _view(rows, "peer_ip"),
        HOST_PORT_HISTORY.name: _view(
            [row for row in rows if row["peer_port"] is not None], "peer_port"
        ),
        HOST_SEGMENT_HISTORY.name: _view(rows, "segment"),
    }


def _view(rows: Iterable[Row], *keys: str) -> pl.LazyFrame:
    masks: dict[tuple[Any, ...], int] = defaultdict(int)
    for row in rows:
        masks[row["host_ip"], *(row[key] for key in keys)] |= row["days_mask"]
    names = ("host_ip", *keys)
    found = [{**dict(zip(names, key, strict=True)), "days_mask": masks[key]} for key in masks]
    types = {"peer_port": pl.Int64()}
    schema = {**{name: types.get(name, pl.String()) for name in names}, "days_mask": pl.Int64()}
    return pl.LazyFrame(found, schema=schema)
