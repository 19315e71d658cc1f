"""Views shuffled, and held in the files of that shuffle rather than in memory."""

from __future__ import annotations

from typing import Final

from pyspark.sql import DataFrame

from ndr_adapters.spark.runtime.internals import jvm_of
from ndr_adapters.spark.sql.expr import quoted
from ndr_adapters.spark.sql.flags import amounts
from ndr_adapters.spark.sql.views import HOST
from ndr_core.deltas.plan import DeltaPlan

_LOGICAL_RDD: Final = "org.apache.spark.sql.execution.LogicalRDD$"


def by_host(views: DataFrame) -> DataFrame:
    """Views shuffled so that those of a host share a partition."""
    return views.repartition(*HOST)


def over_all_tasks(views: DataFrame, plan: DeltaPlan, partitions: int) -> DataFrame:
    """Views shuffled by their content (peer, port, end, amounts), so that those of one host lie in all partitions."""
    content = ["peer_ip", "peer_port", "event_ts"]
    content += [f"amount:{item.name}" for item in amounts(plan)]
    return views.repartition(partitions, *map(quoted, content))


def held_in_shuffle(rows: DataFrame) -> DataFrame:
    """`rows`, whose plan ends in a shuffle, as a source for several queries, which know how it is partitioned.

    The first query shuffles; the others read the files of the shuffle, of which Spark makes again what is
    lost with an executor. Made from Spark's own means for checkpoints (ADR 8), without their copy of all rows.
    """
    session = rows.sparkSession
    jvm = jvm_of(session)
    source = jvm.java.lang.Class.forName(_LOGICAL_RDD).getField("MODULE$").get(None)
    plan = source.fromDataset(rows._jdf.queryExecution().toRdd(), rows._jdf, False)
    return DataFrame(jvm.org.apache.spark.sql.Dataset.ofRows(session._jsparkSession, plan), session)
