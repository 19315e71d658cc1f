"""The SQL of DuckDB names the files that count."""

from __future__ import annotations

from ndr_core.ddl.duckdb import duckdb
from tests.unit.core.ddl.makers import file_of, table_of

GOLDEN = """\
CREATE OR REPLACE VIEW "delta" AS
SELECT
  "host_ip",
  "sessions_cnt",
  "drop_ratio",
  "slice_start_ts",
  "bytes_sent_hist",
  "feature_spec_version",
  "dt",
  "role"
FROM (
  SELECT
    CAST(NULL AS VARCHAR) AS "host_ip",
    CAST(NULL AS BIGINT) AS "sessions_cnt",
    CAST(NULL AS DOUBLE) AS "drop_ratio",
    CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS "slice_start_ts",
    CAST(NULL AS STRUCT(bucket BIGINT, count BIGINT)[]) AS "bytes_sent_hist",
    CAST(NULL AS VARCHAR) AS "feature_spec_version",
    CAST(NULL AS VARCHAR) AS "dt",
    CAST(NULL AS VARCHAR) AS "role"
  WHERE false
  UNION ALL BY NAME
  SELECT
    *,
    substr(split_part("ndr file", '/', -4), 22) AS "feature_spec_version",
    substr(split_part("ndr file", '/', -3), 4) AS "dt",
    substr(split_part("ndr file", '/', -2), 6) AS "role"
  FROM read_parquet([
    's3://bucket/OUT/delta/feature_spec_version=v1/dt=2025-03-01/role=inbound/part-00000-0123456789ab.parquet'
  ], union_by_name = true, hive_partitioning = false, filename = 'ndr file')
);"""


def test_a_view_has_typed_columns_and_the_files_that_count() -> None:
    assert duckdb(table_of(file_of())) == GOLDEN


def test_a_path_is_no_pattern_and_no_end_of_a_text() -> None:
    text = duckdb(table_of(file_of(), root="/o'r[*?]"))

    assert "'/o''r[[][*][?]]/delta/" in text


def test_a_table_without_files_is_a_view_of_its_columns_without_rows() -> None:
    whole, empty = duckdb(table_of(file_of())), duckdb(table_of())

    assert empty == whole.partition("  UNION ALL BY NAME")[0] + ");"
