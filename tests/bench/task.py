"""One task of a benchmark, in a process of its own: prints the seconds of each repeat as JSON."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ndr_core.deltas.job import DeltaBuilderRunner
from ndr_core.deltas.spec_reader import parse_job_spec
from ndr_core.flows.record import FLOW_FIELDS, FieldKind
from ndr_core.jobs.ports import QuietLog
from ndr_core.jobs.run import RuntimeParams
from ndr_entrypoints.wiring import Wiring

START_US, END_US = 1_740_823_200_000_000, 1_740_824_100_000_000
INTEGERS = [field.name for field in FLOW_FIELDS if field.kind is FieldKind.INTEGER]

Work = Callable[[], object]


def polars_floor(batch: Path) -> Work:
    """Decode every field of every line, by Polars' own reader."""
    import polars as pl

    schema = {f.name: pl.Int64 if f.name in INTEGERS else pl.String for f in FLOW_FIELDS}
    scanned = pl.scan_ndjson(sorted(batch.glob("*.gz")), schema=schema)
    return lambda: scanned.select(pl.all().count()).collect(engine="streaming")


def spark_floor(batch: Path) -> Work:
    """Decode every field of every line, by Spark's own reader."""
    from ndr_adapters.spark.runtime.session import local_session

    session = local_session()
    schema = ", ".join(
        f"{f.name} {'bigint' if f.name in INTEGERS else 'string'}" for f in FLOW_FIELDS
    )
    counts = [f"count({field.name})" for field in FLOW_FIELDS]
    return lambda: session.read.schema(schema).json(str(batch)).selectExpr(*counts).collect()


def spark_naive(batch: Path) -> Work:
    """The usual way to write it, see `naive_spark`."""
    from ndr_adapters.spark.runtime.session import local_session
    from tests.bench.naive_spark import naive_job

    session = local_session()

    def job() -> None:
        with tempfile.TemporaryDirectory() as output:
            naive_job(session, batch, Path(output, "deltas"))

    return job


def duckdb_counts(batch: Path) -> Work:
    """The base counts alone, as SQL."""
    import duckdb

    sides = {
        "outbound": ("source_ip", "source_bytes", "destination_bytes"),
        "inbound": ("destination_ip", "destination_bytes", "source_bytes"),
    }
    selects = (
        f"""SELECT {host} AS host_ip, '{role}' AS role,
              time_bucket(INTERVAL 15 MINUTES, event_start) AS slice_start_ts,
              count(*) AS sessions_cnt, sum({sent}) AS bytes_sent_sum, sum({received}) AS bytes_recv_sum,
              count_if(event_action = 'allow') AS allow_cnt, count_if(event_action IN ('drop', 'deny')) AS drop_cnt,
              count_if(starts_with(event_reason, 'tcp-rst')) AS rst_cnt,
              count_if(event_reason = 'aged-out') AS aged_out_cnt,
              count_if(network_transport = 'TCP') AS tcp_cnt, count_if(network_transport = 'UDP') AS udp_cnt
            FROM flows GROUP BY ALL"""
        for role, (host, sent, received) in sides.items()
    )
    counts = " UNION ALL ".join(selects)

    def job() -> None:
        with tempfile.TemporaryDirectory() as output, duckdb.connect() as connection:
            connection.execute(
                f"CREATE VIEW flows AS SELECT * FROM read_json('{batch}/*.gz', format='newline_delimited')"
            )
            connection.execute(f"COPY ({counts}) TO '{output}/deltas.parquet'")

    return job


def ours(engine_name: str, batch: Path) -> Work:
    """Read, judge, build and publish to a folder that is thrown away: the whole product."""
    spec = parse_job_spec({"project_name": "bench", "input": {"preset": "paloalto"}})

    def job() -> None:
        with tempfile.TemporaryDirectory() as output:
            wiring = Wiring.between(str(batch), output)
            DeltaBuilderRunner(
                spec=spec,
                params=RuntimeParams("bench", "bench", START_US, END_US),
                source=wiring.source,
                start_engine=lambda batch: wiring.start(engine_name, spec, batch),
                sink=wiring.sink,
                log=QuietLog(),
            ).run()

    return job


TASKS: Final[dict[str, Callable[[Path], Work]]] = {
    "polars: parse floor": polars_floor,
    "polars: ours": lambda batch: ours("polars", batch),
    "spark: parse floor": spark_floor,
    "spark: the usual way": spark_naive,
    "spark: ours": lambda batch: ours("spark", batch),
    "duckdb: base counts": duckdb_counts,
}


def main(task: str, batch: str, warm_ups: str, repeats: str) -> None:
    work = TASKS[task](Path(batch))
    for _ in range(int(warm_ups)):
        work()
    seconds = []
    for _ in range(int(repeats)):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
