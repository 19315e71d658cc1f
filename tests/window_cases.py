"""Windows that can be worked out by hand: what they are made of, and what is in their rows.

The unit tests of the reference and those of every engine take the same cases.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest
from attrs import asdict, field, frozen

from ndr_core.deltas.plan import DeltaPlan
from ndr_core.deltas.reference import Tables, build_tables
from ndr_core.deltas.roles import INBOUND, OUTBOUND
from ndr_core.features.networks import Hosts, Networks
from ndr_core.history.plan import HistoryPlan
from ndr_core.history.tables import PAIR_HISTORY
from ndr_core.tables.merge import Row
from ndr_core.times import day_of, day_start, iso_text
from ndr_core.windows.calendar import Calendar
from ndr_core.windows.history_source import HistorySource, history_source
from ndr_core.windows.labels import DEFAULT_LABELS, WindowLabel
from ndr_core.windows.plan import WindowPlan, compile_window_plan
from ndr_core.windows.reference import WindowRows, WindowTables, build_windows
from ndr_core.windows.settings import DetectionPorts
from tests.makers import flow, make_plan, us

DELTA_PLAN: Final = make_plan()
BERLIN: Final = Calendar(zone="Europe/Berlin", holidays=("2025-03-14",))
NETWORKS: Final = Networks(segments={"servers": ("10.0.1.0/24",)})
PUBLISHED_AT: Final = us("2025-03-20T00:00:00Z")
HOUR: Final = WindowLabel(60, 15)
DAY: Final = WindowLabel(1440, 60)
QUARTER: Final = WindowLabel(15, 15)
FIRST_SLICE: Final = us("2025-01-01T00:00:00Z")
"""When the output's first slice was published, where a test says nothing else."""


def window_plan(
    *,
    hosts: Hosts = Hosts.INTERNAL,
    networks: Networks = NETWORKS,
    calendar: Calendar = BERLIN,
    delta_plan: DeltaPlan = DELTA_PLAN,
    labels: Sequence[WindowLabel] = DEFAULT_LABELS,
) -> WindowPlan:
    return compile_window_plan(
        measures=delta_plan.measures,
        roles=[asdict(OUTBOUND), asdict(INBOUND)],
        slice_minutes=delta_plan.slice_minutes,
        labels=labels,
        networks=networks,
        ports=DetectionPorts(),
        calendar=calendar,
        hosts=hosts,
        feature_spec_version="v1",
        published_at=PUBLISHED_AT,
    )


def session(at: str, seconds: float = 0.0, **changes: Any) -> dict[str, Any]:
    """A record of a session that starts at a time of 2025-03-12, such as 10:05:00, and lasts so long."""
    start = us(f"2025-03-12T{at}Z")
    times = (start, start + round(seconds * 1_000_000))
    names = ("event_start", "event_end")
    return flow(**dict(zip(names, map(iso_text, times), strict=True)), **changes)


def delta_tables(records: Sequence[dict[str, Any]], plan: DeltaPlan = DELTA_PLAN) -> Tables:
    return build_tables([json.dumps(record) for record in records], plan)


def history_row(
    day: int, peer: str, port: int | None, days_before: Sequence[int], **changes: Any
) -> Row:
    """A row of the pair history of a day: the pair was active so many days before it."""
    plan = HistoryPlan(day, NETWORKS, "v1", PUBLISHED_AT, "v1")
    row = {
        "host_ip": "10.0.0.1",
        "role": "outbound",
        "peer_ip": peer,
        "peer_port": port,
        "days_mask": sum(1 << days for days in days_before),
        "last_seen_ts": day_start(day - min(days_before)),
        "age_days": max(days_before),
        "sessions_30d": len(days_before),
        "bytes_sent_30d": 0,
        **plan.constants(),
        **changes,
    }
    return {column.name: row[column.name] for column in PAIR_HISTORY.columns}


