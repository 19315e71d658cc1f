"""Scans, password guessing, movement from host to host: `windows.detection` of the core, for many hosts at once."""

from __future__ import annotations

from typing import Final

import polars as pl

from ndr_adapters.polars.features.hosts import counted, joined
from ndr_adapters.polars.features.masks import Sight
from ndr_adapters.polars.features.novelty import Known, new_lateral
from ndr_adapters.polars.features.numbered import SESSIONS
from ndr_adapters.polars.features.numbers import SEGMENT, SIDE, is_outbound, on_ports
from ndr_adapters.polars.features.pair_cells import CONTACT_KEYS, PAIR
from ndr_adapters.polars.features.pair_histograms import (
    SIZE,
    SIZE_OF_BUCKET,
    PairHistograms,
)
from ndr_adapters.polars.features.ranks import Ranked
from ndr_adapters.polars.features.window_pairs import FAILED, FAILED_PORTS, TARGETS, WindowPairs
from ndr_adapters.polars.views import HOST
from ndr_core.deltas.timing import SECONDS
from ndr_core.features.networks import Side
from ndr_core.windows.detection import EVEN_SHARE
from ndr_core.windows.settings import DetectionPorts

_IS_EXTERNAL: Final = pl.col(SIDE) == Side.EXTERNAL.value
_IS_INTERNAL: Final = pl.col(SIDE) == Side.INTERNAL.value
_IS_SINGLE: Final = pl.col(SIDE) != Side.NEITHER.value
_HALF: Final = 50
_EVEN: Final = "brute_even_pm"


def segments(window: WindowPairs, hosts: pl.DataFrame) -> pl.LazyFrame:
    """Give HOST and `SEGMENT_AGGREGATES` of hosts; of one without pairs, all are 0."""
    sent = pl.when(_IS_EXTERNAL).then("bytes").otherwise(0).sum()
    found = (
        window.contacts.lazy()
        .group_by(HOST)
        .agg(
            pl.col(SEGMENT).n_unique().alias("peer_segment_nunique"),
            _IS_EXTERNAL.sum().alias("ext_peer_nunique"),
            _IS_INTERNAL.sum().alias("int_peer_nunique"),
            sent.alias("ext_bytes_sent_sum"),
        )
    )
    return counted(joined(hosts, [found]))


def detections(
    window: WindowPairs, hosts: pl.DataFrame, histograms: PairHistograms, ports: DetectionPorts
) -> pl.LazyFrame:
    """Give HOST and `DETECTION_AGGREGATES` of outbound hosts, without what is made of the history."""
    longest = pl.max(SECONDS.name).alias("long_pair_seconds_max")
    parts = [
        _scanned_peers(window),
        window.ports.lazy().group_by(HOST).agg(pl.max(FAILED).alias("hscan_max_peers")),
        window.pairs.lazy().group_by(HOST).agg(longest),
        _guessing(window, histograms, ports.auth),
        _number_of(lateral_contacts(window, ports.lateral), "admin_peer_nunique"),
    ]
    return counted(joined(hosts, parts), _EVEN)


def new_admin_peers(
    window: WindowPairs, hosts: pl.DataFrame, ports: DetectionPorts, known: Known, sight: Sight
) -> pl.LazyFrame:
    """Give HOST and `detection:new_admin_peers` of outbound hosts."""
    new = new_lateral(known, lateral_contacts(window, ports.lateral), sight)
    return counted(joined(hosts, [_number_of(new, "detection:new_admin_peers")]))


def lateral_contacts(window: WindowPairs, ports: frozenset[int]) -> pl.DataFrame:
    """Give HOST and PEER of outbound hosts and the internal peers on ports by which hosts are acted on."""
    is_lateral = is_outbound() & _IS_INTERNAL & on_ports(ports)
    return window.pairs.lazy().filter(is_lateral).select(CONTACT_KEYS).unique().collect()


def _scanned_peers(window: WindowPairs) -> pl.LazyFrame:
    """What is told by the peers of each host: single ones alone fail or answer."""
    contacts = window.contacts.lazy().filter(is_outbound() & _IS_SINGLE)
    has_failed = pl.col(FAILED) == pl.col(TARGETS)
    return contacts.group_by(HOST).agg(
        pl.max(FAILED_PORTS).alias("vscan_max_ports"),
        pl.sum(FAILED).alias("scan_targets_cnt"),
        has_failed.sum().alias("detection:failed_peers"),
        (~has_failed).sum().alias("detection:answering_peers"),
    )


def _guessing(
    window: WindowPairs, histograms: PairHistograms, ports: frozenset[int]
) -> pl.LazyFrame:
    """The pair with most sessions of each host; of several the one whose sessions are most even."""
    on_auth = window.pairs.filter(is_outbound() & on_ports(ports))
    most = on_auth.filter(pl.col(SESSIONS) == pl.col(SESSIONS).max().over(HOST))
    cells = histograms.sizes(most.get_column(PAIR)).with_columns(SIZE_OF_BUCKET)
    medians = Ranked.of(cells, PAIR).values(_HALF, SIZE_OF_BUCKET, "median")
    is_even = (pl.col(SIZE) - pl.col("median")).abs() <= pl.col("median") // EVEN_SHARE
    even = pl.when(is_even).then("count").otherwise(0).sum() * 1000 // pl.col("count").sum()
    by_pair = cells.lazy().join(medians.lazy(), on=PAIR, how="left").group_by(PAIR)
    return (
        most.lazy()
        .select(HOST, PAIR, SESSIONS)
        .join(by_pair.agg(even.alias(_EVEN)), on=PAIR, how="left")
        .group_by(HOST)
        .agg(pl.max(SESSIONS).alias("brute_max_sessions"), pl.max(_EVEN))
    )


def _number_of(rows: pl.DataFrame, name: str) -> pl.LazyFrame:
    return rows.lazy().group_by(HOST).agg(pl.len().alias(name))
