"""Rows held in the files of the shuffle that they have gone through, rather than in memory."""

from __future__ import annotations

from typing import Final

from pyspark.sql import DataFrame

from ndr_adapters.spark.session import jvm_of

_LOGICAL_RDD: Final = "org.apache.spark.sql.execution.LogicalRDD$"


def held_in_shuffle(rows: DataFrame) -> DataFrame:
    """`rows`, whose plan ends in a shuffle, as a source for several queries, which know how it is partitioned.

    The first query shuffles; the others read the shuffle's files anew, and Spark makes again what of them is lost
    with an executor. Made from Spark's own means for checkpoints (ADR 8), without their copy of all rows.
    """
    session = rows.sparkSession
    jvm = jvm_of(session)
    source = jvm.java.lang.Class.forName(_LOGICAL_RDD).getField("MODULE$").get(None)
    plan = source.fromDataset(rows._jdf.queryExecution().toRdd(), rows._jdf, False)
    return DataFrame(jvm.org.apache.spark.sql.Dataset.ofRows(session._jsparkSession, plan), session)
