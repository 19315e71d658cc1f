"""The SQL of Spark: a table over a folder."""

from __future__ import annotations

from ndr_core.ddl.spark import spark
from tests.unit.core.ddl.makers import file_of, table_of

GOLDEN = """\
CREATE TABLE `delta` (
  `host_ip` STRING,
  `sessions_cnt` BIGINT,
  `drop_ratio` DOUBLE,
  `slice_start_ts` TIMESTAMP,
  `bytes_sent_hist` ARRAY<STRUCT<bucket: BIGINT, count: BIGINT>>,
  `feature_spec_version` STRING,
  `dt` STRING,
  `role` STRING
)
USING parquet
PARTITIONED BY (`feature_spec_version`, `dt`, `role`)
LOCATION 's3a://bucket/OUT/delta';
MSCK REPAIR TABLE `delta` SYNC PARTITIONS;"""


def test_a_table_has_typed_columns_and_finds_its_partitions() -> None:
    assert spark(table_of(file_of())) == GOLDEN


def test_a_folder_is_named_as_one_and_nothing_in_its_name_is_replaced() -> None:
    text = spark(table_of(file_of(), root="/o'r ${env:HOME}"))

    assert "LOCATION 'file:///o\\'r \\u0024{env:HOME}/delta';" in text


def test_a_table_without_rows_is_a_comment() -> None:
    assert spark(table_of()) == "-- 'delta': holds no rows yet; print this again when it does"
