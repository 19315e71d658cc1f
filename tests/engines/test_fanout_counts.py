"""What tasks count of their records adds up, of more records than 32 bits count, too."""

from __future__ import annotations

import json

import polars as pl

from ndr_adapters.polars import quality
from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.polars.engine import flows_of
from ndr_adapters.polars.lines import lines_frame
from ndr_adapters.polars.outcome import engine_result, no_counts
from ndr_adapters.polars.write import StagingRoot
from ndr_adapters.spark.fanout.chain import Frames, Task
from ndr_adapters.spark.fanout.deltas import COUNTS, delta_chain
from ndr_adapters.spark.fanout.shares import cut
from tests.engines.test_fanout_shares import batch_of
from tests.makers import flow, make_plan

MANY = 3_000_000_000


def counted(*lines: bytes) -> pl.DataFrame:
    block = b"".join(line + b"\n" for line in lines)
    plan = make_plan()
    return quality.counts(flows_of(lines_frame([block]).lazy(), plan, ()), plan).collect()


def task_with(frames: Frames) -> Task:
    return Task(0, frames, None, Addresses(), "token", lambda _bytes, _records: None)


def test_two_tasks_of_three_thousand_million_records_are_six_thousand_million() -> None:
    counts = counted(json.dumps(flow()).encode(), b"bad", b"")
    many = counts.with_columns((pl.col("records") * MANY).cast(counts.schema["records"]))
    batch = batch_of(1)
    *_, last = delta_chain(make_plan(), batch, StagingRoot("out"), cut(batch, 1)).steps
    (judged,) = (kernel for kernel in last.kernels if kernel.name == "judged")

    ((name, total),) = judged.run(task_with(iter([(COUNTS, many), (COUNTS, many)])))

    result = engine_result(total, {}, {})
    assert name == COUNTS
    assert (result.kept, result.blank_lines) == (2 * MANY, 2 * MANY)
    assert result.rejected == {"malformed_record": 2 * MANY}
    assert engine_result(pl.concat([total, total]), {}, {}).kept == 4 * MANY


def test_counts_of_no_records_have_the_columns_of_others() -> None:
    assert no_counts().schema == counted(b"").schema
    assert engine_result(no_counts(), {}, {}).kept == 0
