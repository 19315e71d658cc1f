"""Lines of a mini-batch as a Spark frame: read by Spark's text reader, as the core takes their bytes for text."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession

from ndr_adapters.spark.runtime.paths import as_glob, spark_address
from ndr_adapters.spark.sql.expr import Sql
from ndr_core.flows.json_text import MAX_LINE_BYTES
from ndr_core.flows.source import InputBatch


def read_lines(session: SparkSession, batch: InputBatch, tasks: int) -> DataFrame:
    """Columns: `value`, text, and `void`: whether a line is malformed for being too long or no UTF-8.

    Of a line that is too long only the start is looked at, as the core does.
    """
    start = f"substring(cast(value as binary), 1, {MAX_LINE_BYTES + 1})"
    return (
        _text(session, batch, tasks)
        .selectExpr(
            "value",
            f"octet_length(value) > {MAX_LINE_BYTES} as overlong",
            f"not {_is_utf8('value')} as undecodable",
        )
        .selectExpr(
            f"case when overlong then {_decoded(start)} when undecodable then {_decoded('value')} else value end "
            "as value",
            "(overlong or undecodable) as void",
        )
    )


def _text(session: SparkSession, batch: InputBatch, tasks: int) -> DataFrame:
    """The lines of a batch, as Spark's text reader gives them."""
    if not batch.files:
        return session.range(0).selectExpr("cast(null as string) as value")
    paths = [as_glob(spark_address(uri)) for uri in batch.uris]
    text = session.read.option("lineSep", "\n").text(paths)
    cores = session.sparkContext.defaultParallelism
    largest = max(file.size_bytes for file in batch.files)
    if tasks > 1 and largest * cores > batch.size_bytes:
        # One task has to unpack a gzip file; its lines are read by all, rather than by that one while others idle.
        return text.repartition(tasks, "value")
    return text


def _is_utf8(line: str) -> Sql:
    """Whether a line's bytes are valid UTF-8, of which decoding changes nothing."""
    return Sql(f"decode(cast({line} as binary), 'UTF-8') = {line}")


def _decoded(line: str) -> Sql:
    """Text of a line whose bytes are no UTF-8, with U+FFFD for what is none, as the core puts it.

    Java takes the bytes of a surrogate for one fault, Python takes each byte for one: here the first becomes a byte
    that is a fault by itself.
    """
    letters = f"decode(cast({line} as binary), 'ISO-8859-1')"
    parted = f"regexp_replace({letters}, '\\u00ed(?=[\\u00a0-\\u00bf])', '\\u00ff')"
    return Sql(f"decode(encode({parted}, 'ISO-8859-1'), 'UTF-8')")