@frozen
class WindowCase:
    """One window, and what its rows must hold."""

    name: str
    label: WindowLabel
    anchor: str
    records: Sequence[dict[str, Any]]
    history: Sequence[Row] = ()
    """Rows of the pair history of the day before the window's start."""
    fg_a: Mapping[tuple[str, str], Mapping[str, Any]] = field(factory=dict)
    """Role and host -> columns of their row, and what is in them."""
    beacons: Mapping[tuple[str, int | None], Mapping[str, Any]] = field(factory=dict)
    """Peer and port -> columns of the beacon row of 10.0.0.1."""
    hosts: Hosts = Hosts.INTERNAL
    coverage: int | None = None
    """Published slices; None: all of them."""
    source: HistorySource | None = None
    """None: the history of the day before the window's start is there."""

    @property
    def plan(self) -> WindowPlan:
        return window_plan(hosts=self.hosts)

    @property
    def end(self) -> int:
        return us(self.anchor)

    @property
    def history_source(self) -> HistorySource:
        start = self.label.start(self.end)
        return self.source or history_source(start, {day_of(start) - 1}, FIRST_SLICE)

    @property
    def slices(self) -> int:
        return self.label.slices(15) if self.coverage is None else self.coverage

    @property
    def rows(self) -> WindowRows:
        tables = delta_tables(self.records)
        return WindowRows(
            tables.deltas, tables.pairs, self.slices, self.history_source, self.history
        )

    def build(self) -> WindowTables:
        return build_windows(self.plan, self.end, {self.label: self.rows})


