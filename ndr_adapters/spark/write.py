"""Staged files: Parquet tables in their partitions, rejected records as JSON Lines gzip."""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from ndr_core.delta import (
    DELTA_TABLE,
    PAIR_COLUMNS,
    PAIR_TABLE,
    PARTITION_KEYS,
    QUARANTINE,
    DeltaPlan,
    slice_path,
)
from ndr_core.manifest import TABLES
from ndr_core.measures import ColumnType, OutputColumn

_TYPES: dict[ColumnType, T.DataType] = {
    ColumnType.STRING: T.StringType(),
    ColumnType.INT64: T.LongType(),
    ColumnType.FLOAT64: T.DoubleType(),
    ColumnType.TIMESTAMP: T.TimestampType(),
    ColumnType.HISTOGRAM: T.ArrayType(
        T.StructType([T.StructField("bucket", T.LongType()), T.StructField("count", T.LongType())])
    ),
}


def write_table(rows: DataFrame, plan: DeltaPlan, staging_root: str, table: str) -> None:
    """Write rows in their output form to the partitions of a table."""
    keys = plan.varying_keys
    known = rows.drop(*(key for key in PARTITION_KEYS if key not in keys))
    path = f"{staging_root}/{table}/{plan.shared_path}".rstrip("/")
    known.write.partitionBy(*keys).mode("overwrite").parquet(path)


def write_quarantine(rejected: DataFrame, staging_root: str) -> None:
    """Write rejected records."""
    writer = rejected.coalesce(1).write.mode("overwrite").option("ignoreNullFields", "false")
    writer.json(f"{staging_root}/{QUARANTINE}", compression="gzip")


def fill_empty_partitions(session: SparkSession, plan: DeltaPlan, staging_root: str) -> None:
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
    jvm = _jvm(session)
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


def staged_rows(session: SparkSession, staging_root: str) -> dict[str, int]:
    """Staged files of the tables, below the root -> rows, from the footers that the driver reads."""
    jvm = _jvm(session)
    configuration = session.sparkContext._jsc.hadoopConfiguration()
    reader = jvm.org.apache.parquet.hadoop.ParquetFileReader
    found = {}
    for table in TABLES:
        folder = jvm.org.apache.hadoop.fs.Path(f"{staging_root}/{table}")
        system = folder.getFileSystem(configuration)
        if not system.exists(folder):
            continue
        prefix = system.makeQualified(folder).toUri().getPath()
        files = system.listFiles(folder, True)
        while files.hasNext():
            path = files.next().getPath()
            if path.getName().endswith(".parquet"):
                file = jvm.org.apache.parquet.hadoop.util.HadoopInputFile.fromPath(
                    path, configuration
                )
                footer = reader.open(file)
                found[table + path.toUri().getPath().removeprefix(prefix)] = footer.getRecordCount()
                footer.close()
    return found


def _jvm(session: SparkSession) -> Any:
    return session.sparkContext._jvm
