"""What Spark merges by the fan-out is what Polars merges, and what the reference gives of all records."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from attrs import evolve

from ndr_adapters.polars import published, table_files, windows
from ndr_adapters.polars.contributions import Merging, Part
from ndr_adapters.polars.write import StagingRoot
from ndr_adapters.spark.fanout import merging as fanout
from ndr_adapters.spark.fanout import published as spark
from ndr_adapters.spark.fanout.merging import merge_chain
from ndr_adapters.spark.fanout.scratch import new_scratch
from ndr_core.errors import OverflowingColumnError, UsageError
from ndr_core.int64 import INT64_MAX
from ndr_core.progress import Meter
from ndr_core.publishing.published import SliceRange
from tests.chains import RunnerHere
from tests.contributions import contribute, published_as
from tests.engines.test_merged_reads import (
    BATCH,
    HOUR,
    PAIR_COLUMNS,
    PLAN,
    TEN,
    built,
    columns_of,
    random_records,
    without,
)
from tests.makers import flow
from tests.property.frames import exactly, rows_of
from tests.support import spark_session

HALF_PAST = TEN + timedelta(minutes=30)


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Three contributions to each slice until half past ten, and one to each slice after it."""
    late = HALF_PAST.isoformat()
    records = random_records(Random(5), 90, minutes=59)
    parts: list[list[dict[str, Any]]] = [[], [], []]
    for number, record in enumerate(records):
        parts[0 if record["event_end"] >= late else number % 3].append(record)
    output = contribute(tmp_path / "out", [(built(part), PLAN) for part in parts])
    return published_as(output, monkeypatch), built(records)


def as_polars(frame: Any, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """The rows of a Spark frame, which has the columns of a schema, in order."""
    from pyspark.sql import functions as F
    from pyspark.sql.types import TimestampType

    assert frame.columns == list(schema)
    times = [field.name for field in frame.schema if isinstance(field.dataType, TimestampType)]
    rows = frame.withColumns({name: F.unix_micros(name) for name in times}).collect()
    plain = [row.asDict(recursive=True) for row in rows]
    held = {name: pl.Int64() if name in times else dtype for name, dtype in schema.items()}
    found = pl.DataFrame(plain, schema=held, orient="row")
    return found.with_columns(
        pl.from_epoch(name, time_unit="us").dt.replace_time_zone("UTC") for name in times
    )


def test_spark_gives_the_rows_of_polars_and_of_the_reference(sample: Any) -> None:
    output, whole = sample
    session = spark_session()

    deltas = spark.read_deltas(session, output)
    pairs = spark.read_pairs(session, output)
    hours = spark.merge_windows(session, output, TEN, TEN + HOUR)

    keys = [*PLAN.delta.keys]
    expected = published.read_deltas(output).collect().sort(keys)
    assert as_polars(deltas, expected.schema).sort(keys).equals(expected)
    assert exactly(rows_of(expected, columns_of(PLAN), keys)) == exactly(
        without(whole.deltas, BATCH)
    )
    keys = [*keys, "peer_ip", "peer_port"]
    expected = published.read_pairs(output).collect().sort(keys)
    assert as_polars(pairs, expected.schema).sort(keys).equals(expected)
    assert exactly(rows_of(expected, PAIR_COLUMNS, keys)) == exactly(without(whole.pairs, BATCH))
    # `test_merged_reads` compares windows of Polars with those of the reference.
    keys = ["role", "host_ip"]
    expected = windows.merge_windows(output, TEN, TEN + HOUR).collect().sort(keys)
    assert as_polars(hours, expected.schema).sort(keys).equals(expected)
    # Text, whatever it looks like.
    assert dict(deltas.dtypes)["mm"] == "string"


def chain_here(merging: Merging, folder: Path, cores: int) -> pl.DataFrame:
    """The merged rows that a chain writes, its tasks run one by one in this process."""
    runner = RunnerHere(cores)
    results = runner.run(merge_chain(merging, StagingRoot(str(folder)), cores), Meter())
    return pl.concat(pl.read_parquet(folder / name) for name in results[fanout.FILES]["name"])


@pytest.mark.parametrize("by", [("host_ip", "role"), ("host_ip",), ("role",)])
def test_rows_are_the_same_in_however_many_shares(
    sample: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: tuple[str, ...]
) -> None:
    monkeypatch.setattr(fanout, "_LEAST_ROWS", 5)
    monkeypatch.setattr(fanout, "_MOST_ROWS", 20)
    output, _ = sample
    merging = windows.window_merging(output, TEN, TEN + HOUR, "30m", by, None)
    assert merging is not None

    found = chain_here(merging, tmp_path, cores=3)

    expected = windows.merge_windows(output, TEN, TEN + HOUR, "30m", by).collect()
    keys = ["window_start_ts", *by]
    assert len(list(tmp_path.glob("*.parquet"))) > 1
    assert found.sort(keys).equals(expected.sort(keys))


def test_a_chain_reads_no_slice_with_one_contribution(sample: Any) -> None:
    output, _ = sample

    files = table_files.delta_files(output, SliceRange())

    shared = {file.slice for file in files.merging.files.deltas}
    assert shared == {f"dt=2025-03-01/hh=10/mm={mm}" for mm in ("00", "15")}
    assert {file.slice for file in files.alone} == {
        f"dt=2025-03-01/hh=10/mm={mm}" for mm in ("30", "45")
    }
    later = table_files.delta_files(output, SliceRange(since=HALF_PAST))
    assert later.merging.files == Part()


def test_an_overflow_in_a_share_names_column_and_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = built([flow()])
    large = evolve(tables, deltas=[row | {"bytes_sent_sum": INT64_MAX} for row in tables.deltas])
    output = published_as(contribute(tmp_path, [(large, PLAN), (tables, PLAN)]), monkeypatch)
    files = table_files.delta_files(output, SliceRange())

    with pytest.raises(OverflowingColumnError, match=r"bytes_sent_sum: .* host 192\.0\.2\.7"):
        chain_here(files.merging, tmp_path, cores=1)


def test_a_cluster_needs_to_know_where_all_its_machines_can_write() -> None:
    session: Any = SimpleNamespace(sparkContext=SimpleNamespace(master="yarn"))

    with pytest.raises(UsageError, match="scratch: tasks of yarn run on other machines; name"):
        new_scratch(session, None)


def test_a_scratch_folder_is_removed_when_the_process_ends(tmp_path: Path) -> None:
    code = f"""
from ndr_adapters.spark.fanout.scratch import new_scratch
place = new_scratch(None, {str(tmp_path)!r})
open(place.address + "/part.parquet", "w").close()
print(place.address)
"""

    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert Path(made.stdout.strip()).parent == tmp_path
    assert not list(tmp_path.iterdir())
