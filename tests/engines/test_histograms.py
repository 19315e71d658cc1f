"""Histograms for users: in Polars, and in the SQL of the manual."""

from __future__ import annotations

import doctest
import math
import re
from datetime import timedelta
from pathlib import Path
from random import Random

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_adapters.polars import histograms
from ndr_adapters.polars.histograms import merge_histograms, quantile
from ndr_adapters.polars.windows import merge_windows
from ndr_adapters.polars.write import DTYPES
from ndr_core.errors import UsageError
from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import col
from ndr_core.expressions.portable import bucket_middle, bucket_of, nearest_rank
from ndr_core.measures.kinds import PERCENTILES
from ndr_core.tables.columns import ColumnType, Histogram, Merge
from tests.contributions import contribute, published_as
from tests.engines.test_merged_reads import PLAN, TEN, built, random_records
from tests.property.frames import frame_of
from tests.soak import examples

PAGE = Path(__file__).parents[2] / "docs" / "reading.md"
VALUES = st.one_of(st.integers(0, 300), st.integers(0, (1 << 63) - 1))
HISTOGRAMS = st.lists(VALUES, max_size=30).map(
    lambda values: Merge.HISTOGRAM.merged(
        [[(evaluate(bucket_of(col("value")), {"value": value}), 1)] for value in values] or [()]
    )
)


def column_of(found: list[Histogram | None]) -> pl.DataFrame:
    cells = [one and [{"bucket": bucket, "count": count} for bucket, count in one] for one in found]
    return pl.DataFrame({"h": cells}, schema={"h": DTYPES[ColumnType.HISTOGRAM]})


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(HISTOGRAMS, min_size=1, max_size=5), st.integers(0, 100))
def test_a_quantile_is_the_middle_of_the_bucket_of_nearest_rank(
    found: list[Histogram], percent: int
) -> None:
    values = column_of([*found, None]).select(quantile("h", percent / 100)).to_series()

    buckets = [nearest_rank(one, percent) for one in found]
    assert values.to_list() == [
        None if bucket is None else evaluate(bucket_middle(col("bucket")), {"bucket": bucket})
        for bucket in [*buckets, None]
    ]


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), HISTOGRAMS), min_size=1, max_size=8))
def test_merged_histograms_are_those_of_the_core(found: list[tuple[int, Histogram]]) -> None:
    rows = column_of([one for _, one in found]).with_columns(
        pl.Series("key", [key for key, _ in found])
    )

    by_key = rows.group_by("key").agg(merge_histograms("h"))

    for key, cells in by_key.iter_rows():
        merged = Merge.HISTOGRAM.merged([one for other, one in found if other == key])
        assert tuple((cell["bucket"], cell["count"]) for cell in cells) == merged
    whole = rows.select(merge_histograms("h"))
    assert whole.equals(column_of([Merge.HISTOGRAM.merged([one for _, one in found])]))


def test_a_histogram_that_is_not_known_makes_the_merged_one_unknown() -> None:
    assert column_of([((1, 1),), None]).select(merge_histograms("h")).item() is None


def test_quantiles_of_histograms_are_the_percentiles_of_the_table() -> None:
    rows = frame_of(built(random_records(Random(3), 60)).deltas, PLAN.delta.columns)

    for percent in PERCENTILES:
        for name in ("bytes_sent", "bytes_recv", "duration"):
            values = rows.select(quantile(f"{name}_hist", percent / 100)).to_series().to_list()
            in_unit = [value / 1e6 for value in values] if name == "duration" else values
            assert in_unit == rows.get_column(f"{name}_p{percent}").to_list()


@pytest.mark.parametrize("q", [-0.01, 1.01, math.nan, math.inf, 1 / 3])
def test_a_quantile_that_there_is_not_is_an_error(q: float) -> None:
    with pytest.raises(UsageError, match="must be a number from 0 to 1 with at most six decimals"):
        quantile("h", q)


def test_the_examples_of_the_module_run() -> None:
    assert doctest.testmod(histograms).attempted >= 6
    assert doctest.testmod(histograms).failed == 0


def test_the_sql_of_the_manual_gives_the_percentile_of_the_merged_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = random_records(Random(5), 200)
    half = len(records) // 2
    parts = [(built(records[:half]), PLAN), (built(records[half:]), PLAN)]
    output = published_as(contribute(tmp_path, parts), monkeypatch)
    (query,) = re.findall(
        r"^```sql\n(-- DuckDB.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE
    )

    with duckdb.connect() as connection:
        found = connection.execute(query.replace("'OUT/", f"'{tmp_path}/")).fetchall()

    day = TEN - timedelta(hours=10)
    windows = merge_windows(output, day, day + timedelta(days=1), "1d").collect()
    expected = windows.select("host_ip", "role", "sessions_cnt", "bytes_sent_p95").rows()
    assert sorted(found) == sorted(expected)
    assert len(expected) > 5
