"""The base counts of hosts in DuckDB's SQL: far less than the product computes: nine measures."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

SIDES: Final = {
    "outbound": ("source_ip", "source_bytes", "destination_bytes"),
    "inbound": ("destination_ip", "destination_bytes", "source_bytes"),
}
"""Role -> host, bytes that it sent, bytes that it received."""

COUNTS: Final = """
SELECT '{role}' AS role, {host} AS host_ip, count_if(is_session)::BIGINT AS sessions_cnt,
    sum({sent})::BIGINT AS bytes_sent_sum, sum({received})::BIGINT AS bytes_recv_sum,
    count_if(event_action = 'allow')::BIGINT AS allow_cnt,
    count_if(event_action IN ('drop', 'deny') OR starts_with(event_action, 'reset-'))::BIGINT AS drop_cnt,
    count_if(starts_with(event_reason, 'tcp-rst'))::BIGINT AS rst_cnt,
    count_if(event_reason = 'aged-out')::BIGINT AS aged_out_cnt,
    count_if(network_transport = 'TCP')::BIGINT AS tcp_cnt,
    count_if(network_transport = 'UDP')::BIGINT AS udp_cnt
FROM flows GROUP BY ALL
"""


FLOWS: Final = """
CREATE VIEW flows AS SELECT source_ip, destination_ip, is_session,
    if(is_session, source_bytes, 0) AS source_bytes, if(is_session, destination_bytes, 0) AS destination_bytes,
    if(is_session, event_action, '') AS event_action, if(is_session, event_reason, '') AS event_reason,
    if(is_session, network_transport, '') AS network_transport
FROM (SELECT *, event_name != 'THREAT' AS is_session
      FROM read_json('{batch}/*.gz', format='newline_delimited'))
"""
"""A threat is no session: it has a row, and adds nothing to it."""


def build(batch: Path, output: Path) -> None:
    """Write `delta.parquet` of a batch to a folder."""
    counts = " UNION ALL ".join(
        COUNTS.format(role=role, host=host, sent=sent, received=received)
        for role, (host, sent, received) in SIDES.items()
    )
    with duckdb.connect() as connection:
        connection.execute(FLOWS.format(batch=batch))
        connection.execute(f"COPY ({counts}) TO '{output}/delta.parquet'")
