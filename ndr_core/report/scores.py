"""The scores by which a report ranks hosts, and what each of them is made of."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from ndr_core.correlations.formulas import (
    ANOMALY_METRICS,
    EXFIL_METRIC,
    NEW_BYTES,
    UPPER_Z_ENDING,
    departure_name,
)
from ndr_core.correlations.tables import FG_C
from ndr_core.report.listing import Column, Kind
from ndr_core.windows.tables import FG_A


@frozen
class Score:
    """A column by which hosts are ranked, the highest first."""

    column: str
    table: str
    about: str
    parts: tuple[Column, ...]
    """Columns of `fg_a` or `fg_c` that it is made of."""
    kind: Kind = Kind.NUMBER


def _counts(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, name) for name in names)


def _numbers(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, name, Kind.NUMBER) for name in names)


def _bytes(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, name, Kind.BYTES) for name in names)


SCORES: Final = (
    Score(
        "anomaly_strength",
        FG_C,
        "How far the window lies above what is usual for the host: the largest z / (z + 6) of these z.",
        _numbers(*(departure_name(name, UPPER_Z_ENDING) for name in ANOMALY_METRICS)),
    ),
    Score(
        "exfil_score",
        FG_C,
        "Bytes to external peers, above what is usual; bytes to peers never met before count double.",
        (
            *_numbers(departure_name(EXFIL_METRIC, "z")),
            *_bytes(EXFIL_METRIC, NEW_BYTES),
        ),
    ),
    Score(
        "beacon_threat_max",
        FG_A,
        "The most regular pair with an external peer (of 1000), up where few hosts have the peer, down where it is "
        "common or old. Regular is not malicious: clocks and updaters are regular, too.",
        _counts("beacon_score_max", "ext_peer_nunique"),
        Kind.COUNT,
    ),
    Score(
        "scan_score",
        FG_A,
        "Targets that never answered: many peers on one port, many ports of one peer, or many of both.",
        _counts("hscan_max_peers", "vscan_max_ports", "scan_targets_cnt", "trw_bits"),
    ),
    Score(
        "brute_score",
        FG_A,
        "Many sessions of even size with one port that asks for a password.",
        _counts("brute_max_sessions", "brute_even_pm"),
    ),
    Score(
        "lateral_score",
        FG_A,
        "Internal peers on ports of administration that the host never met there.",
        _counts("new_admin_peer_cnt", "admin_peer_nunique"),
    ),
)
"""All scores of windows that a report ranks hosts by."""

BUSIEST: Final = (
    Column("sessions_cnt", "sessions"),
    Column("bytes_sent_sum", "bytes sent", Kind.BYTES),
    Column("drop_cnt", "dropped sessions"),
)
"""Columns of the deltas by whose sum a report ranks hosts, too."""

DETAIL_METRICS: Final = (
    "sessions_cnt",
    "bytes_sent_sum",
    "bytes_recv_sum",
    EXFIL_METRIC,
    "peer_ip_nunique",
    "peer_port_nunique",
    "drop_ratio",
)
"""Metrics of a chosen host that are shown beside what is usual."""
