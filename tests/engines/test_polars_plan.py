"""The Polars plans, guarded without a clock: what is read once, shared and written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ndr_adapters.local.source import FolderSource
from ndr_adapters.polars import aggregate, cell_counts, engine, spool
from ndr_adapters.polars.engine import PolarsEngine
from ndr_core.flows.source import InputBatch
from tests.makers import differences, flow, make_plan, write_batch
from tests.support import run_engine, run_reference

PLAN = make_plan(bounds=("2025-03-01T10:00:00Z", "2025-03-01T10:15:00Z"))


@pytest.fixture
def plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The optimized plan of every query that a run makes, in their order."""
    told: list[str] = []
    spooled, streamed = spool.spooled, engine._streamed

    def note_spooled(rows: pl.LazyFrame, path: str) -> pl.LazyFrame:
        told.append(rows.explain(engine="streaming"))
        return spooled(rows, path)

    def note_streamed(query: pl.LazyFrame) -> pl.DataFrame:
        told.append(query.explain(engine="streaming"))
        return streamed(query)

    monkeypatch.setattr(spool, "spooled", note_spooled)
    monkeypatch.setattr(engine, "_streamed", note_streamed)
    source = FolderSource(write_batch(tmp_path / "in", [[flow(), "bad"], [flow()]]))
    batch = InputBatch(source.files(print), source.blocks, (tuple(flow()),))
    PolarsEngine().build(PLAN, batch, str(tmp_path / "staging"))
    return told


def test_each_share_of_the_pairs_is_a_query_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spooled: list[str] = []
    to_file = spool.spooled

    def note_spooled(rows: pl.LazyFrame, path: str) -> pl.LazyFrame:
        spooled.append(Path(path).name)
        return to_file(rows, path)

    monkeypatch.setattr(spool, "spooled", note_spooled)
    lines = [flow(source_ip=f"10.0.0.{n}", destination_ip=f"192.0.2.{n % 9}") for n in range(90)]
    source = FolderSource(write_batch(tmp_path / "in", [lines]))
    batch = InputBatch(source.files(print), source.blocks, (tuple(flow()),))
    in_shares = PolarsEngine(input_bytes_per_share=-(-batch.size_bytes // 3))
    found = in_shares.build(PLAN, batch, str(tmp_path / "staging"))
    files = [name for name in spooled if name.startswith("pairs")]
    assert files == ["pairs-0-0.parquet", "pairs-1-0.parquet", "pairs-2-0.parquet"]
    shares = [pl.read_parquet(tmp_path / "staging" / name) for name in files]
    # Both roles see the same pairs, which are held once.
    assert 2 * sum(map(len, shares)) == 180
    assert sum(n for name, n in found.rows.items() if "pair/" in name) == 180
    assert min(map(len, shares)) > 0
    ends = [set(map(frozenset, share.select("^address_.*$").rows())) for share in shares]
    assert sum(map(len, ends)) == len(set.union(*ends)) == 90


def test_of_several_shares_the_rows_of_some_hosts_are_made_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heights: list[int] = []
    delta_rows = aggregate.delta_rows

    def note_rows(hosts: pl.DataFrame, *others: Any) -> pl.DataFrame:
        heights.append(hosts.height)
        return delta_rows(hosts, *others)

    monkeypatch.setattr(aggregate, "delta_rows", note_rows)
    monkeypatch.setattr(cell_counts, "_BUCKETS_AT_ONCE", 30 * len(PLAN.distributions))
    lines = [flow(source_ip=f"10.0.0.{n}", destination_ip=f"192.0.2.{n}") for n in range(90)]
    batch = write_batch(tmp_path / "in", [lines])

    for polars in (PolarsEngine(input_bytes_per_share=400), PolarsEngine()):
        built = run_engine(polars, PLAN, batch, tmp_path / f"out-{len(heights)}")
        assert differences(run_reference(PLAN, batch), built) == []

    assert heights == [29, 30, 30, 30, 30, 30, 1, 180]


def nodes(name: str, plan: str) -> int:
    return len(re.findall(rf"^\s*{name}\b", plan, re.MULTILINE))


def test_lines_are_read_by_one_query_and_once(plans: list[str]) -> None:
    readers = [plan for plan in plans if "PYTHON SCAN" in plan]
    assert [len(re.findall("PYTHON SCAN", plan)) for plan in readers] == [1]
    assert plans[0] == readers[0]


def test_a_query_reads_its_file_once_for_both_roles(plans: list[str]) -> None:
    for plan in plans:
        assert len(re.findall("Parquet SCAN", plan)) <= 1
        assert len(set(re.findall(r"CACHE\[id: ([^\]]+)", plan))) <= 1


def test_each_output_is_one_sink_and_nothing_else_is(plans: list[str]) -> None:
    sinks = [nodes("SINK", plan) for plan in plans]
    assert sum(sinks) == 4  # delta, pair from each of two sides, quarantine
    assert max(sinks) == 1
