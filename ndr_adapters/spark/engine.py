"""The Spark engine: lines are read and parsed once, into cells that feed all outputs."""

from __future__ import annotations

from attrs import frozen
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T
from pyspark.storagelevel import StorageLevel

from ndr_adapters.spark import aggregate, quality
from ndr_adapters.spark.expr import quoted
from ndr_adapters.spark.parse import parse_lines
from ndr_adapters.spark.views import HOST, NOT_KEPT, amounts, make_views
from ndr_core.delta import (
    DELTA_TABLE,
    PAIR_COLUMNS,
    PAIR_TABLE,
    PARTITION_KEYS,
    QUARANTINE,
    DeltaPlan,
    overflow_place,
    slice_path,
)
from ndr_core.errors import EngineReadError, OverflowingColumnError
from ndr_core.measures import ColumnType, OutputColumn
from ndr_core.ports import EngineResult, InputBatch
from ndr_core.quality import REPAIR_RULES

_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.caseSensitive": "true",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # Looking for the best encoding of each cached column costs more than the views themselves.
    "spark.sql.inMemoryColumnarStorage.compressed": "false",
    # A longer method is interpreted, never compiled, by the JVM; Spark then splits the work instead.
    "spark.sql.codegen.hugeMethodLimit": "8000",
    # What is grouped by host stays where it is: no broadcast, no change of a cached plan's partitions.
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.optimizer.canChangeCachedPlanOutputPartitioning": "false",
    # Histograms are collected per host: hash as long as memory allows, not for 128 hosts only.
    "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": "200000",
}
_INPUT_BYTES_PER_TASK = 4 << 20
"""Compressed; the views of a record take about ten times its room in the input."""
_TYPES: dict[ColumnType, T.DataType] = {
    ColumnType.STRING: T.StringType(),
    ColumnType.INT64: T.LongType(),
    ColumnType.FLOAT64: T.DoubleType(),
    ColumnType.TIMESTAMP: T.TimestampType(),
    ColumnType.HISTOGRAM: T.ArrayType(
        T.StructType([T.StructField("bucket", T.LongType()), T.StructField("count", T.LongType())])
    ),
}


@frozen
class SparkEngine:
    """Builds deltas on Spark. The session is the caller's; settings are made in a session of its own."""

    session: SparkSession
    name: str = "spark"

    def build(self, plan: DeltaPlan, batch: InputBatch, staging_root: str) -> EngineResult:
        session = self.session.newSession()
        for key, value in _SETTINGS.items():
            session.conf.set(key, value)
        views = views_of(session, plan, batch).persist(StorageLevel.MEMORY_AND_DISK)
        rows = aggregate.host_rows(views, plan).persist(StorageLevel.MEMORY_AND_DISK)
        try:
            result = _result(aggregate.counts(views))
            _refuse_overflow(rows, plan)
            pairs = aggregate.pair_rows(aggregate.pair_table(views), plan)
            _write(pairs, staging_root, PAIR_TABLE)
            _write(aggregate.delta_rows(rows, plan), staging_root, DELTA_TABLE)
            quarantine = aggregate.quarantine_rows(views).coalesce(1).write.mode("overwrite")
            quarantine.option("ignoreNullFields", "false").json(
                f"{staging_root}/{QUARANTINE}", compression="gzip"
            )
        except (Py4JJavaError, PySparkException) as error:
            raise EngineReadError(f"spark: {_root_cause(error)}") from error
        finally:
            rows.unpersist()
            views.unpersist()
        _fill_empty_partitions(session, plan, staging_root)
        return result


def views_of(session: SparkSession, plan: DeltaPlan, batch: InputBatch) -> DataFrame:
    """The role views of a batch, not yet computed."""
    if batch.files:
        text = session.read.option("lineSep", "\n").text(batch.uris)
    else:
        text = session.createDataFrame([], "value string")
    judged = quality.judge(parse_lines(text, plan.spec), plan)
    return make_views(quality.repaired(judged), plan, _partitions(session, batch))


def _partitions(session: SparkSession, batch: InputBatch) -> int:
    """Tasks after the shuffle, hence files per output partition: few for a small batch."""
    at_most = int(session.conf.get("spark.sql.shuffle.partitions") or 1)
    size = sum(file.size_bytes for file in batch.files)
    return max(1, min(at_most, -(-size // _INPUT_BYTES_PER_TASK)))


def _write(rows: DataFrame, staging_root: str, table: str) -> None:
    rows.write.partitionBy(*PARTITION_KEYS).mode("overwrite").parquet(f"{staging_root}/{table}")


def _root_cause(error: Exception) -> str:
    """The innermost message of a Java stack trace, which names what Spark stumbled over."""
    causes = [line for line in str(error).splitlines() if line.startswith("Caused by:")]
    return (causes[-1] if causes else str(error).splitlines()[0]).removeprefix("Caused by: ")


def _refuse_overflow(rows: DataFrame, plan: DeltaPlan) -> None:
    names = [item.name for item in amounts(plan)]
    any_null = " or ".join(f"{quoted(name)} is null" for name in names)
    found = rows.where(any_null).select(*HOST, *(quoted(name) for name in names)).collect()
    roles = [role.name for role in plan.spec.roles]
    for name in names:
        hit = sorted(
            (row["slice_start"], roles[row["role_number"]], row["host_ip"])
            for row in found
            if row[name] is None
        )
        if hit:
            raise OverflowingColumnError(name, overflow_place(*hit[0]))


def _fill_empty_partitions(session: SparkSession, plan: DeltaPlan, staging_root: str) -> None:
    """A bounded slice without records still has its files, so that readers find the tables."""
    if plan.params.slice_start is None:
        return
    path = slice_path(plan.spec.feature_spec_version, plan.params.slice_start)
    for table, columns in ((DELTA_TABLE, plan.delta_columns), (PAIR_TABLE, PAIR_COLUMNS)):
        for role in plan.spec.roles:
            folder = f"{staging_root}/{table}/{path}/role={role.name}"
            if not _exists(session, folder):
                empty = session.createDataFrame([], _file_schema(columns))
                empty.coalesce(1).write.mode("overwrite").parquet(folder)


def _exists(session: SparkSession, folder: str) -> bool:
    jvm = session.sparkContext._jvm
    assert jvm is not None
    path = jvm.org.apache.hadoop.fs.Path(folder)
    configuration = session.sparkContext._jsc.hadoopConfiguration()
    return bool(path.getFileSystem(configuration).exists(path))


def _file_schema(columns: tuple[OutputColumn, ...]) -> T.StructType:
    return T.StructType(
        [
            T.StructField(column.name, _TYPES[column.type])
            for column in columns
            if column.name not in PARTITION_KEYS
        ]
    )


def _result(counts: DataFrame) -> EngineResult:
    found = counts.collect()
    kept = [row for row in found if row["role_number"] == 0]
    dropped = [row for row in found if row["role_number"] == NOT_KEPT]
    return EngineResult(
        kept=sum(row["records"] for row in kept),
        rejected={row["rule"]: row["records"] for row in dropped if row["rule"] is not None},
        repaired={
            rule.name: sum(row[f"repair:{rule.name}"] for row in kept) for rule in REPAIR_RULES
        },
        blank_lines=sum(row["records"] for row in dropped if row["rule"] is None),
    )
