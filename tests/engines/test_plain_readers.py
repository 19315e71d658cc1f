"""What the manual says to readers that know no manifests: its lines for DuckDB, Athena and pandas, its formulas."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any, Final

import duckdb
import pytest

from ndr_adapters.local.sink import FolderSink
from ndr_adapters.local.source import FolderSource
from ndr_adapters.outputs import open_output
from ndr_adapters.polars.engine import PolarsEngine
from ndr_adapters.polars.published import read_deltas
from ndr_core.baselines.buckets import BUCKET_BITS
from ndr_core.catalog.schema import describe
from ndr_core.deltas.job import DeltaBuilderRunner
from ndr_core.deltas.tables import delta_table
from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import Expr, col
from ndr_core.expressions.portable import MANTISSA_BITS, bucket_middle, bucket_of
from ndr_core.jobs.ports import QuietLog
from ndr_core.jobs.run import RuntimeParams
from ndr_core.tables.columns import ColumnType
from tests.makers import flow, make_plan, make_spec, started, write_batch

DOCS: Final = Path(__file__).parents[2] / "docs"
BATCHES: Final = (DOCS / "batches.md").read_text()
READING: Final = (DOCS / "reading.md").read_text()
TABLES: Final = (DOCS / "tables.md").read_text()

Sessions = dict[tuple[str, str], int]
"""Host and role -> sessions of the hour from 09:00."""


def block(page: str, beginning: str) -> str:
    """The one code block of a page whose first line begins so."""
    blocks: list[str] = re.findall(r"^```\w+\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (only,) = [one for one in blocks if one.startswith(beginning)]
    return only


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Two mini-batches that meet in a slice of the hour from 09:00; one has rows of the next hour, too."""
    for number, minutes in enumerate([("09:00", "09:01", "09:50"), ("09:02", "10:00")]):
        records = [
            flow(event_start=f"2025-03-01T{time}:00Z", event_end=f"2025-03-01T{time}:01Z")
            for time in minutes
        ]
        DeltaBuilderRunner(
            spec=make_spec(),
            params=RuntimeParams(f"mb-{number}", "run"),
            source=FolderSource(write_batch(tmp_path / f"in-{number}", [records])),
            start_engine=started(PolarsEngine()),
            sink=FolderSink(tmp_path / "OUT"),
            log=QuietLog(),
        ).run()
    return tmp_path / "OUT"


@pytest.fixture
def sessions(output: Path) -> Sessions:
    rows = read_deltas(open_output(output)).collect().to_dicts()
    found: Sessions = {}
    for row in rows:
        if row["hh"] == "09":
            key = row["host_ip"], row["role"]
            found[key] = found.get(key, 0) + row["sessions_cnt"]
    assert set(found.values()) == {4}
    return found


