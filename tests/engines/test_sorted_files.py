"""Every engine writes the rows of each file in the order of the table's keys, nulls first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from ndr_adapters.local.source import FolderSource
from ndr_adapters.polars.engine import PolarsEngine
from ndr_adapters.reference.engine import ReferenceEngine
from ndr_core.deltas.engine import Engine
from ndr_core.flows.source import InputBatch
from ndr_core.tables.table import Table
from tests.makers import flow, make_plan, write_batch
from tests.support import ENGINES

PLAN = make_plan()


def records(count: int) -> list[dict[str, Any]]:
    """Sessions of two slices, whose addresses sort as texts in another way than they come."""
    random = Random(1)
    return [
        flow(
            source_ip=f"10.0.0.{random.randrange(1, 120)}",
            destination_ip=random.choice(["192.0.2.7", "192.0.2.10", "2001:db8::7", "9.9.9.9"]),
            destination_port=random.choice([443, 53, None]),
            event_start=f"2025-03-01T10:{random.choice([15, 30])}:00Z",
            event_end=None,
        )
        for _ in range(count)
    ]


def batch_of(folder: Path) -> InputBatch:
    lines = records(900)
    source = FolderSource(write_batch(folder, [lines[n::4] for n in range(4)]))
    return InputBatch(source.files(print), source.blocks, ())


def files_of(staging: Path, table: Table) -> list[pl.DataFrame]:
    """The files of a table, without the columns that are the same in all of their rows."""
    paths = sorted((staging / table.name).rglob("*.parquet"))
    keys = [key for key in table.keys if key not in table.levels]
    return [pl.read_parquet(path, hive_partitioning=False).select(keys) for path in paths]


@pytest.mark.parametrize("start", [ReferenceEngine, *ENGINES.values()], ids=["reference", *ENGINES])
def test_the_rows_of_a_file_are_sorted_by_the_keys_of_their_table(
    start: Callable[[], Engine], tmp_path: Path
) -> None:
    start().build(PLAN, batch_of(tmp_path / "in"), str(tmp_path / "out"))

    for table in PLAN.tables:
        files = files_of(tmp_path / "out", table)
        assert len(files) >= 4  # two slices, two roles
        assert max(file.height for file in files) > 50
        for file in files:
            assert file.equals(file.sort(file.columns, nulls_last=False))


def test_pairs_that_are_built_in_shares_are_sorted_within_each_of_them(tmp_path: Path) -> None:
    batch = batch_of(tmp_path / "in")
    shares = 3
    engine = PolarsEngine(input_bytes_per_share=-(-batch.size_bytes // shares))

    engine.build(PLAN, batch, str(tmp_path / "out"))

    pairs = files_of(tmp_path / "out", PLAN.pair)
    assert len(pairs) == 4
    for file in pairs:
        starts_again = file.with_row_index().select(
            pl.struct(pl.all().exclude("index")).rank("dense").cast(pl.Int64).diff().lt(0).sum()
        )
        assert 0 < starts_again.item() < shares
