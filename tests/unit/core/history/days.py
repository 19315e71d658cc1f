"""Days of pairs, and the histories that the reference makes of them, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ndr_core.features.networks import Hosts, Networks
from ndr_core.history.plan import HistoryPlan
from ndr_core.history.reference import HistoryRows, history_tables
from ndr_core.tables.merge import Row
from ndr_core.tables.slices import partition_of
from ndr_core.times import HOUR_US, MINUTE_US, SECOND_US, day_start

HOST = "10.0.0.1"
PEER = "192.0.2.7"
NETWORKS = Networks(segments={"lab": ("192.0.2.128/25",)})
PUBLISHED_AT = day_start(30_000)


def pair(
    day: int,
    host: str = HOST,
    peer: str = PEER,
    port: int | None = 443,
    role: str = "outbound",
    sessions: int = 1,
    bytes_sent: int = 100,
    quarter: int = 40,
) -> Row:
    """A row of the pair table: of the `quarter`-th slice of the day, its last session 10 s before the end."""
    start = day_start(day) + quarter * 15 * MINUTE_US
    return {
        "host_ip": host,
        "peer_ip": peer,
        "peer_port": port,
        "slice_start_ts": start,
        "slice_end_ts": start + 15 * MINUTE_US,
        "mini_batch_id": "mb-1",
        "sessions_cnt": sessions,
        "bytes_sent_sum": bytes_sent,
        "bytes_recv_sum": 7,
        "event_ts": start + 15 * MINUTE_US - 10 * SECOND_US,
        "starts": None,
        "bytes_sent_hist": None,
        "unanswered_cnt": None,
        "duration_s_sum": None,
        "feature_spec_version": "v1",
        **partition_of(start),
        "role": role,
    }


LAST_OF_10_OCLOCK = 10 * HOUR_US + 15 * MINUTE_US - 10 * SECOND_US
"""When the last session of a `pair` ends, us of the day."""


def plan(
    day: int, networks: Networks = NETWORKS, hosts: Hosts = Hosts.INTERNAL, version: str = "v1"
) -> HistoryPlan:
    return HistoryPlan(day, networks, "v1", PUBLISHED_AT, version, hosts)


def anew(days: Mapping[int, Sequence[Row]], day: int) -> dict[str, list[Row]]:
    """The tables of a day, from the pairs of its 30 days."""
    wanted = range(day - 29, day + 1)
    pairs = [row for number in wanted for row in days.get(number, ())]
    return history_tables(HistoryRows(pairs), plan(day))


def in_order(
    days: Mapping[int, Sequence[Row]], first: int, last: int
) -> dict[int, dict[str, list[Row]]]:
    """The tables of each day, each made from those of the day before, the first from nothing."""
    found: dict[int, dict[str, list[Row]]] = {}
    for day in range(first, last + 1):
        former = found[day - 1]["pair_history"] if day > first else []
        tiles = found[day - 30]["pair_tile"] if day - 30 in found else []
        found[day] = history_tables(HistoryRows(days.get(day, ()), tiles, former), plan(day))
    return found
