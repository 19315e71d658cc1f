"""What tasks give back to the driver is names and counts: it has no room for records, and must not need any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl
import pytest

from ndr_adapters.polars.write import StagingRoot
from ndr_adapters.spark.fanout.blob import Blob
from ndr_adapters.spark.fanout.deltas import delta_chain
from ndr_adapters.spark.fanout.engine import FanoutEngine
from ndr_adapters.spark.fanout.shares import Shares
from ndr_adapters.spark.fanout.task import results_of
from ndr_core.errors import OverflowingColumnError
from ndr_core.flows.source import InputBatch
from tests.chains import RunnerHere
from tests.makers import flow, make_plan, make_spec, write_batch
from tests.support import run_engine

BUILT = 12
"""Shares of a million records on a dozen cores."""
RESULTS = {"pairs": 1, "hosts": 1, "judged": 2}
"""Of one share of each kernel of the last step, at most: files, or counts and files."""
MIB = 1 << 20


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> list[Blob]:
    """What the tasks of the last step have made."""
    seen: list[Blob] = []

    def noted(blobs: Iterable[Blob]) -> Mapping[str, pl.DataFrame]:
        seen.extend(blobs)
        return results_of(seen)

    monkeypatch.setattr("tests.chains.results_of", noted)
    return seen


def in_many_shares(batch: InputBatch, _cores: int) -> Shares:
    return Shares(tuple((file,) for file in batch.files), (), 0, BUILT)


def size_of(blobs: list[Blob]) -> int:
    return sum(len(content) for blob in blobs for content in blob.values())


def results_bytes(folder: Path, records: int, results: list[Blob]) -> int:
    """Bytes that the driver gets for so many records, each of a host of its own, in four slices; and 5 % bad ones."""
    lines = [
        flow(
            source_ip=f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}",
            destination_ip=f"172.16.{n >> 8 & 255}.{n & 255}",
            event_start=f"2025-03-01T10:{n % 4 * 15 + 1:02}:00Z",
            event_end=f"2025-03-01T10:{n % 4 * 15 + 2:02}:00Z",
        )
        for n in range(records)
    ]
    bad = [flow(source_ip=f"nowhere {n}") for n in range(records // 20)]
    batch = write_batch(folder / "in", [[*lines[n::4], *bad[n::4]] for n in range(4)])
    plan = make_plan(make_spec(delta={"measures": ["sessions_cnt", "peer_ip_nunique"]}))
    results.clear()

    built = run_engine(FanoutEngine(RunnerHere(), cut=in_many_shares), plan, batch, folder / "out")

    assert (built.report.kept, len(built.deltas)) == (records, 2 * records)
    return size_of(results)


def test_what_the_driver_gets_does_not_grow_with_the_records(
    tmp_path: Path, results: list[Blob]
) -> None:
    few = results_bytes(tmp_path / "few", 2000, results)
    blobs = len(results)
    many = results_bytes(tmp_path / "many", 20_000, results)

    batch = InputBatch((), lambda _file, _read: iter(()), (), {})
    chain = delta_chain(make_plan(), batch, StagingRoot(""), in_many_shares(batch, 1))
    most = sum(RESULTS[kernel.name] * kernel.shares for kernel in chain.steps[-1].kernels)
    assert len(results) == blobs <= most
    assert few <= many < 1.01 * few
    assert many < MIB / 4


def test_of_sums_that_leave_int64_the_driver_gets_one_host_each(
    tmp_path: Path, results: list[Blob]
) -> None:
    lines = [
        flow(source_ip=f"10.0.{n >> 8}.{n & 255}", source_bytes=1 << 62)
        for n in range(500)
        for _ in range(2)
    ]
    batch = write_batch(tmp_path / "in", [lines])
    engine = FanoutEngine(RunnerHere(), cut=in_many_shares)

    with pytest.raises(
        OverflowingColumnError, match=r"^bytes_sent_sum: the sum leaves the range of int64"
    ):
        run_engine(engine, make_plan(), batch, tmp_path / "out")

    assert size_of(results) < MIB / 4
