"""The SQL of ClickHouse names the files that count."""

from __future__ import annotations

import pytest
import sqlglot
from attrs import evolve

from ndr_core.ddl.clickhouse import clickhouse
from ndr_core.tables.columns import ColumnType
from tests.unit.core.ddl.makers import file_of, table_of

GOLDEN = r"""DROP VIEW IF EXISTS `delta`;
CREATE VIEW `delta` AS
SELECT
  `host_ip`,
  `sessions_cnt`,
  `drop_ratio`,
  `slice_start_ts`,
  `bytes_sent_hist`,
  substring(splitByChar('/', _path)[-4], 22) AS `feature_spec_version`,
  substring(splitByChar('/', _path)[-3], 4) AS `dt`,
  substring(splitByChar('/', _path)[-2], 6) AS `role`
FROM s3('s3://bucket/OUT/delta/**/*.parquet', 'Parquet',
  '`host_ip` Nullable(String), `sessions_cnt` Nullable(Int64), `drop_ratio` Nullable(Float64), """
GOLDEN += r"""`slice_start_ts` Nullable(DateTime64(6, \'UTC\')), """
GOLDEN += r"""`bytes_sent_hist` Array(Tuple(bucket Int64, count Int64))')
WHERE _path IN (
  'bucket/OUT/delta/feature_spec_version=v1/dt=2025-03-01/role=inbound/part-00000-0123456789ab.parquet'
)
SETTINGS use_hive_partitioning = 0;"""


def test_a_view_has_typed_columns_and_the_files_that_count() -> None:
    assert clickhouse(table_of(file_of())) == GOLDEN


def test_a_folder_is_read_by_file_and_its_name_is_no_pattern() -> None:
    text = clickhouse(table_of(file_of(), root="/o'r{*}"))

    assert "FROM file('/o?r???/delta/**/*.parquet'," in text
    assert "  '/o\\'r{*}/delta/feature_spec_version=v1/" in text


def test_the_name_of_a_column_ends_where_it_ends() -> None:
    odd = evolve(table_of(file_of()), columns={"a`b\\": ColumnType.INT64})

    text = clickhouse(odd)

    assert "SELECT\n  `a\\`b\\\\`,\n" in text
    assert r"'`a\\`b\\\\` Nullable(Int64)'" in text


def test_a_table_without_files_is_a_view_without_rows() -> None:
    text = clickhouse(table_of())

    assert "CREATE VIEW `delta` AS\nSELECT *\nFROM null('`host_ip` Nullable(String)," in text
    assert "`role` Nullable(String)');" in text


@pytest.mark.parametrize(("files", "longer"), [(1, False), (3000, True)])
def test_a_long_statement_raises_the_limit_of_its_length(files: int, longer: bool) -> None:
    table = table_of(*[file_of(version=f"v{number}") for number in range(files)])

    text = clickhouse(table)

    first = text.splitlines()[0]
    assert first.startswith("SET max_query_size = ") == longer
    if longer:
        assert int(first.strip(";").rpartition(" ")[2]) > len(text)


def test_a_parser_of_the_dialect_takes_it() -> None:
    kinds = [one.key for one in sqlglot.parse(GOLDEN, dialect="clickhouse") if one is not None]

    assert kinds == ["drop", "create"]
