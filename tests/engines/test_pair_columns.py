"""Every engine makes the columns of pairs that the JobSpec asks for, of roles of any kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ndr_core.deltas.engine import Engine
from tests.makers import assert_equal, flow, make_plan, make_spec, write_batch
from tests.support import ENGINES, run_engine, run_reference

SOURCE_PORTS = {
    "name": "outbound",
    "host": "source_ip",
    "peer": "destination_ip",
    "sent": "source_bytes",
    "received": "destination_bytes",
    "peer_port": "source_port",
}
ITSELF = {
    "name": "itself",
    "host": "source_ip",
    "peer": "source_ip",
    "sent": "source_bytes",
    "received": "destination_bytes",
}
RECORDS = [
    flow(source_ip=f"10.0.0.{n % 3}", source_port=port, event_start=f"2025-03-01T10:00:0{n}Z")
    for n, port in enumerate([5, 5, None, 6, 5, 6])
] + [flow(event_name="THREAT")]


@pytest.mark.parametrize("start", ENGINES.values(), ids=list(ENGINES))
@pytest.mark.parametrize(
    "parts",
    [
        {"pair": {"timing": False}},
        {"roles": ["inbound"]},
        {"roles": ["inbound", SOURCE_PORTS, ITSELF]},
        {"roles": [ITSELF, "outbound"], "delta": {"measures": ["sessions_cnt"]}},
    ],
    ids=["no timing", "no outbound role", "a role of its own", "the last role"],
)
def test_pairs_are_those_of_the_reference(
    parts: dict[str, Any], start: Callable[[], Engine], tmp_path: Path
) -> None:
    plan = make_plan(make_spec(**parts))
    batch = write_batch(tmp_path / "in", [RECORDS[:4], RECORDS[4:]])

    tables = run_engine(start(), plan, batch, tmp_path / "out")

    assert_equal(run_reference(plan, batch), tables)
    names = {column.name for column in plan.pair.file_columns}
    for path in (tmp_path / "out" / "pair").rglob("*.parquet"):
        assert set(pl.read_parquet(path, hive_partitioning=False).columns) == names
