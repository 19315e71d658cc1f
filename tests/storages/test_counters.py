"""Columns that a JobSpec defines are read, merged and compacted as counts, whoever published them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ndr_adapters.local.published import FolderTables
from ndr_adapters.polars.published import read_deltas
from ndr_adapters.polars.windows import merge_windows
from ndr_core.errors import SpecError, UsageError
from tests.makers import flow, make_spec, write_batch
from tests.storages.folder_runs import compactor, publish_unbound

WITHOUT_SPARK = True

COUNTERS = {"dns_tcp_cnt": {"network_transport": ["TCP"], "peer_port": [53]}}
SPEC = make_spec(delta={"counters": COUNTERS})
DAY = datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 3, 2, tzinfo=UTC)


def at(minute: int, **fields: Any) -> dict[str, Any]:
    time = f"2025-03-01T10:{minute:02}:00Z"
    return flow(event_start=time, event_end=time, **fields)


def publish(folder: Path, name: str, records: list[dict[str, Any]], **delta: Any) -> None:
    spec = make_spec(delta=delta) if delta else SPEC
    publish_unbound(write_batch(folder / name, [records]), folder / "out", name, spec)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Two mini-batches that meet in the slice of 10:00; one goes on to that of 10:15."""
    dns = {"destination_port": 53}
    publish(tmp_path, "first", [at(0, **dns), at(1, **dns), at(2)])
    publish(tmp_path, "second", [at(3, **dns), at(20, **dns, source_bytes=7)])
    return tmp_path / "out"


def counted(output: Path) -> list[int]:
    """What the host that asks has in its slices, in the order of time."""
    rows = read_deltas(FolderTables(output)).filter(pl.col("role") == "outbound")
    return rows.sort("slice_start_ts").collect()["dns_tcp_cnt"].to_list()


def in_one_window(output: Path, *measures: str) -> pl.DataFrame:
    windows = merge_windows(FolderTables(output), *DAY, every="1d", measures=measures or None)
    return windows.filter(pl.col("role") == "outbound").collect()


def compact(output: Path) -> None:
    assert len(list(compactor(output).run(datetime(2025, 3, 3, tzinfo=UTC)))) == 1


def test_counters_of_several_batches_add(output: Path) -> None:
    assert counted(output) == [3, 1]


def test_windows_have_counters_by_themselves_and_by_name(output: Path) -> None:
    assert in_one_window(output)["dns_tcp_cnt"].to_list() == [4]
    assert in_one_window(output, "dns_tcp_cnt")["dns_tcp_cnt"].to_list() == [4]
    with pytest.raises(
        UsageError, match=r"the delta tables have no 'dns_cnt'; they have .*dns_tcp"
    ):
        in_one_window(output, "dns_cnt")


def test_a_compacted_day_keeps_its_counters_and_later_batches_add_to_them(
    output: Path, tmp_path: Path
) -> None:
    compact(output)

    assert counted(output) == [3, 1]
    publish(tmp_path, "third", [at(4, destination_port=53)])
    assert counted(output) == [4, 1]
    assert in_one_window(output)["dns_tcp_cnt"].to_list() == [5]


def test_a_job_with_other_counters_is_refused_by_their_name(output: Path, tmp_path: Path) -> None:
    other = {"dns_tcp_cnt": {"network_transport": ["TCP"], "peer_port": [53, 853]}}

    with pytest.raises(
        SpecError,
        match=r"^delta\.counters\.dns_tcp_cnt\.peer_port: is \[53, 853\] here, but \[53\]",
    ):
        publish(tmp_path, "other", [at(0)], counters=other)
    with pytest.raises(SpecError, match=r"^delta\.counters\.dns_tcp_cnt: is absent here, but"):
        publish(tmp_path, "none", [at(0)], counters={})
    assert counted(output) == [3, 1]
