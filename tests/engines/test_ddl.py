"""What `ndr ddl` prints, run by the engines that are here: they see the rows that the project's readers give."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from attrs import evolve
from polars.testing import assert_frame_equal

from ndr_adapters.local.sink import FolderSink
from ndr_adapters.local.source import FolderSource
from ndr_adapters.outputs import open_output
from ndr_adapters.polars.engine import PolarsEngine
from ndr_adapters.polars.published import read_table
from ndr_adapters.polars.write import DTYPES
from ndr_core.ddl.clickhouse import clickhouse as clickhouse_view
from ndr_core.ddl.duckdb import duckdb as duckdb_view
from ndr_core.deltas.job import DeltaBuilderRunner
from ndr_core.jobs.ports import QuietLog
from ndr_core.jobs.run import RuntimeParams
from ndr_core.tables.columns import ColumnType
from tests.e2e.cli import ndr
from tests.makers import flow, make_spec, started, write_batch
from tests.support import spark_session
from tests.unit.core.ddl.makers import table_of

ODD = 'o\'r "q" `b` [x]{y}*? $HOME ${env:HOME};--/role=zz/OUT'
"""A folder whose name means something in each dialect; the part `role=zz` is no partition of the table."""

TABLES = ("delta", "pair")
KEYS = ["feature_spec_version", "dt", "hh", "mm", "role", "host_ip", "mini_batch_id"]


def publish(output: Path, batch: str, *times: str, **spec: Any) -> None:
    records = [flow(event_start=f"{time}Z", event_end=f"{time}Z") for time in times]
    DeltaBuilderRunner(
        spec=make_spec(**spec),
        params=RuntimeParams(batch, "run"),
        source=FolderSource(write_batch(output.parent / f"in-{batch}", [records])),
        start_engine=started(PolarsEngine()),
        sink=FolderSink(output),
        log=QuietLog(),
    ).run()
    shutil.rmtree(output.parent / f"in-{batch}")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two mini-batches that meet in a slice, and one of another version, whose rows lack some columns."""
    found = tmp_path_factory.mktemp("published") / "OUT"
    publish(found, "mb-0", "2025-03-01T09:00:00", "2025-03-01T09:50:00")
    publish(found, "mb-1", "2025-03-01T09:01:00", "2025-03-02T10:00:00")
    fewer = {"measures": ["bytes_sent_quantiles"]}
    publish(found, "mb-2", "2025-03-01T09:02:00", feature_spec_version="v2", delta=fewer)
    return found


@pytest.fixture
def output(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / ODD))


@pytest.fixture
def stale(output: Path) -> str:
    """A file that a run has replaced, there again as if the run had been killed before it removed it."""
    former = next((output / "delta").rglob("hh=09/mm=45/role=inbound/*.parquet"))
    content = former.read_bytes()
    publish(output, "mb-0", "2025-03-01T09:00:00", "2025-03-01T09:50:00", "2025-03-01T09:51:00")
    assert not former.exists()
    former.write_bytes(content)
    return str(former.relative_to(output))


def expected(output: Path, table: str) -> pl.DataFrame:
    return in_order(read_table(open_output(output), table).collect())


