"""`ndr ddl` prints SQL for every table that there is, and says why it can't."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import duckdb
import pytest
import sqlglot
from polars.testing import assert_frame_equal
from sqlglot import exp

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_table
from ndr_core.catalog.tables import feature_tables_of, tables_of
from ndr_core.ddl.dialects import DIALECTS
from ndr_core.tables.columns import ColumnType
from ndr_core.tables.table import Table
from tests.e2e.cli import ndr, write_spec
from tests.engines.feature_outputs import FeatureOutputs
from tests.makers import flow, make_spec, write_batch

WITHOUT_SPARK = True

TABLES: Final = (*tables_of(make_spec()), *feature_tables_of(make_spec()))
LEVELS: Final = {
    "feature_spec_version": "v1",
    "dt": "2025-03-01",
    "hh": "09",
    "mm": "15",
    "role": "outbound",
    "time_band": "we",
}
VALUES: Final[dict[ColumnType, Any]] = {
    ColumnType.STRING: "09",
    ColumnType.INT64: (1 << 63) - 1,
    ColumnType.FLOAT64: 0.1,
    ColumnType.TIMESTAMP: 1_740_819_600_123_456,
    ColumnType.HISTOGRAM: ((1, 2), (64, 1)),
}


def row_of(table: Table) -> dict[str, Any]:
    """A row with a value in each column."""
    values = {column.name: VALUES[column.type] for column in table.columns}
    return values | {level: LEVELS[level] for level in table.levels}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """An output with a row in every table that this project knows."""
    outputs = FeatureOutputs(tmp_path)
    outputs.publish("mb-0", {table: [row_of(table)] for table in TABLES})
    return Path(outputs.deltas.root)


@pytest.fixture
def deltas_in_s3(bucket: str, tmp_path: Path) -> str:
    batch = write_batch(tmp_path / "in", [[flow()]])
    spec, target = write_spec(tmp_path / "job.json"), f"s3://{bucket}/o'r out"
    answer = ndr("run", "--spec", spec, "--input", batch, "--output", target, "--engine", "polars")
    assert answer.exit_code == 0, answer.errors
    return target


def test_every_table_is_a_view_of_duckdb_with_the_rows_of_the_readers(output: Path) -> None:
    sql = ndr("ddl", "duckdb", output).output

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(sql)
        found = {table.name: connection.sql(f'FROM "{table.name}"').pl() for table in TABLES}

    for name, rows in found.items():
        assert_frame_equal(rows, read_table(open_output(output), name).collect())


@pytest.mark.parametrize("dialect", ["spark", "clickhouse"])
def test_every_table_has_sql_that_a_parser_of_the_dialect_takes(output: Path, dialect: str) -> None:
    sql = ndr("ddl", dialect, output).output

    made = [
        one.find(exp.Table)
        for one in sqlglot.parse(sql, dialect=dialect)
        if type(one) is exp.Create
    ]

    assert [one.name for one in made if one is not None] == sorted(one.name for one in TABLES)


def test_athena_is_told_the_address_in_s3(deltas_in_s3: str) -> None:
    answer = ndr("ddl", "athena", deltas_in_s3)

    assert answer.exit_code == 0, answer.errors
    statements = sqlglot.parse(answer.output, dialect="athena")
    places = [found.name for one in statements if one and (found := one.find(exp.LocationProperty))]
    assert places == [f"{deltas_in_s3}/delta/", f"{deltas_in_s3}/pair/"]


def test_a_file_in_s3_that_does_not_count_is_refused(deltas_in_s3: str, bucket: str) -> None:
    stray = "delta/feature_spec_version=v1/dt=2025-03-01/hh=10/mm=00/role=inbound/copy.parquet"
    s3_client().put_object(Bucket=bucket, Key=f"o'r out/{stray}", Body=b"any")

    answer = ndr("ddl", "athena", deltas_in_s3)

    assert answer.exit_code == 1
    assert f"athena would read what does not count: {stray}; try again" in answer.errors


def test_athena_refuses_a_folder(output: Path) -> None:
    answer = ndr("ddl", "athena", output)

    assert answer.exit_code == 2
    assert "athena: reads S3 only" in answer.errors


def test_a_folder_is_named_whole_wherever_the_sql_is_run(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(output.parent)
    Path("link").symlink_to(output)

    for name in (output.name, "link"):
        assert f"LOCATION 'file://{output}/delta';" in ndr("ddl", "spark", name).output


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_an_output_without_tables_is_a_wrong_use(tmp_path: Path, dialect: str) -> None:
    answer = ndr("ddl", dialect, tmp_path / "nothing")

    assert answer.exit_code == 2
    assert answer.output == ""
    assert "nothing: holds no tables; publish a run there first" in answer.errors


def test_a_dialect_that_is_unknown_is_a_wrong_use(output: Path) -> None:
    answer = ndr("ddl", "oracle", output)

    assert answer.exit_code == 2
    assert "'oracle' is not one of" in answer.errors
