"""Staged files: Parquet tables in their partitions, rejected records as JSON Lines gzip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from ndr_adapters.spark.runtime.internals import hadoop_configuration, jvm_of
from ndr_core.quality.quarantine import QUARANTINE
from ndr_core.tables.columns import ColumnType
from ndr_core.tables.parquet import FORMAT_METADATA
from ndr_core.tables.table import Table

_TYPES: dict[ColumnType, T.DataType] = {
    ColumnType.STRING: T.StringType(),
    ColumnType.INT64: T.LongType(),
    ColumnType.FLOAT64: T.DoubleType(),
    ColumnType.TIMESTAMP: T.TimestampType(),
    ColumnType.HISTOGRAM: T.ArrayType(
        T.StructType([T.StructField("bucket", T.LongType()), T.StructField("count", T.LongType())])
    ),
}


def write_table(rows: DataFrame, table: Table, staging_root: str) -> None:
    """Write rows, in the columns of a table, to its folders: each file sorted by the table's keys."""
    path = f"{staging_root}/{table.name}"
    first = table.file_columns[0].name
    marked = {first: F.col(first).alias(first, metadata=dict(FORMAT_METADATA))}
    # Spark writes one folder after the other.
    order = dict.fromkeys((*table.levels, *table.keys))
    ordered = rows.withColumns(marked).sortWithinPartitions(*order)
    ordered.write.partitionBy(*table.levels).mode("overwrite").parquet(path)


def write_quarantine(rejected: DataFrame, staging_root: str) -> None:
    """Write rejected records."""
    writer = rejected.coalesce(1).write.mode("overwrite").option("ignoreNullFields", "false")
    writer.json(f"{staging_root}/{QUARANTINE}", compression="gzip")


def staged_rows(
    session: SparkSession, tables: Iterable[Table], staging_root: str
) -> dict[str, int]:
    """Count the rows of the tables' staged files: file, below the root -> rows. The driver reads the footers."""
    jvm = jvm_of(session)
    configuration = hadoop_configuration(session)
    reader = jvm.org.apache.parquet.hadoop.ParquetFileReader
    found = {}
    for table in [table.name for table in tables]:
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


def rejected_files(session: SparkSession, staging_root: str) -> list[str]:
    """Name the files of rejected records, below the root: one, as `write_quarantine` writes them."""
    folder = jvm_of(session).org.apache.hadoop.fs.Path(f"{staging_root}/{QUARANTINE}")
    system = folder.getFileSystem(hadoop_configuration(session))
    statuses = system.listStatus(folder) if system.exists(folder) else []
    names = (status.getPath().getName() for status in statuses)
    return [f"{QUARANTINE}/{name}" for name in names if name.endswith(".gz")]


def empty_frame(session: SparkSession, columns: Mapping[str, str]) -> DataFrame:
    """No rows of these columns (name -> type).

    Made by the JVM alone: an empty Python list would start Python workers on the executors.
    """
    nulls = [F.lit(None).cast(field.dataType).alias(field.name) for field in schema_of(columns)]
    return session.range(0).select(nulls)


def schema_of(columns: Mapping[str, str]) -> T.StructType:
    """Spark types of columns, whose types are named as in manifests."""
    return T.StructType(
        [T.StructField(name, _TYPES[ColumnType(kind)]) for name, kind in columns.items()]
    )
