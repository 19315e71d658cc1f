"""What a report shows of regular pairs: those of the last day that has some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl
from attrs import field, frozen

from ndr_adapters.polars.features.folder_rows import FolderRows
from ndr_adapters.polars.report.deltas import port_text
from ndr_adapters.polars.report.outputs import OfVersion
from ndr_core.report.content import BEACONS
from ndr_core.report.listing import Listing
from ndr_core.report.span import Span
from ndr_core.tables.slices import place_us
from ndr_core.windows.tables import BEACON

MOST_BEACONS: Final = 12
"""Regular pairs of a host that are listed."""

_BEACON_COLUMNS: Final = (
    "peer_ip",
    "peer_port",
    "window_end_ts",
    "beacon_score",
    "beacon_threat",
    "period_s",
    "sessions_cnt",
    "unanswered_pm",
    "prevalence_hosts",
    "age_days",
)
"""What is read, in the order of the columns of `BEACONS`."""


@frozen
class RegularPairs:
    """The regular pairs of some hosts, on one day."""

    end: int | None = None
    """The end of the day, us; None where no host has any."""
    listings: Mapping[str, Listing] = field(factory=dict)
    """Host -> its pairs, those of the highest beacon_threat first."""
    peers: Mapping[str, Sequence[tuple[str, int | None]]] = field(factory=dict)
    """Host -> peer and port of these."""

    @classmethod
    def read(cls, output: OfVersion, span: Span, hosts: Sequence[str]) -> RegularPairs:
        """Read the pairs of some hosts on the last day that ends in a span and has pairs of any host."""
        files = FolderRows.of_table(output, BEACON)
        ends = (place_us(one.slice) for one in files.files if one.slice is not None)
        end = max((one for one in ends if span.start < one <= span.end), default=None)
        if end is None:
            return cls()
        order = ("beacon_threat", "beacon_score", "peer_ip", "peer_port")
        rows = (
            files.ending({end})
            .frame(["host_ip", *_BEACON_COLUMNS])
            .filter(pl.col("host_ip").is_in(list(hosts)))
            .collect()
            .sort(order, descending=[name.startswith("beacon") for name in order])
            .group_by("host_ip", maintain_order=True)
            .head(MOST_BEACONS)
        )
        listed: dict[str, list[Any]] = {}
        peers: dict[str, list[tuple[str, int | None]]] = {}
        for row in rows.iter_rows(named=True):
            listed.setdefault(row["host_ip"], []).append(_beacon(row))
            peers.setdefault(row["host_ip"], []).append((row["peer_ip"], row["peer_port"]))
        listings = {host: Listing.of(BEACONS, found) for host, found in listed.items()}
        return cls(end, listings, peers)


def _beacon(row: Mapping[str, Any]) -> tuple[Any, ...]:
    shown = {
        **row,
        "peer_port": port_text(row["peer_port"]),
        "window_end_ts": int(row["window_end_ts"].timestamp()),
    }
    return tuple(shown[name] for name in _BEACON_COLUMNS)