def found(row: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """What a row has in the columns that are expected."""
    return {name: row[name] for name in expected}


TWELFTH: Final = day_of(us("2025-03-12T00:00:00Z"))
ELEVENTH: Final = TWELFTH - 1

_HOUR_RECORDS: Final = [
    session("10:05:00", 2, source_bytes=100, destination_bytes=1000),  # 192.0.2.7:443, answered
    session("10:30:00", 0.5, source_bytes=300, destination_bytes=0, event_action="DENY"),
    session(
        "10:31:00", 600, destination_ip="198.51.100.9", destination_port=22, source_bytes=600,
        destination_bytes=200, event_reason="tcp-rst-from-server",
    ),
    session(
        "10:41:00", 10, destination_ip="10.0.1.5", destination_port=445, source_bytes=1000,
        destination_bytes=3000, event_reason="aged-out",
    ),
    session(
        "10:50:00", 1, destination_ip="10.0.1.5", destination_port=None, source_bytes=50,
        destination_bytes=0, network_transport="ICMP",
    ),
    session(
        "10:50:30", destination_ip="224.0.0.251", destination_port=5353, source_bytes=40,
        destination_bytes=0, network_transport="UDP",
    ),
    session(
        "10:51:00", destination_ip="10.0.1.6", destination_port=3389, source_bytes=7,
        destination_bytes=0, event_action="drop",
    ),
    session(
        "10:52:00", destination_ip="10.0.1.6", destination_port=3389, event_action="alert",
        event_name="THREAT",
    ),
    # Of the day, before the window: a day of its history.
    session("08:00:00", 1, destination_ip="192.0.2.50", destination_port=22),
]  # fmt: skip

_HOUR_HISTORY: Final = [
    history_row(ELEVENTH, "192.0.2.7", 443, [1, 3, 9]),  # 2, 4 and 10 days before the 12th
    history_row(ELEVENTH, "198.51.100.77", 443, [0]),
    history_row(ELEVENTH, "10.0.1.5", 445, [0, 1]),
    history_row(ELEVENTH, "10.0.1.9", 389, [28]),  # 29 days before the 12th, the last that counts
    history_row(ELEVENTH, "203.0.113.1", 80, [29]),  # and 30 days before it: forgotten
]
# The host was seen 29, 10, 4, 2, 1 and 0 days before: D = 6.
_NEVER_SEEN: Final = 3.807354922057604  # log2(2 (6 + 1)) - log2(1)

_HOUR: Final[dict[str, Any]] = {
    "host_ip": "10.0.0.1",
    "window_label": "w_1h",
    "window_start_ts": us("2025-03-12T10:00:00Z"),
    "window_end_ts": us("2025-03-12T11:00:00Z"),
    "coverage_slices": 4,
    "is_partial": 0,
    "sessions_cnt": 7,  # a threat is no session
    "bytes_sent_sum": 100 + 300 + 600 + 1000 + 50 + 40 + 7,
    "bytes_recv_sum": 1000 + 200 + 3000,
    "packets_sent_sum": 0,  # the source has columns for them, these records have none
    "packets_recv_sum": 0,
    "duration_us_sum": 2_000_000 + 500_000 + 600_000_000 + 10_000_000 + 1_000_000,
    "allow_cnt": 5,
    "drop_cnt": 2,  # DENY and drop
    "alert_cnt": 1,  # the threat
    "rst_cnt": 1,
    "aged_out_cnt": 1,
    "threat_cnt": 1,
    "traffic_cnt": 7,
    "tcp_cnt": 5,
    "udp_cnt": 1,
    "icmp_cnt": 1,
    "zero_reply_cnt": 4,  # 10:30, 10:50 twice, 10:51
    "short_session_cnt": 3,  # 0.5 s and 0 s twice; one second sharp is not short
    "admin_sessions_cnt": 2,  # 22 and 3389
    "db_sessions_cnt": 0,
    "directory_sessions_cnt": 0,
    "dns_sessions_cnt": 1,  # 5353
    "fileshare_sessions_cnt": 1,  # 445
    "high_risk_sessions_cnt": 2,  # 445 and 3389
    "mail_sessions_cnt": 0,
    "web_sessions_cnt": 2,  # 443, twice
    "max_sessions_per_minute": 2,  # by their ends: 10:41:00 and 10:41:10
    # 7 40 50 100 300 600 1000: ranks ceil(1.75), ceil(3.5), ceil(5.25), 7, 7; 600 is in 600..607, 1000 in 1000..1007.
    "bytes_sent_p25": 40,
    "bytes_sent_p50": 100,
    "bytes_sent_p75": 603,
    "bytes_sent_p95": 1003,
    "bytes_sent_p99": 1003,
    # 0 0 0 0 200 1000 3000; 3000 = 93 * 32 + 24 is in 2976..3007
    "bytes_recv_p25": 0,
    "bytes_recv_p50": 0,
    "bytes_recv_p75": 1003,
    "bytes_recv_p95": 2991,
    "bytes_recv_p99": 2991,
    # 0 0 0.5 1 2 10 600 s; 600,000,000 us = 71 * 2^23 + rest, the middle is 71 * 2^23 + (2^23 - 1) // 2
    "duration_p25": 0.0,
    "duration_p50": 1.003519,
    "duration_p75": 10.027007,
    "duration_p95": 599.785471,
    "duration_p99": 599.785471,
    "peer_ip_nunique": 5,
    "peer_port_nunique": 5,  # an unknown port is no port
    # Peers have 2, 2, 1, 1, 1 of 7 sessions: log2(7) - (2 log2(2) + 2 log2(2)) / 7.
    "peer_ip_entropy": pytest.approx(2.807354922058 - 4 / 7, abs=1e-11),
    # Ports have 2, 1, 1, 1, 1 of 6.
    "peer_port_entropy": pytest.approx(2.584962500721 - 2 / 6, abs=1e-11),
    "peer_ip_top1_sessions_share": 2 / 7,
    "peer_port_top1_sessions_share": 2 / 6,
    "peer_ip_top1_bytes_share": 1050 / 2097,  # 10.0.1.5
    "peer_port_top1_bytes_share": 1000 / 2047,  # 445, of what went to known ports
    "peer_segment_nunique": 4,  # 192.0.2.0/24, 198.51.100.0/24, servers, 224.0.0.0/24
    "ext_peer_nunique": 2,  # multicast is neither external
    "int_peer_nunique": 2,  # nor internal
    "ext_bytes_sent_sum": 100 + 300 + 600,
    "duration_mean": 613_500_000 / 7 / 1e6,
    "drop_ratio": 2 / 7,
    "zero_reply_ratio": 4 / 7,
    "short_ratio": 3 / 7,
    "tcp_ratio": 5 / 7,
    "udp_ratio": 1 / 7,
    "icmp_ratio": 1 / 7,
    "bytes_sent_share": 2097 / (2097 + 4200),
    "bytes_asymmetry_ratio": 2097 / 4200,
    "has_high_risk": 1,
    "new_peer_cnt": 3,  # 198.51.100.9, 224.0.0.251, 10.0.1.6
    "new_peer_ratio": 3 / 5,
    "rare_peer_cnt": 1,  # 10.0.1.5, on 2 days; 192.0.2.7 on 3
    "new_port_cnt": 2,  # 5353, 3389
    "rare_port_cnt": 2,  # 22 on the day itself, before the window; 445 on 2 days; 443 on 4
    "new_pair_cnt": 4,  # 10.0.1.5 without a port, too
    "rare_pair_cnt": 1,  # 10.0.1.5:445
    "new_segment_cnt": 1,  # 224.0.0.0/24; the other 3 have met peers in the history
    "new_ext_bytes_sent": 600,  # to 198.51.100.9
    "history_days": 29,
    "pair_rarity_max": pytest.approx(_NEVER_SEEN, abs=1e-11),
    # 4 pairs never seen, one on 3 days: log2(14) - log2(7) = 1, one on 2: log2(14) - log2(5) = 1.4854268.
    # In 2^-16 bits: 249519 (of 249518.8), 65536 and 97349 (of 97348.9).
    "pair_rarity_mean": (4 * 249519 + 65536 + 97349) / 6 / 65536,
    "hscan_max_peers": 1,  # port 3389: 10.0.1.6; no port: 10.0.1.5
    "vscan_max_ports": 1,  # 3389 of 10.0.1.6; the unknown port of 10.0.1.5 counts nothing
    "scan_targets_cnt": 2,  # multicast is no failed target; 192.0.2.7:443 has answered once
    "trw_bits": 0,  # one peer has not answered, three have: max(0, 2 (1 - 3))
    "scan_score": 2 / (2 + 25),  # against 1 / (1 + 25) and 1 / (1 + 15)
    "brute_max_sessions": 1,
    "brute_even_pm": 1000,
    "brute_score": 1 / (1 + 30) * 1000 / 1000,
    "admin_peer_nunique": 2,  # 10.0.1.5 on 445, 10.0.1.6 on 3389; 198.51.100.9 is not internal
    "new_admin_peer_cnt": 1,  # 10.0.1.6
    "lateral_score": 1 / (1 + 3),
    "long_pair_seconds_max": 600,
    "beacon_score_max": None,  # of a whole day only
    "beacon_threat_max": None,
    "hour_of_day": 11,  # 10:59:59.999999 UTC is 11:59:59.999999 in Berlin
    "day_of_week": 3,
    "time_band": "wd_work",
    "is_weekend": 0,
    "is_holiday": 0,
    "published_at": PUBLISHED_AT,
    "feature_spec_version": "v1",
    "dt": "2025-03-12",
    "hh": "11",
    "mm": "00",
    "role": "outbound",
}  # fmt: skip

# The other side of the sessions of 10:41 and 10:50: no history, no detection.
_HOUR_INBOUND: Final[dict[str, Any]] = {
    "sessions_cnt": 2,
    "bytes_sent_sum": 3000,
    "bytes_recv_sum": 1000 + 50,
    "peer_ip_nunique": 1,
    "peer_segment_nunique": 1,
    "int_peer_nunique": 1,
    "ext_peer_nunique": 0,
    "ext_bytes_sent_sum": 0,
    "bytes_sent_share": 3000 / (3000 + 1050),
    "history_days": 0,
    "new_peer_cnt": None,
    "new_peer_ratio": None,
    "rare_peer_cnt": None,
    "new_port_cnt": None,
    "rare_port_cnt": None,
    "new_pair_cnt": None,
    "rare_pair_cnt": None,
    "new_segment_cnt": None,
    "new_ext_bytes_sent": None,
    "pair_rarity_max": None,
    "pair_rarity_mean": None,
    "hscan_max_peers": None,
    "vscan_max_ports": None,
    "scan_targets_cnt": None,
    "trw_bits": None,
    "scan_score": None,
    "brute_max_sessions": None,
    "brute_even_pm": None,
    "brute_score": None,
    "admin_peer_nunique": None,
    "new_admin_peer_cnt": None,
    "lateral_score": None,
    "long_pair_seconds_max": None,
    "beacon_score_max": None,
    "beacon_threat_max": None,
    "role": "inbound",
}

EVERY_COLUMN: Final = WindowCase(
    "an hour with a value in every column",
    HOUR,
    "2025-03-12T11:00:00Z",
    _HOUR_RECORDS,
    _HOUR_HISTORY,
    {("outbound", "10.0.0.1"): _HOUR, ("inbound", "10.0.1.5"): _HOUR_INBOUND},
)

# Gaps 60 s (7 times), 70 s and 300 s.
_STARTS: Final = (0, 60, 120, 180, 240, 300, 360, 420, 490, 790)
_SIZES: Final = (100, 100, 100, 100, 100, 100, 100, 100, 105, 400)


def _clock(start: int) -> str:
    return f"{start // 3600:02}:{start // 60 % 60:02}:{start % 60:02}"


_BEATS: Final = [
    session(
        _clock(10 * 3600 + start), 1, destination_ip=peer, destination_port=port, source_bytes=size,
        destination_bytes=0 if start < 120 and peer == "192.0.2.7" else 500,
    )
    for peer, port in [("192.0.2.7", 443), ("198.51.100.9", None), ("224.0.0.251", 5353)]
    for start, size in zip(_STARTS, _SIZES, strict=True)
]  # fmt: skip
# Internal, and perfect: gaps of 300 s over 24 h less 300 s, equal sizes.
_PERFECT: Final = [
    session(
        _clock(start), destination_ip="10.0.1.5", destination_port=123, source_bytes=76,
        destination_bytes=76, network_transport="UDP",
    )
    for start in range(0, 86_400, 300)
]  # fmt: skip
_TOO_FEW: Final = [
    # Nine sessions of eight distinct seconds.
    session(_clock(start), destination_ip="192.0.2.99")
    for start in (0, 0, 600, 1200, 1800, 2400, 3000, 3600, 4200)
]

_BEAT: Final[dict[str, Any]] = {
    "host_ip": "10.0.0.1",
    "window_end_ts": us("2025-03-13T00:00:00Z"),
    "sessions_cnt": 10,
    "gaps_cnt": 9,
    "period_s": 60,  # the fifth of 60 (7 times), 70, 300
    "reg_pm": 1000,  # distances 0 (7 times), 10, 240: the fifth is 0
    "mode_pm": 888,  # 8 of 9 are within max(2, 60 // 5) = 12 s: 8000 // 9
    "size_pm": 900,  # the median is 100: within max(8, 100 // 20) = 8 B are all but one
    "span_pm": 9,  # 790,000 // 86,400
    # 9 (400 * 888 + 200 (1000 + 900 + 9)) // (1000 (9 + 8)) = 9 * 737,000 // 17,000
    "beacon_score": 390,
    "bytes_sent_median": 100,
    "first_seen_ts": us("2025-03-12T10:00:00Z"),
    "last_seen_ts": us("2025-03-12T10:13:10Z"),
    "is_external": 1,
    "history_days": 29,
    "published_at": PUBLISHED_AT,
    "feature_spec_version": "v1",
    "dt": "2025-03-13",
    "hh": "00",
    "mm": "00",
    "role": "outbound",
}

A_DAY_OF_BEACONS: Final = WindowCase(
    "a day with beacons",
    DAY,
    "2025-03-13T00:00:00Z",
    [*_BEATS, *_PERFECT, *_TOO_FEW],
    [
        history_row(ELEVENTH, "192.0.2.7", 443, [28]),
        history_row(ELEVENTH, "10.0.1.5", 123, [0, 20]),
        # Seen in the 7 days before the 12th: two hosts, of which one met 192.0.2.7.
        history_row(ELEVENTH, "192.0.2.7", 80, [6], host_ip="10.0.0.2"),
        # 8 days before it, an external host, the other role: these don't count.
        history_row(ELEVENTH, "192.0.2.7", 80, [7], host_ip="10.0.0.3"),
        history_row(ELEVENTH, "198.51.100.9", 80, [0], host_ip="203.0.113.5"),
        history_row(ELEVENTH, "198.51.100.9", 80, [0], host_ip="10.0.0.4", role="inbound"),
    ],
    fg_a={
        ("outbound", "10.0.0.1"): {
            "sessions_cnt": 30 + 288 + 9,
            "coverage_slices": 96,
            "beacon_score_max": 390,  # 192.0.2.7; the internal peer's is no external one
            "beacon_threat_max": 690,  # 198.51.100.9
            "time_band": "all",
            "hour_of_day": 0,  # of the 13th, in Berlin
            "day_of_week": 4,
        },
        ("inbound", "10.0.1.5"): {"beacon_score_max": None, "beacon_threat_max": None},
    },
    beacons={
        ("192.0.2.7", 443): {
            **_BEAT,
            "unanswered_pm": 200,  # those at 0 and 60 s
            "prevalence": 1 / 2,
            "prevalence_hosts": 1,
            "age_days": 29,
            "beacon_threat": 390 - 150 - 150,  # half of the hosts; at least 28 days old
        },
        ("198.51.100.9", None): {
            **_BEAT,
            "unanswered_pm": 0,
            "prevalence": 0.0,
            "prevalence_hosts": 0,
            "age_days": 0,
            "beacon_threat": 390 + 150 + 150,  # no host of 2; never seen
        },
        ("10.0.1.5", 123): {
            "sessions_cnt": 288,
            "gaps_cnt": 287,
            "period_s": 300,
            "reg_pm": 1000,
            "mode_pm": 1000,
            "size_pm": 1000,
            "span_pm": 996,  # 86,100,000 // 86,400
            # 287 (400,000 + 200,000 + 200,000 + 199,200) // (1000 * 295)
            "beacon_score": 287 * 999_200 // 295_000,
            "unanswered_pm": 0,
            "bytes_sent_median": 76,
            "first_seen_ts": us("2025-03-12T00:00:00Z"),
            "last_seen_ts": us("2025-03-12T23:55:00Z"),
            "is_external": 0,
            "prevalence": 1 / 2,
            "prevalence_hosts": 1,
            "age_days": 21,
            "history_days": 29,
            "beacon_threat": 287 * 999_200 // 295_000 - 150,
        },
    },
)

_SCANNED: Final = [
    session(
        "10:00:00", destination_ip=f"192.0.2.{number}", destination_port=port, source_bytes=0,
        destination_bytes=0,
    )
    for number in range(1, 31)
    for port in ([445, 22] if number <= 2 else [445])
] + [
    session(
        "10:01:00", destination_ip="198.51.100.9", destination_port=port, event_action="drop"
    )
    for port in range(1, 46)
]  # fmt: skip
_GUESSED: Final = [
    session("10:02:00", 5, destination_ip="203.0.113.5", destination_port=22, source_bytes=size)
    for size in [2000] * 5 + [2100] * 4 + [5000]
] + [
    # As many sessions, and less even: sizes of 100, of which those up to 110 are within a tenth.
    session("10:03:00", 5, destination_ip="203.0.113.6", destination_port=22, source_bytes=size)
    for size in [100] * 5 + [111] * 5
]  # fmt: skip

AN_ATTACK: Final = WindowCase(
    "a quarter with scans and guessing",
    QUARTER,
    "2025-03-12T10:15:00Z",
    [*_SCANNED, *_GUESSED],
    fg_a={
        ("outbound", "10.0.0.1"): {
            "hscan_max_peers": 30,  # port 445
            "vscan_max_ports": 45,  # 198.51.100.9
            "scan_targets_cnt": 32 + 45,
            "trw_bits": 2 * (31 - 2),  # 203.0.113.5 and .6 have answered
            "scan_score": 77 / (77 + 25),  # against 30 / 55 and 45 / 60
            "brute_max_sessions": 10,
            # 2000 = 125 * 16 is in 2000..2015, its middle 2007; 2100 in 2096..2127, 2111: within 200 of 2007.
            "brute_even_pm": 900,
            "brute_score": 10 / (10 + 30) * 900 / 1000,
            "long_pair_seconds_max": 50,
            "history_days": 0,
            "new_admin_peer_cnt": None,
            "lateral_score": None,
        }
    },
)

ONLY_A_THREAT: Final = WindowCase(
    "a host of which there is only a threat",
    QUARTER,
    "2025-03-12T10:15:00Z",
    [session("10:00:00", event_name="THREAT")],
    _HOUR_HISTORY,
    {
        ("outbound", "10.0.0.1"): {
            "sessions_cnt": 0,
            "threat_cnt": 1,
            "bytes_sent_sum": 0,
            "max_sessions_per_minute": 0,
            "bytes_sent_p50": None,
            "duration_p50": None,
            "peer_ip_nunique": 0,
            "peer_ip_entropy": None,
            "peer_segment_nunique": 0,
            "ext_bytes_sent_sum": 0,
            "duration_mean": None,
            "drop_ratio": None,
            "tcp_ratio": None,
            "bytes_sent_share": None,
            "bytes_asymmetry_ratio": None,
            "has_high_risk": 0,
            "history_days": 29,
            "new_peer_cnt": 0,
            "new_peer_ratio": None,
            "new_ext_bytes_sent": 0,
            "pair_rarity_max": None,
            "pair_rarity_mean": None,
            "hscan_max_peers": 0,
            "scan_score": 0.0,
            "trw_bits": 0,
            "brute_max_sessions": 0,
            "brute_even_pm": None,
            "brute_score": 0.0,
            "admin_peer_nunique": 0,
            "new_admin_peer_cnt": 0,
            "lateral_score": 0.0,
            "long_pair_seconds_max": 0,
        }
    },
)

UNKNOWN_HISTORY: Final = WindowCase(
    "a day of which the history is missing",
    DAY,
    "2025-03-13T00:00:00Z",
    _BEATS,
    fg_a={
        ("outbound", "10.0.0.1"): {
            "coverage_slices": 96,
            "is_partial": 1,
            "history_days": None,
            "new_pair_cnt": None,
            "pair_rarity_mean": None,
            "admin_peer_nunique": 0,
            "new_admin_peer_cnt": None,
            "lateral_score": None,
            "beacon_score_max": 390,
            "beacon_threat_max": 390,
        }
    },
    beacons={
        ("192.0.2.7", 443): {
            "beacon_score": 390,
            "prevalence": None,
            "prevalence_hosts": None,
            "age_days": None,
            "history_days": None,
            "beacon_threat": 390,
        }
    },
    source=HistorySource(TWELFTH, None, (), is_known=False),
)

NO_HISTORY_YET: Final = WindowCase(
    "a day before which nothing was published",
    DAY,
    "2025-03-13T00:00:00Z",
    _BEATS,
    fg_a={("outbound", "10.0.0.1"): {"is_partial": 0, "history_days": 0, "new_pair_cnt": None}},
    beacons={
        ("198.51.100.9", None): {
            "prevalence": None,  # no internal host was seen
            "prevalence_hosts": 0,
            "age_days": 0,
            "history_days": 0,
            "beacon_threat": 390,
        }
    },
    source=history_source(us("2025-03-12T00:00:00Z"), set(), us("2025-03-12T00:00:00Z")),
)

PARTIAL: Final = WindowCase(
    "an hour of which a slice is missing",
    HOUR,
    "2025-03-12T11:00:00Z",
    _HOUR_RECORDS[:1],
    fg_a={("outbound", "10.0.0.1"): {"coverage_slices": 3, "is_partial": 1, "sessions_cnt": 1}},
    coverage=3,
)

EXTERNAL_HOSTS: Final = WindowCase(
    "a quarter of all hosts",
    QUARTER,
    "2025-03-12T10:15:00Z",
    _HOUR_RECORDS[:1],
    fg_a={
        ("outbound", "10.0.0.1"): {"ext_peer_nunique": 1, "int_peer_nunique": 0},
        ("inbound", "192.0.2.7"): {"ext_peer_nunique": 0, "int_peer_nunique": 1},
    },
    hosts=Hosts.ALL,
)

CASES: Final = (
    EVERY_COLUMN,
    A_DAY_OF_BEACONS,
    AN_ATTACK,
    ONLY_A_THREAT,
    UNKNOWN_HISTORY,
    NO_HISTORY_YET,
    PARTIAL,
    EXTERNAL_HOSTS,
)
