"""The metrics of windows that have a baseline: each as an integer, in a unit of its own.

A metric is made of a row of `fg_a`. Its values are counted in histograms, so ratios become thousandths and times
milliseconds; what a window has of it and what is usual are compared in these units.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

from attrs import frozen

from ndr_core.deltas.roles import OUTBOUND
from ndr_core.expressions.expr import Expr, col, when
from ndr_core.windows.labels import WindowLabel

UNKNOWN: Final = -1
"""The bucket in which rows are counted whose value of an `Absent.ZERO` metric is not known (null)."""


class Unit(Enum):
    """What one step of a metric's integers is."""

    COUNT = "count"
    BYTES = "bytes"
    MILLISECONDS = "ms"
    THOUSANDTHS = "thousandths"

    @property
    def floor(self) -> int:
        """The least scale of a departure: differences below it tell nothing."""
        return _FLOORS[self]


_FLOORS: Final = {
    Unit.COUNT: 1,
    Unit.BYTES: 1024,
    Unit.MILLISECONDS: 1000,
    Unit.THOUSANDTHS: 50,
}


class Absent(Enum):
    """What a host without a row in a window has of a metric."""

    ZERO = "zero"
    """Of counts and sums: nothing was there to count. Bucket 0 is not stored: it is the rows less the rest."""
    NULL = "null"
    """Of ratios, shares, entropies and means: nothing is known."""


@frozen
class Metric:
    """One number of a window that has a baseline."""

    name: str
    """The column of `fg_a` that it is made of, or that its value repeats."""
    value: Expr
    """Over the columns of `fg_a`: an int64 of at least 0 in the unit; null where the column is null."""
    unit: Unit
    absent: Absent
    is_outbound_only: bool = False
    """Whether rows of the role inbound never have it."""
    is_of_days: bool = False
    """Whether only windows of a whole day have it."""

    def is_of(self, role: str, label: WindowLabel) -> bool:
        """Whether rows of a role and a window can have it: there are no histograms of it elsewhere."""
        if self.is_outbound_only and role != OUTBOUND.name:
            return False
        return label.is_day or not self.is_of_days


def _count(name: str) -> Metric:
    return Metric(name, col(name), Unit.COUNT, Absent.ZERO)


def _attack(name: str, *, is_of_days: bool = False) -> Metric:
    return Metric(
        name, col(name), Unit.COUNT, Absent.ZERO, is_outbound_only=True, is_of_days=is_of_days
    )


def _bytes(name: str) -> Metric:
    return Metric(name, col(name), Unit.BYTES, Absent.ZERO)


def _part(name: str, part: str, whole: str) -> Metric:
    """Thousandths of a ratio of two counts, from the counts."""
    value = when(col(whole) > 0, col(part) * 1000 // col(whole), None)
    return Metric(name, value, Unit.THOUSANDTHS, Absent.NULL)


def _thousandths(
    name: str, absent: Absent = Absent.NULL, *, is_outbound_only: bool = False
) -> Metric:
    """Thousandths of a float, rounded down."""
    value = (col(name) * 1000.0).floor_to_int()
    return Metric(name, value, Unit.THOUSANDTHS, absent, is_outbound_only)


METRICS: Final = (
    _count("sessions_cnt"),
    _bytes("bytes_sent_sum"),
    _bytes("bytes_recv_sum"),
    _count("allow_cnt"),
    _count("drop_cnt"),
    _count("alert_cnt"),
    _count("rst_cnt"),
    _count("threat_cnt"),
    _count("high_risk_sessions_cnt"),
    _count("max_sessions_per_minute"),
    _bytes("ext_bytes_sent_sum"),
    _count("peer_ip_nunique"),
    _count("peer_port_nunique"),
    _count("peer_segment_nunique"),
    _count("ext_peer_nunique"),
    _count("int_peer_nunique"),
    _thousandths("peer_ip_entropy"),
    _thousandths("peer_port_entropy"),
    _thousandths("peer_ip_top1_sessions_share"),
    _thousandths("peer_ip_top1_bytes_share"),
    _thousandths("peer_port_top1_sessions_share"),
    _thousandths("peer_port_top1_bytes_share"),
    Metric(
        "duration_mean",
        when(col("sessions_cnt") > 0, col("duration_us_sum") // col("sessions_cnt") // 1000, None),
        Unit.MILLISECONDS,
        Absent.NULL,
    ),
    _part("drop_ratio", "drop_cnt", "sessions_cnt"),
    _part("zero_reply_ratio", "zero_reply_cnt", "sessions_cnt"),
    _part("short_ratio", "short_session_cnt", "sessions_cnt"),
    _part("tcp_ratio", "tcp_cnt", "sessions_cnt"),
    _part("udp_ratio", "udp_cnt", "sessions_cnt"),
    _part("icmp_ratio", "icmp_cnt", "sessions_cnt"),
    _thousandths("bytes_sent_share"),
    _count("new_peer_cnt"),
    _part("new_peer_ratio", "new_peer_cnt", "peer_ip_nunique"),
    _count("rare_peer_cnt"),
    _count("new_port_cnt"),
    _count("rare_port_cnt"),
    _count("new_pair_cnt"),
    _count("rare_pair_cnt"),
    _count("new_segment_cnt"),
    _bytes("new_ext_bytes_sent"),
    _thousandths("pair_rarity_max"),
    _thousandths("pair_rarity_mean"),
    _attack("hscan_max_peers"),
    _attack("vscan_max_ports"),
    _attack("scan_targets_cnt"),
    _attack("trw_bits"),
    _thousandths("scan_score", Absent.ZERO, is_outbound_only=True),
    _attack("brute_max_sessions"),
    _thousandths("brute_score", Absent.ZERO, is_outbound_only=True),
    _attack("admin_peer_nunique"),
    _attack("new_admin_peer_cnt"),
    _thousandths("lateral_score", Absent.ZERO, is_outbound_only=True),
    Metric(
        "long_pair_seconds_max",
        col("long_pair_seconds_max") * 1000,
        Unit.MILLISECONDS,
        Absent.ZERO,
        is_outbound_only=True,
    ),
    _attack("beacon_score_max", is_of_days=True),
    _attack("beacon_threat_max", is_of_days=True),
)
"""All metrics that a spec can ask for, in the order of the columns of `fg_a`."""

_NOT_BY_DEFAULT: Final = frozenset(
    {
        "allow_cnt",
        "threat_cnt",
        "rare_peer_cnt",
        "rare_port_cnt",
        "peer_ip_top1_sessions_share",
        "peer_ip_top1_bytes_share",
        "peer_port_top1_sessions_share",
        "peer_port_top1_bytes_share",
        "pair_rarity_max",
        "scan_score",
        "brute_score",
        "lateral_score",
        "admin_peer_nunique",
    }
)
"""What others tell nearly as well: each metric takes its part of storage and time."""

DEFAULT_METRICS: Final = tuple(
    metric.name for metric in METRICS if metric.name not in _NOT_BY_DEFAULT
)

DEFAULT_KEY_METRICS: Final = (
    "sessions_cnt",
    "bytes_sent_sum",
    "bytes_recv_sum",
    "drop_ratio",
    "peer_ip_nunique",
    "peer_port_nunique",
)
"""The metrics by which a window is judged as a whole."""


def metrics_named(names: Iterable[str]) -> tuple[Metric, ...]:
    """Give the metrics of some names, in the order of `METRICS`. All names must be known."""
    wanted = set(names)
    return tuple(metric for metric in METRICS if metric.name in wanted)
