"""The SQL of Athena: a golden text, which a parser of its dialect takes as it is meant."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from ndr_core.ddl.athena import athena
from ndr_core.ddl.query_table import QueryTable
from ndr_core.errors import NdrError, UsageError
from ndr_core.publishing.manifest import OutputFile
from ndr_core.tables.columns import ColumnType
from tests.unit.core.ddl.makers import S3, TODAY, file_of, table_of

GOLDEN = """\
CREATE EXTERNAL TABLE `delta` (
  `host_ip` string,
  `sessions_cnt` bigint,
  `drop_ratio` double,
  `slice_start_ts` timestamp,
  `bytes_sent_hist` array<struct<bucket:bigint,count:bigint>>
)
PARTITIONED BY (`feature_spec_version` string, `dt` string, `role` string)
STORED AS PARQUET
LOCATION 's3://bucket/OUT/delta/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.feature_spec_version.type' = 'enum',
  'projection.feature_spec_version.values' = 'v1',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = '2025-03-01,NOW+1DAYS',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS',
  'projection.role.type' = 'enum',
  'projection.role.values' = 'inbound,outbound'
);"""


def properties_of(statement: str) -> dict[str, str]:
    """The table's properties, as a parser of Athena's SQL reads them."""
    (parsed,) = sqlglot.parse(statement, dialect="athena")
    assert isinstance(parsed, exp.Create)
    found = parsed.args["properties"].expressions
    return {one.name: one.args["value"].name for one in found if type(one) is exp.Property}


def slices_of(*levels: str, minutes: int = 15) -> QueryTable:
    """A table of one file in folders of these levels."""
    path = f"fg_a/{'/'.join(levels)}/part-00000-0123456789ab.parquet"
    names = tuple(level.partition("=")[0] for level in levels)
    columns = {"host_ip": ColumnType.STRING, **dict.fromkeys(names, ColumnType.STRING)}
    return QueryTable(S3, "fg_a", columns, names, (OutputFile(path, 1, 1, ""),), minutes, TODAY)


def test_a_table_is_external_with_projected_partitions() -> None:
    assert athena(table_of(file_of())) == GOLDEN


def test_a_parser_of_the_dialect_finds_columns_partitions_and_place() -> None:
    (parsed,) = sqlglot.parse(GOLDEN, dialect="athena")

    assert isinstance(parsed, exp.Create)
    columns = {one.name: one.kind for one in parsed.this.expressions}
    assert [*columns][:5] == [
        "host_ip",
        "sessions_cnt",
        "drop_ratio",
        "slice_start_ts",
        "bytes_sent_hist",
    ]
    assert columns["bytes_sent_hist"] == exp.DataType.build(
        "array<struct<bucket: bigint, count: bigint>>", dialect="hive"
    )
    partitions = parsed.find(exp.PartitionedByProperty)
    assert partitions is not None
    assert [one.name for one in partitions.this.expressions] == [
        "feature_spec_version",
        "dt",
        "role",
    ]
    place = parsed.find(exp.LocationProperty)
    assert place is not None
    assert place.name == "s3://bucket/OUT/delta/"


def test_hours_and_minutes_have_two_digits_and_minutes_the_step_of_slices() -> None:
    table = slices_of("feature_spec_version=v1", "dt=2025-03-01", "hh=09", "mm=00")

    properties = properties_of(athena(table))

    assert {key: value for key, value in properties.items() if ".hh." in key or ".mm." in key} == {
        "projection.hh.type": "integer",
        "projection.hh.range": "0,23",
        "projection.hh.interval": "1",
        "projection.hh.digits": "2",
        "projection.mm.type": "integer",
        "projection.mm.range": "0,59",
        "projection.mm.interval": "15",
        "projection.mm.digits": "2",
    }


def test_values_that_may_come_later_are_there_and_those_that_nobody_knows() -> None:
    table = slices_of("feature_spec_version=v7", "dt=2025-03-01", "role=transit", "time_band=we")

    properties = properties_of(athena(table))

    assert properties["projection.feature_spec_version.values"] == "v7"
    assert properties["projection.role.values"] == "inbound,outbound,transit"
    assert properties["projection.time_band.values"] == "all,wd_night,wd_off,wd_work,we"


@pytest.mark.parametrize(
    ("last", "end"),
    [("2025-03-04", "NOW+1DAYS"), ("2025-03-05", "NOW+2DAYS"), ("2026-03-04", "NOW+366DAYS")],
)
def test_days_go_on_to_the_last_one_that_there_is_even_if_it_is_to_come(
    last: str, end: str
) -> None:
    files = (file_of(day="2025-03-01"), file_of(day=last))

    properties = properties_of(athena(table_of(*files)))

    assert properties["projection.dt.range"] == f"2025-03-01,{end}"


def test_a_quote_in_the_address_stays_in_it() -> None:
    root = "s3://bucket/o'r !(x)"

    (parsed,) = sqlglot.parse(athena(table_of(file_of(), root=root)), dialect="athena")

    assert parsed is not None
    place = parsed.find(exp.LocationProperty)
    assert place is not None
    assert place.name == f"{root}/delta/"


def test_a_table_without_rows_is_a_comment() -> None:
    assert athena(table_of()) == "-- 'delta': holds no rows yet; print this again when it does"


def test_an_output_in_a_folder_is_refused() -> None:
    with pytest.raises(UsageError, match="athena: reads S3 only, and '/data/OUT' is a folder"):
        athena(table_of(file_of(), root="/data/OUT"))


def test_a_value_with_a_comma_is_refused() -> None:
    with pytest.raises(NdrError, match=r"can't project feature_spec_version='a,b'"):
        athena(table_of(file_of(version="a,b")))
