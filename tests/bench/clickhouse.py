"""The same tables in ClickHouse's SQL, written by hand: each column of the delta table, and the pair table but for
its timing.

`chdb` is ClickHouse inside this process. The project does not need it, so it is not among the locked packages:
`pip install chdb` in the environment that runs the benchmark. Where it is absent, the benchmark leaves it out.

What it spares itself: it reads no malformed line with care, repairs and rejects nothing, and no sum is watched
for an overflow. The batches of the benchmark need none of these. `checks` compares its rows with those of the
Polars engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from ndr_core.deltas.settings import DEFAULT_PORT_SETS

PERCENTILES: Final = (25, 50, 75, 95, 99)
DISTRIBUTIONS: Final = {
    "sessions_per_minute": "toInt64(intDiv(toUnixTimestamp(event_start), 60))",
    "bytes_sent": "bucket_of(bytes_sent)",
    "bytes_recv": "bucket_of(bytes_recv)",
    "duration": "bucket_of(duration_us)",
}
"""Name -> what its histogram counts, by host."""

FUNCTIONS: Final = {
    # Of a positive integer below 2^53: the exponent of the same number as a float.
    "floor_log2": "n -> bitShiftRight(reinterpretAsUInt64(toFloat64(n)), 52) - 1023",
    "shift_of": "value -> floor_log2(bitOr(value, 64)) - 6",
    "bucket_of": "value -> toInt64(shift_of(value) * 64 + bitShiftRight(value, shift_of(value)))",
    "shift_back": "bucket -> greatest(intDiv(bucket, 64) - 1, 0)",
    "bucket_middle": """bucket ->
        bitShiftLeft(bucket - shift_back(bucket) * 64, shift_back(bucket))
        + intDiv(bitShiftLeft(toInt64(1), shift_back(bucket)) - 1, 2)""",
    "percentile": """(histogram, percent) -> if(empty(histogram), NULL, bucket_middle(
        histogram.bucket[arrayFirstIndex(
            seen -> seen >= intDiv(percent * arraySum(histogram.count) + 99, 100),
            arrayCumSum(histogram.count))]))""",
    # The power series of the core, so that each bit of a float is the same: ClickHouse's own log2 rounds otherwise.
    "mantissa": "n -> toFloat64(n) / toFloat64(bitShiftLeft(toUInt64(1), floor_log2(n)))",
    "ratio": "m -> (m - 1) / (m + 1)",
    "series": "z -> "
    + "(" * 10
    + "1 / 21"
    + "".join(f" * z + 1 / {2 * k + 1})" for k in range(9, -1, -1)),
    "log2_of": """n -> toFloat64(floor_log2(n))
        + ratio(mantissa(n)) * series(ratio(mantissa(n)) * ratio(mantissa(n))) * (2 / log(2))""",
    "n_log2_n": "n -> if(n < 2, 0, toInt64(floor(toFloat64(n) * log2_of(n) * 65536 + 0.5)))",
}

FLOWS: Final = """
CREATE OR REPLACE TABLE flows ENGINE = MergeTree ORDER BY () AS
SELECT *, dateDiff('microsecond', event_start, event_end) AS duration_us,
    CAST(event_name != 'THREAT', 'UInt8') AS is_session,
    if(network_transport = 'ICMP', NULL, toInt64(destination_port)) AS peer_port