def in_order(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort(KEYS)


def printed(dialect: str, output: Path) -> str:
    answer = ndr("ddl", dialect, output)
    assert answer.exit_code == 0, answer.errors
    return answer.output


# DuckDB


def in_duckdb(sql: str, query: str) -> pl.DataFrame:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(sql)
        connection.execute(sql)  # printed again, it takes the place of what was there
        found: pl.DataFrame = connection.sql(query).pl()
        return found


@pytest.mark.parametrize("table", TABLES)
def test_duckdb_sees_the_rows_that_count(output: Path, stale: str, table: str) -> None:
    assert (output / stale).exists()

    found = in_duckdb(printed("duckdb", output), f"SELECT * FROM {table}")

    assert_frame_equal(in_order(found), expected(output, table))


def test_duckdb_filters_by_hours_as_text_and_adds_histograms(output: Path) -> None:
    query = """
        SELECT role, sum(cell.count)::BIGINT AS sessions
        FROM (SELECT role, unnest(bytes_sent_hist) AS cell FROM delta WHERE dt = '2025-03-01' AND hh = '09')
        GROUP BY role ORDER BY role
    """

    found = in_duckdb(printed("duckdb", output), query)

    assert found.rows() == [("inbound", 4), ("outbound", 4)]


def test_duckdb_sees_a_table_without_files_as_its_columns_without_rows() -> None:
    found = in_duckdb(duckdb_view(table_of()), "SELECT * FROM delta")

    assert found.height == 0
    assert dict(found.schema) == {
        "host_ip": pl.String(),
        "sessions_cnt": pl.Int64(),
        "drop_ratio": pl.Float64(),
        "slice_start_ts": pl.Datetime("us", "UTC"),
        "bytes_sent_hist": DTYPES[ColumnType.HISTOGRAM],
        "feature_spec_version": pl.String(),
        "dt": pl.String(),
        "role": pl.String(),
    }


def test_duckdb_opens_only_the_files_of_the_folders_that_are_asked_for(output: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(printed("duckdb", output))
        query = "EXPLAIN ANALYZE SELECT * FROM delta WHERE dt = '2025-03-02'"
        ((_, plan),) = connection.execute(query).fetchall()

    assert "Scanning Files: 2/" in plan


# ClickHouse


@contextmanager
def clickhouse() -> Iterator[Any]:
    """ClickHouse in this process, which the project does not need: `pip install chdb`."""
    if find_spec("chdb") is None:
        pytest.skip("chdb is not installed; by hand: `pip install chdb`")
    session = import_module("chdb.session").Session()
    try:
        yield session
    finally:
        session.close()


def test_clickhouse_sees_the_rows_that_count(output: Path, stale: str) -> None:
    with clickhouse() as session:
        assert (output / stale).exists()
        for _ in range(2):  # printed again, it takes the place of what was there
            session.query(printed("clickhouse", output))
        session.query(clickhouse_view(evolve(table_of(), name="empty")))
        assert (
            str(session.query("SELECT count(), count(DISTINCT role) FROM empty", "CSV")) == "0,0\n"
        )
        rows = {
            table: session.query(f"SELECT * FROM {table}", "Parquet").bytes() for table in TABLES
        }
        opened = session.query(
            "SELECT count(DISTINCT role), sum(arraySum(bytes_sent_hist.count)) FROM delta "
            "WHERE dt = '2025-03-01' AND hh = '09'",
            "CSV",
        )

    for table, content in rows.items():
        # ClickHouse has no null lists.
        whole = expected(output, table).with_columns(pl.col(pl.List).fill_null([]))
        assert_frame_equal(in_order(pl.read_parquet(io.BytesIO(content))), whole)
    assert str(opened).strip() == "2,10"


# Spark


@contextmanager
def spark(folder: Path) -> Iterator[Any]:
    """A session with a database of its own."""
    session = spark_session().newSession()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    session.sql(f"CREATE DATABASE ddl LOCATION '{folder}'")
    session.sql("USE ddl")
    try:
        yield session
    finally:
        session.sql("USE default")
        session.sql("DROP DATABASE ddl CASCADE")


def with_utc(frame: pl.DataFrame) -> pl.DataFrame:
    """Times in us of UTC, whatever unit Spark stores them in."""
    return frame.with_columns(pl.col(pl.Datetime).cast(pl.Datetime("us", "UTC")))


def run_all(session: Any, sql: str) -> None:
    for statement in sql.split(";\n"):
        if any(not line.startswith("--") for line in statement.split("\n") if line):
            session.sql(statement)


def test_spark_sees_the_rows_that_count_and_finds_those_that_come(
    output: Path, tmp_path: Path
) -> None:
    with spark(tmp_path / "warehouse") as session:
        run_all(session, printed("spark", output))
        publish(output, "mb-3", "2025-03-03T00:00:00")
        session.sql("MSCK REPAIR TABLE delta SYNC PARTITIONS")
        whole = expected(output, "delta")
        assert whole.get_column("dt").max() == "2025-03-03"
        assert session.table("delta").columns == whole.columns
        assert session.table("pair").columns == expected(output, "pair").columns
        # Its own way to Parquet: times, lists and floats as they are.
        session.table("delta").coalesce(1).write.parquet(str(tmp_path / "copy"))
        copy = pl.read_parquet(next((tmp_path / "copy").glob("*.parquet")))
        sessions = session.sql(
            "SELECT sum(cell.count) FROM (SELECT explode(bytes_sent_hist) AS cell FROM delta WHERE hh = '09')"
        ).first()

    assert sessions[0] == 8
    assert_frame_equal(in_order(with_utc(copy)), whole)


@pytest.mark.parametrize("dialect", ["spark", "athena"])
def test_a_file_that_does_not_count_is_refused_where_folders_are_read(
    output: Path, stale: str, dialect: str
) -> None:
    answer = ndr("ddl", dialect, output)

    assert answer.exit_code == 1
    assert answer.output == ""
    assert f"{dialect} would read what does not count: {stale}; try again when" in answer.errors
