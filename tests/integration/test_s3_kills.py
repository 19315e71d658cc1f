"""`kill -9` of a run over S3, at writes spread through it: nothing that was published is lost or mixed."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from tests.integration.s3_run import (
    kill,
    plain_rows,
    publish,
    readable_to_the_last_byte,
    rows,
    start_process,
)
from tests.stand_in import Fault, Request, proxy
from tests.support import flow, upload, write_batch

Point = tuple[int, str]
"""A write, and whether the kill comes before the server sees it or after it is done."""

POLARS: list[Point] = [
    *((0, "before"), (2, "after"), (5, "before"), (7, "after"), (8, "before"), (10, "after")),
    *((13, "before"), (15, "before"), (15, "after"), (16, "after"), (17, "before")),
    (18, "before"),
]
"""Of 19: 0 the mark; 1-5 staging; 6-8 report and claim; 9-14 copies; 15 the decision; 16-18 deletions."""

SPARK: list[Point] = [
    *((3, "before"), (9, "after"), (14, "before"), (17, "after"), (24, "before")),
    *((27, "after"), (33, "after"), (40, "before"), (40, "after"), (42, "before")),
]
"""Of 44: 0 the mark; 1-30 staging, table by table; 31-33 report and claim; 34-39 copies; 40 the decision."""


class Killer:
    """Kills a process at one of its writes."""

    def __init__(self, point: Point) -> None:
        self.number, self.when = point
        self.writes = 0
        self.process: subprocess.Popen[str]

    def __call__(self, request: Request) -> Fault | None:
        if not request.writes:
            return None
        self.writes += 1
        if self.writes != self.number + 1:
            return None
        if self.when == "after":
            return lambda: kill(self.process)
        kill(self.process)
        return "reset"


def run_and_kill(source: str, target: str, aws: str, engine: str, point: Point) -> None:
    killer = Killer(point)
    with proxy(aws, killer) as server:
        killer.process = start_process(source, target, server.address, engine)
        _, errors = killer.process.communicate(timeout=240)
    assert killer.process.returncode == -signal.SIGKILL, errors


@pytest.mark.parametrize(
    ("engine", "point"),
    [*(("polars", point) for point in POLARS), *(("spark", point) for point in SPARK)],
    ids=lambda value: value if isinstance(value, str) else f"{value[1]} write {value[0]}",
)
def test_a_killed_run_leaves_old_rows_or_new_ones_and_a_rerun_gives_the_new_ones(
    tmp_path: Path, bucket: str, aws: str, engine: str, point: Point
) -> None:
    target = f"s3://{bucket}/out"
    old_batch = write_batch(tmp_path / "old", [[flow(source_bytes=1), flow(), "bad"]])
    new_batch = write_batch(tmp_path / "new", [[flow(source_bytes=5), flow(), flow(), "bad"]])
    old_source = upload(old_batch, bucket, "in/old")
    new_source = upload(new_batch, bucket, "in/new")
    publish(old_source, target)
    old = rows(target)
    publish(new_source, f"s3://{bucket}/expected")
    new = rows(f"s3://{bucket}/expected")

    run_and_kill(new_source, target, aws, engine, point)
    assert rows(target) in (old, new)
    readable_to_the_last_byte(target)

    publish(new_source, target)
    assert rows(target) == new
    assert plain_rows(bucket, "out") == len(new[0])