def test_the_line_for_duckdb_finds_the_hour_as_text(
    output: Path, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(output.parent)

    query = block(BATCHES, "-- DuckDB")
    (source,) = re.findall(r"^FROM .*$", query, re.MULTILINE)

    with duckdb.connect() as connection:
        found = connection.execute(query).fetchall()
        folders = connection.execute(f"SELECT DISTINCT dt, hh {source}").fetchall()

    assert sorted(folders) == [("2025-03-01", "09"), ("2025-03-01", "10")]
    assert {(host, role): count for host, role, count in found} == sessions


def test_the_lines_for_pandas_keep_the_hour_a_text(
    output: Path, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(output.parent)
    names: dict[str, Any] = {}

    exec(block(BATCHES, "import pandas"), names)

    rows = names["rows"]
    hour = rows[rows["hh"] == "09"]
    assert hour.groupby(["host_ip", "role"])["sessions_cnt"].sum().to_dict() == sessions
    assert set(rows["hh"]) == {"09", "10"}
    assert set(rows["mm"]) == {"00", "45"}
    assert set(rows["mini_batch_id"]) == {"mb-0", "mb-1"}


def test_the_table_for_athena_has_columns_of_the_delta_table_and_text_for_each_folder() -> None:
    types = {ColumnType.STRING.value: "string", ColumnType.INT64.value: "bigint"}
    table = delta_table(make_plan().measures)
    columns = {column.name: types.get(column.type.value) for column in table.columns}

    definition = block(BATCHES, "-- Athena")

    named, folders = re.findall(r"\(([^()]+)\)", definition)
    declared = dict(one.split() for one in named.split(","))
    partition = dict(one.split() for one in folders.split(","))
    assert declared.items() <= columns.items()
    assert partition == dict.fromkeys(table.levels, "string")
    assert partition.keys().isdisjoint(declared)


# The formulas of buckets


def rows_of(page: str) -> list[list[str]]:
    """The rows of the table of buckets, its heading among them."""
    lines = page.partition("\n| value | bucket")[2].split("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [found for found in cells[1:] if found[0].strip("-")]


def value_of(formula: str, **given: int) -> int:
    """Evaluate a formula as people write it: `64 e + floor(value / 2^e), e = bits of value - 7`."""
    whole, _, where = formula.partition(", e = ")
    names = dict(given)
    if where:
        names["e"] = _evaluated(where, names)
    return _evaluated(whole, names)


def _evaluated(formula: str, names: dict[str, int]) -> int:
    text = formula.replace("bits of value", "value.bit_length()").replace("^", "**")
    text = re.sub(r"floor\((.+) / ([^/]+)\)", r"((\1) // (\2))", text)
    text = re.sub(r"(?<=[\d)]) (?=[\w(])", " * ", text)
    return int(eval(text, {}, names))


def of_core(formula: Expr, **given: int) -> int:
    found = evaluate(formula, given)
    assert isinstance(found, int)
    return found


def random_values() -> list[int]:
    """Values of all sizes, and those around each power of two."""
    random = Random(1)
    around = [(1 << bits) + more for bits in range(63) for more in (-1, 0, 1)]
    return [
        *range(300),
        *around,
        *(random.randrange(1 << random.randrange(1, 64)) for _ in range(2000)),
    ]


@pytest.mark.parametrize(
    ("page", "title", "bits"),
    [
        (READING, "Histograms", MANTISSA_BITS),
        (TABLES, "Histograms", MANTISSA_BITS),
        (TABLES, "Histograms of summaries and baselines", BUCKET_BITS),
    ],
    ids=["reading.md", "tables.md", "tables.md, of baselines"],
)
def test_the_formulas_of_a_page_are_those_of_the_library(page: str, title: str, bits: int) -> None:
    described = describe(make_spec())[title]
    (small, large) = rows_of(page.partition(f"\n## {title}\n")[2])

    assert [small, large] == [[str(cell) for cell in row.values()] for row in described]
    for value in random_values():
        row = small if value <= int(small[0].partition("..")[2]) else large
        bucket = of_core(bucket_of(col("value"), bits), value=value)
        assert value_of(row[1], value=value) == bucket
        middle = of_core(bucket_middle(col("bucket"), bits), bucket=bucket)
        assert value_of(row[2], bucket=bucket) == middle


def test_the_formula_in_the_sql_for_duckdb_is_that_of_the_library() -> None:
    query = block(READING, "-- DuckDB")
    (width,) = re.findall(r"(1::BIGINT <<.*) AS width$", query, re.MULTILINE)
    (middle,) = re.findall(r"^\s*(CASE .* END) AS bytes_sent_p95$", query, re.MULTILINE)
    width = width.replace("min(bucket)", "bucket")
    buckets = sorted({of_core(bucket_of(col("value")), value=value) for value in random_values()})

    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT {middle} FROM (SELECT bucket, {width} AS width FROM (SELECT unnest($1) AS bucket))",
            [buckets],
        ).fetchall()

    assert [value for (value,) in found] == [
        of_core(bucket_middle(col("bucket")), bucket=bucket) for bucket in buckets
    ]