FROM file('{batch}/*.gz', JSONEachRow, '
    source_ip String, destination_ip String, source_port UInt16, destination_port UInt16,
    source_bytes Int64, destination_bytes Int64,
    event_start DateTime64(6, \\'UTC\\'), event_end DateTime64(6, \\'UTC\\'),
    event_action LowCardinality(String), event_reason LowCardinality(String),
    event_name LowCardinality(String), network_transport LowCardinality(String)')
SETTINGS date_time_input_format = 'best_effort'
"""

VIEWS: Final = """
CREATE OR REPLACE VIEW views AS
SELECT 'outbound' AS role, source_ip AS host_ip, destination_ip AS peer_ip,
    source_bytes AS bytes_sent, destination_bytes AS bytes_recv, * FROM flows
UNION ALL
SELECT 'inbound' AS role, destination_ip AS host_ip, source_ip AS peer_ip,
    destination_bytes AS bytes_sent, source_bytes AS bytes_recv, * FROM flows
"""

PAIRS: Final = """
CREATE OR REPLACE TABLE pairs ENGINE = MergeTree ORDER BY () AS
SELECT role, host_ip, peer_ip, peer_port, count() AS sessions_cnt, sum(bytes_sent) AS bytes_sent_sum,
    sum(bytes_recv) AS bytes_recv_sum, toStartOfSecond(max(event_end)) AS event_ts
FROM views WHERE is_session GROUP BY role, host_ip, peer_ip, peer_port
"""

SUMS: Final = """
CREATE OR REPLACE TABLE sums ENGINE = Memory AS
SELECT role, host_ip, toInt64(countIf(is_session)) AS sessions_cnt,
    sumIf(bytes_sent, is_session) AS bytes_sent_sum, sumIf(bytes_recv, is_session) AS bytes_recv_sum,
    toInt64(0) AS packets_sent_sum, toInt64(0) AS packets_recv_sum,
    sumIf(duration_us, is_session) AS duration_us_sum, duration_us_sum / 1000000 AS duration_sum,
    {counts}
FROM views GROUP BY role, host_ip
"""
OF_THREATS: Final = {"alert": "event_action = 'alert'", "threat": "NOT is_session"}
"""Counts of all records; the others are of sessions."""
COUNTS: Final = {
    "allow": "event_action = 'allow'",
    "drop": "event_action IN ('drop', 'deny') OR startsWith(event_action, 'reset-')",
    "rst": "startsWith(event_reason, 'tcp-rst')",
    "aged_out": "event_reason = 'aged-out'",
    "traffic": "event_name = 'TRAFFIC'",
    "tcp": "network_transport = 'TCP'",
    "udp": "network_transport = 'UDP'",
    "icmp": "network_transport = 'ICMP'",
    "zero_reply": "destination_bytes = 0",
    "short_session": "duration_us < 1000000",
} | {
    f"{name}_sessions": f"peer_port IN ({', '.join(map(str, sorted(ports)))})"
    for name, ports in sorted(DEFAULT_PORT_SETS.items())
}

HISTOGRAM: Final = """
CREATE OR REPLACE TABLE histogram_{name} ENGINE = Memory AS
SELECT role, host_ip,
    CAST(arraySort(groupArray((bucket, cnt))), 'Array(Tuple(bucket Int64, count Int64))') AS histogram_{name}
FROM (SELECT role, host_ip, {bucket} AS bucket, count() AS cnt FROM views WHERE is_session
      GROUP BY role, host_ip, bucket)
GROUP BY role, host_ip
"""

CELLS: Final = """
CREATE OR REPLACE TABLE cells_{key} ENGINE = Memory AS
SELECT role, host_ip, toInt64(count()) AS {key}_nunique,
    toNullable(if({key}_nunique = 1, 0., greatest(
        log2_of(sum(sessions)) - toFloat64(sum(n_log2_n(sessions))) / 65536 / toFloat64(sum(sessions)), 0.)
    )) AS {key}_entropy,
    toNullable(toFloat64(max(sessions)) / toFloat64(sum(sessions))) AS {key}_top1_sessions_share,
    if(sum(sent) > 0, toFloat64(max(sent)) / toFloat64(sum(sent)), NULL) AS {key}_top1_bytes_share
FROM (SELECT role, host_ip, {key}, sum(sessions_cnt) AS sessions, sum(bytes_sent_sum) AS sent
      FROM pairs WHERE {key} IS NOT NULL GROUP BY role, host_ip, {key})
GROUP BY role, host_ip
"""

SLICE: Final = """toDateTime64('2025-03-01 10:00:00', 6, 'UTC') AS slice_start_ts,
    toDateTime64('2025-03-01 10:15:00', 6, 'UTC') AS slice_end_ts, 'bench' AS mini_batch_id"""

DELTA: Final = """
INSERT INTO FUNCTION file('{output}/delta.parquet', Parquet)
SELECT role, host_ip, {slice}, sums.* EXCEPT (role, host_ip),
    histogram_sessions_per_minute AS sessions_per_minute,
    arrayMax(sessions_per_minute.count) AS max_sessions_per_minute,
    cells_peer_ip.* EXCEPT (role, host_ip), cells_peer_port.* EXCEPT (role, host_ip),
    {quantiles}
FROM sums
{joins}
"""

PAIR: Final = """
INSERT INTO FUNCTION file('{output}/pair.parquet', Parquet)
SELECT role, host_ip, peer_ip, peer_port, {slice},
    toInt64(sessions_cnt) AS sessions_cnt, bytes_sent_sum, bytes_recv_sum, event_ts
FROM pairs
"""


@contextmanager
def session() -> Iterator[Any]:
    """A session of ClickHouse in this process, whose tables lie in a folder that is gone afterwards."""
    # Not installed with the project, so that its types are not known either.
    found = import_module("chdb.session").Session()
    try:
        for name, formula in FUNCTIONS.items():
            found.query(f"CREATE OR REPLACE FUNCTION {name} AS {formula}")
        yield found
    finally:
        found.close()


def build(session: Any, batch: Path, output: Path) -> None:
    """Write `delta.parquet` and `pair.parquet` of a batch to a folder."""
    for statement in statements(batch, output):
        session.query(statement)


def statements(batch: Path, output: Path) -> Iterator[str]:
    """Give the SQL, in the order in which it runs."""
    yield FLOWS.format(batch=batch)
    yield VIEWS
    yield PAIRS
    yield SUMS.format(
        counts=",\n    ".join(
            f"toInt64(countIf({condition})) AS {name}_cnt"
            for name, condition in [
                *OF_THREATS.items(),
                *((name, f"is_session AND ({condition})") for name, condition in COUNTS.items()),
            ]
        )
    )
    joined = []
    for name, bucket in DISTRIBUTIONS.items():
        yield HISTOGRAM.format(name=name, bucket=bucket)
        joined.append(f"histogram_{name}")
    for key in ("peer_ip", "peer_port"):
        yield CELLS.format(key=key)
        joined.append(f"cells_{key}")
    yield DELTA.format(
        output=output,
        slice=SLICE,
        quantiles=",\n    ".join(_quantiles()),
        joins="\n".join(f"LEFT JOIN {table} USING (role, host_ip)" for table in joined),
    )
    yield PAIR.format(output=output, slice=SLICE)
    for table in ("flows", "pairs", "sums", *joined):
        yield f"DROP TABLE {table} SYNC"


def _quantiles() -> Iterator[str]:
    for name in ("bytes_sent", "bytes_recv", "duration"):
        yield f"histogram_{name} AS {name}_hist"
        for percent in PERCENTILES:
            scale = " / 1000000" if name == "duration" else ""
            yield f"percentile({name}_hist, {percent}){scale} AS {name}_p{percent}"
