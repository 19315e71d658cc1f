"""What every output column means, by one example that can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ndr_core.deltas.reference import Tables
from ndr_core.deltas.timing import EARLY_START, TIMING_COLUMNS, united_starts
from ndr_core.tables.columns import Histogram
from ndr_core.tables.merge import Row
from tests.makers import flow, make_plan, us, write_batch
from tests.support import ENGINES, run_engine, run_reference

PLAN = make_plan(bounds=("2025-03-01T10:00:00Z", "2025-03-01T10:15:00Z"))
TEN = us("2025-03-01T10:00:00Z")
FLOWS = [
    flow(),  # 192.0.2.7:443, 100 bytes sent, 1000 received, 10:00:00 to 10:00:02, allow, TCP
    flow(
        source_bytes=300,
        destination_bytes=0,
        event_start="2025-03-01T10:00:30Z",
        event_end="2025-03-01T10:00:30.5Z",
        event_action="DENY",
        event_reason="tcp-rst-from-client",
    ),
    flow(
        destination_ip="192.0.2.8",
        destination_port=22,
        source_bytes=0,
        destination_bytes=None,
        event_start="2025-03-01T10:01:00Z",
        event_end=None,
        event_action="drop",
        event_reason="aged-out",
        network_transport="udp",
    ),
    flow(
        destination_ip="192.0.2.8",
        destination_port=None,
        source_bytes=1000,
        destination_bytes=50,
        event_start="2025-03-01T10:01:05Z",
        event_end="2025-03-01T10:01:06Z",
        event_action="reset-both",
        event_reason=None,
        network_transport="ICMP",
    ),
    flow(
        destination_ip="192.0.2.9",
        destination_port=3389,
        source_bytes=600,
        destination_bytes=7,
        event_start="2025-03-01T10:01:10Z",
        event_end="2025-03-01T10:01:20Z",
        event_action="alert",
        event_reason="tcp-rst-from-server",
    ),
    # Tells of the last session, which has a record of its own.
    flow(
        destination_ip="192.0.2.9",
        destination_port=3389,
        event_start="2025-03-01T10:01:15Z",
        event_end=None,
        event_action="alert",
        event_name="THREAT",
    ),
]
OUTBOUND = {
    "host_ip": "10.0.0.1",
    "slice_start_ts": TEN,
    "slice_end_ts": TEN + 900_000_000,
    "mini_batch_id": "mb-1",
    "feature_spec_version": "v1",
    "dt": "2025-03-01",
    "hh": "10",
    "mm": "00",
    "role": "outbound",
    "sessions_cnt": 5,
    "bytes_sent_sum": 100 + 300 + 0 + 1000 + 600,
    "bytes_recv_sum": 1000 + 0 + 0 + 50 + 7,
    "packets_sent_sum": 0,  # the source has columns for them, these records have none
    "packets_recv_sum": 0,
    "duration_us_sum": 2_000_000 + 500_000 + 0 + 1_000_000 + 10_000_000,
    "duration_sum": 13.5,
    "allow_cnt": 1,
    "drop_cnt": 3,  # deny, drop and reset-both
    "alert_cnt": 2,  # a session, and a threat
    "rst_cnt": 2,
    "aged_out_cnt": 1,
    "threat_cnt": 1,
    "traffic_cnt": 5,
    "tcp_cnt": 3,
    "udp_cnt": 1,
    "icmp_cnt": 1,
    "zero_reply_cnt": 1,  # 0 bytes; no count at all is not known
    "short_session_cnt": 1,  # 0.5 s; no end is not known, one second sharp is not short
    "admin_sessions_cnt": 2,  # 22 and 3389
    "db_sessions_cnt": 0,
    "directory_sessions_cnt": 0,
    "dns_sessions_cnt": 0,
    "fileshare_sessions_cnt": 0,
    "high_risk_sessions_cnt": 1,  # 3389
    "mail_sessions_cnt": 0,
    "web_sessions_cnt": 2,  # 443, twice
    "sessions_per_minute": ((TEN // 60_000_000, 2), (TEN // 60_000_000 + 1, 3)),
    "max_sessions_per_minute": 3,
    "peer_ip_nunique": 3,
    "peer_port_nunique": 3,  # an unknown port is no port
    # peers have 2, 2 and 1 of 5 sessions: log2(5) - (2 log2(2) + 2 log2(2)) / 5
    "peer_ip_entropy": pytest.approx(1.521928094887, abs=1e-11),
    "peer_port_entropy": 1.5,  # 2, 1 and 1 of 4: log2(4) - 2 log2(2) / 4
    "peer_ip_top1_sessions_share": 0.4,
    "peer_port_top1_sessions_share": 0.5,
    "peer_ip_top1_bytes_share": 0.5,  # 1000 of 2000
    "peer_port_top1_bytes_share": 0.6,  # 600 of the 1000 to known ports
    # Up to 127 a value is its own bucket; 300 = 75 * 4 is in bucket 2 * 64 + 75, which spans 300..303;
    # 600 = 75 * 8 in 3 * 64 + 75 (600..607), 1000 = 125 * 8 in 3 * 64 + 125 (1000..1007).
    "bytes_sent_hist": ((0, 1), (100, 1), (203, 1), (267, 1), (317, 1)),
    "bytes_sent_p25": 100,  # rank ceil(0.25 * 5) = 2
    "bytes_sent_p50": 301,
    "bytes_sent_p75": 603,
    "bytes_sent_p95": 1003,
    "bytes_sent_p99": 1003,
    "bytes_recv_hist": ((0, 2), (7, 1), (50, 1), (317, 1)),
    "bytes_recv_p25": 0,
    "bytes_recv_p50": 7,
    "bytes_recv_p75": 50,
    "bytes_recv_p95": 1003,
    "bytes_recv_p99": 1003,
    # 500000 us = 122 * 2^12 + rest; each doubling of the value is 64 buckets further.
    "duration_hist": ((0, 1), (890, 1), (954, 1), (1018, 1), (1164, 1)),
    "duration_p25": 0.501759,
    "duration_p50": 1.003519,
    "duration_p75": 2.007039,
    "duration_p95": 10.027007,
    "duration_p99": 10.027007,
}
# The server's side of the first two sessions.
INBOUND = {
    "role": "inbound",
    "host_ip": "192.0.2.7",
    "sessions_cnt": 2,
    "bytes_sent_sum": 1000,
    "bytes_recv_sum": 400,
    "zero_reply_cnt": 1,  # the answering side is the destination in either role
    "web_sessions_cnt": 2,  # and so is the service port
    "peer_ip_nunique": 1,
    "peer_ip_entropy": 0.0,
    "peer_ip_top1_bytes_share": 1.0,
}


@pytest.fixture(params=["reference", *ENGINES])
def build(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[list[object]], Tables]:
    """Builds the tables of some flows with each engine in turn."""

    def run(flows: list[object]) -> Tables:
        batch = write_batch(tmp_path / "in", [flows])  # type: ignore[list-item]
        if request.param == "reference":
            return run_reference(PLAN, batch)
        return run_engine(ENGINES[request.param](), PLAN, batch, tmp_path / "out")

    return run


def test_every_column_of_the_delta_table(build: Callable[[list[object]], Tables]) -> None:
    tables = build([*FLOWS])
    (outbound,) = [row for row in tables.deltas if row["role"] == "outbound"]
    assert list(outbound) == [column.name for column in PLAN.delta.columns]
    assert outbound == OUTBOUND
    (inbound,) = [row for row in tables.deltas if row["host_ip"] == "192.0.2.7"]
    assert {key: inbound[key] for key in INBOUND} == INBOUND


def test_every_column_of_the_pair_table(build: Callable[[list[object]], Tables]) -> None:
    pairs = [row for row in build([*FLOWS]).pairs if row["role"] == "outbound"]
    keys: Row = {
        "host_ip": "10.0.0.1",
        "slice_start_ts": TEN,
        "slice_end_ts": TEN + 900_000_000,
        "mini_batch_id": "mb-1",
        "feature_spec_version": "v1",
        "dt": "2025-03-01",
        "hh": "10",
        "mm": "00",
        "role": "outbound",
    }

    def pair(peer: str, port: int | None, sessions: int, sent: int, received: int, end: str) -> Row:
        return keys | {
            "peer_ip": peer,
            "peer_port": port,
            "sessions_cnt": sessions,
            "bytes_sent_sum": sent,
            "bytes_recv_sum": received,
            "event_ts": us(f"2025-03-01T{end}Z"),
        }

    def timing(starts: Histogram, sizes: Histogram, unanswered: int, seconds: int) -> Row:
        return {
            "starts": starts,
            "bytes_sent_hist": sizes,
            "unanswered_cnt": unanswered,
            "duration_s_sum": seconds,
        }

    assert pairs == [
        # The second one was denied, and had no answer: it counts once. 2 s and 0.5 s are 2 s and 0 s. It ended at
        # 10:00:30.5.
        pair("192.0.2.7", 443, 2, 400, 1000, "10:00:30")
        | timing(((0, 1), (30, 1)), ((100, 1), (203, 1)), 1, 2),
        # reset-both is of the class drop, the answer does not matter then.
        pair("192.0.2.8", None, 1, 1000, 50, "10:01:06") | timing(((65, 1),), ((317, 1),), 1, 1),
        pair("192.0.2.8", 22, 1, 0, 0, "10:01:00") | timing(((60, 1),), ((0, 1),), 1, 0),
        # An alert was answered; its threat makes no pair, and is in none.
        pair("192.0.2.9", 3389, 1, 600, 7, "10:01:20") | timing(((70, 1),), ((267, 1),), 0, 10),
    ]


def test_an_inbound_pair_has_no_timing_which_is_in_the_row_of_its_other_end(
    build: Callable[[list[object]], Tables],
) -> None:
    pairs = [row for row in build([*FLOWS]).pairs if row["role"] == "inbound"]

    assert [row["sessions_cnt"] for row in pairs] == [2, 1, 1, 1]
    assert {row[column.name] for row in pairs for column in TIMING_COLUMNS} == {None}


def test_starts_are_seconds_from_the_slice_that_a_session_was_logged_in(
    build: Callable[[list[object]], Tables],
) -> None:
    def session(start: str, end: str, **changes: object) -> dict[str, object]:
        return flow(event_start=f"{start}Z", event_end=f"{end}Z", **changes)

    day_before = "2025-02-28T10:00:00"
    tables = build(
        [
            session("2025-03-01T09:59:59.9", "2025-03-01T10:00:01"),
            session("2025-03-01T10:00:01.1", "2025-03-01T10:00:01.2", source_bytes=None),
            session("2025-03-01T10:00:01.9", "2025-03-01T10:14:59.999999"),
            session(day_before, "2025-03-01T10:00:00"),
            session("2025-02-28T09:59:59.999999", "2025-03-01T10:00:00", source_bytes=0),
            session("2025-02-01T00:00:00", "2025-03-01T10:00:00"),
        ]
    )

    (row,) = [row for row in tables.pairs if row["role"] == "outbound"]
    assert row["starts"] == ((EARLY_START, 2), (-86_400, 1), (-1, 1), (1, 2))
    assert row["bytes_sent_hist"] == ((0, 2), (100, 4))  # what is not known counts as 0
    assert united_starts([(TEN, row["starts"])]) == (
        (EARLY_START, 2),
        (us(f"{day_before}Z") // 1_000_000, 1),
        (TEN // 1_000_000 - 1, 1),
        (TEN // 1_000_000 + 1, 2),
    )


def test_a_host_without_any_known_port_has_no_port_entropy(
    build: Callable[[list[object]], Tables],
) -> None:
    tables = build([flow(destination_port=None)])
    (row,) = [row for row in tables.deltas if row["role"] == "outbound"]
    assert row["peer_port_nunique"] == 0
    assert row["peer_port_entropy"] is None
    assert row["peer_port_top1_sessions_share"] is None
    assert row["peer_port_top1_bytes_share"] is None
