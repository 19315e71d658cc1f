"""The usual way to write this job in PySpark, as a yardstick: inferred schema, four aggregations for each role
joined together, approximate percentiles, a union of roles. It computes less than the product does: no quality
rules, no distinct counts, entropies or shares, no histograms, no pair table.
"""

from __future__ import annotations

from functools import reduce
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from ndr_core.deltas.settings import DEFAULT_PORT_SETS

HOST = ["host_ip", "role", "slice_start_ts"]
PERCENTILES = (0.25, 0.5, 0.75, 0.95, 0.99)


def naive_job(session: SparkSession, batch: Path, output: Path) -> None:
    """Read, aggregate, write."""
    raw = session.read.json(str(batch))
    flows = raw.withColumn("start", F.col("event_start").cast("timestamp")).withColumn(
        "duration",
        F.col("event_end").cast("timestamp").cast("double") - F.col("start").cast("double"),
    )
    roles = [
        role(flows, "outbound", "source_ip", "source_bytes", "destination_bytes"),
        role(flows, "inbound", "destination_ip", "destination_bytes", "source_bytes"),
    ]
    deltas = reduce(DataFrame.unionByName, map(deltas_of, roles))
    deltas.write.partitionBy("role").mode("overwrite").parquet(str(output))


def role(flows: DataFrame, name: str, host: str, sent: str, received: str) -> DataFrame:
    """Records as one side of the connection sees them."""
    return flows.select(
        F.col(host).alias("host_ip"),
        F.lit(name).alias("role"),
        F.window("start", "15 minutes").start.alias("slice_start_ts"),
        F.col(sent).alias("sent"),
        F.col(received).alias("received"),
        "start",
        "duration",
        "destination_port",
        "event_action",
        "event_reason",
        "event_name",
        "network_transport",
    )


def deltas_of(records: DataFrame) -> DataFrame:
    """Base counts, port categories, burst and quantiles, each aggregated by itself, joined by host."""
    base = records.groupBy(*HOST).agg(
        F.count("*").alias("sessions_cnt"),
        F.sum("sent").alias("bytes_sent_sum"),
        F.sum("received").alias("bytes_recv_sum"),
        F.sum("duration").alias("duration_sum"),
        *(
            counted(condition, name)
            for name, condition in {
                "allow_cnt": F.col("event_action") == "allow",
                "drop_cnt": F.col("event_action").isin("drop", "deny"),
                "alert_cnt": F.col("event_action") == "alert",
                "rst_cnt": F.col("event_reason").startswith("tcp-rst"),
                "aged_out_cnt": F.col("event_reason") == "aged-out",
                "threat_cnt": F.col("event_name") == "THREAT",
                "traffic_cnt": F.col("event_name") == "TRAFFIC",
                "tcp_cnt": F.col("network_transport") == "TCP",
                "udp_cnt": F.col("network_transport") == "UDP",
                "icmp_cnt": F.col("network_transport") == "ICMP",
                "short_session_cnt": F.col("duration") < 1,
            }.items()
        ),
    )
    ports = records.groupBy(*HOST).agg(
        *(
            counted(F.col("destination_port").isin(*sorted(ports)), f"{name}_sessions_cnt")
            for name, ports in DEFAULT_PORT_SETS.items()
        )
    )
    per_minute = records.groupBy(*HOST, F.date_trunc("minute", "start").alias("minute")).count()
    burst = per_minute.groupBy(*HOST).agg(F.max("count").alias("max_sessions_per_minute"))
    quantiles = records.groupBy(*HOST).agg(
        *(
            F.percentile_approx(column, list(PERCENTILES), 100).alias(f"{column}_percentiles")
            for column in ("sent", "received", "duration")
        )
    )
    parts = [base, ports, burst, quantiles]
    return reduce(lambda rows, part: rows.join(part, on=HOST, how="left"), parts)


def counted(condition: Column, name: str) -> Column:
    return F.sum(F.when(condition, 1).otherwise(0)).alias(name)
