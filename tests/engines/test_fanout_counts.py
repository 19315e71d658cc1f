"""What tasks count of their records adds up, of more records than 32 bits count, too."""

from __future__ import annotations

import json

import polars as pl

from ndr_adapters.polars import quality
from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.polars.engine import flows_of
from ndr_adapters.polars.lines import lines_frame
from ndr_adapters.polars.outcome import engine_result, no_counts, no_unknown_values
from ndr_adapters.polars.write import StagingRoot
from ndr_adapters.spark.fanout.chain import Frames, Task
from ndr_adapters.spark.fanout.deltas import COUNTS, UNKNOWN, delta_chain
from ndr_adapters.spark.fanout.shares import cut
from tests.engines.test_fanout_shares import batch_of
from tests.makers import flow, make_plan

MANY = 3_000_000_000


def judged(*lines: bytes) -> pl.LazyFrame:
    block = b"".join(line + b"\n" for line in lines)
    return flows_of(lines_frame([(None, block)]).lazy(), make_plan(), ())


def counted(*lines: bytes) -> pl.DataFrame:
    return quality.counts(judged(*lines)).collect()


def task_with(frames: Frames) -> Task:
    return Task(0, frames, None, Addresses(), "token", lambda _bytes, _records: None)


def test_two_tasks_of_three_thousand_million_records_are_six_thousand_million() -> None:
    counts = counted(json.dumps(flow()).encode(), b"bad", b"")
    many = counts.with_columns((pl.col("records") * MANY).cast(counts.schema["records"]))
    batch = batch_of(1)
    *_, last = delta_chain(make_plan(), batch, StagingRoot("out"), cut(batch, 1)).steps
    (kernel,) = (one for one in last.kernels if one.name == "judged")

    ((name, total),) = kernel.run(task_with(iter([(COUNTS, many), (COUNTS, many)])))

    result = engine_result(total, no_unknown_values(), {}, {})
    assert name == COUNTS
    assert (result.kept, result.blank_lines) == (2 * MANY, 2 * MANY)
    assert result.rejected == {"malformed_record": 2 * MANY}
    assert engine_result(pl.concat([total, total]), no_unknown_values(), {}, {}).kept == 4 * MANY


def test_of_unknown_values_each_share_tells_the_most_frequent_ones_of_all_tasks() -> None:
    actions = [f"new-{number:02}" for number in range(12)]
    records = [flow(event_action=action) for action in actions] + [flow(event_action="new-07")]
    one, other = records[:9], records[9:]
    frames = [
        quality.unknown_values(judged(*(json.dumps(record).encode() for record in some)))
        for some in (one, other)
    ]
    *_, last = delta_chain(make_plan(), batch_of(1), StagingRoot("out"), cut(batch_of(1), 1)).steps
    (kernel,) = (one for one in last.kernels if one.name == "judged")

    ((name, total),) = kernel.run(task_with((UNKNOWN, frame) for frame in frames))

    result = engine_result(no_counts(), total, {}, {})
    assert name == UNKNOWN
    assert kernel.takes[UNKNOWN] == ("field", "value")
    assert list(result.unknown["event_action"].items()) == [
        ("new-07", 2),
        *((action, 1) for action in actions[:7]),
        *((action, 1) for action in actions[8:10]),
    ]
    assert no_unknown_values().schema == frames[0].schema


def test_counts_of_no_records_have_the_columns_of_others() -> None:
    assert no_counts().schema == counted(b"").schema
    assert engine_result(no_counts(), no_unknown_values(), {}, {}).kept == 0
