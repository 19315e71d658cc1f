"""`kill -9` of a run over S3, at writes spread through it: nothing that was published is lost or mixed."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ndr_adapters.s3.claims import State
from tests.makers import flow, write_batch
from tests.soak import only_in_soak
from tests.stand_in import Fault, Request, proxy
from tests.storages.s3_run import (
    batch,
    claims,
    contributions,
    kill,
    plain_rows,
    plain_sessions,
    publish,
    readable_to_the_last_byte,
    rows,
    sessions,
    start_process,
)
from tests.support import upload

Point = tuple[int, str]
"""A write, and whether the kill comes before the server sees it or after it is done."""

POLARS: list[Point] = [
    *((0, "before"), (2, "after"), (6, "before")),
    *((10, "after"), (15, "after"), (17, "before")),
]
"""Of 21: 0 the mark; 1-5 staging; 6-8 report and claim; 9-14 copies; 15 the decision; 16-20 deletions."""
ALL_POLARS: list[Point] = [(n, when) for n in range(21) for when in ("before", "after")][:-1]
"""Without the last one: the process may be through before it is killed after its last write."""

SPARK: list[Point] = [(3, "before")]
"""Of the same writes as Polars', by the same code but for staging, which workers do: one of that."""
ALL_SPARK: list[Point] = ALL_POLARS

SPARK_SQL: list[Point] = [(9, "after")]
"""Of 46: 0 the mark; 1-30 staging, table by table; 31-33 report and claim; 34-39 copies; 40 the decision."""
ALL_SPARK_SQL: list[Point] = [
    *((3, "before"), (9, "after"), (14, "before"), (17, "after"), (24, "before")),
    *((27, "after"), (33, "after"), (36, "after"), (40, "before"), (40, "after"), (42, "before")),
]


def points(engine: str, sample: list[Point], every: list[Point]) -> list[Any]:
    """The points of an engine, those that the sample lacks for the full matrix only."""
    more = [point for point in every if point not in sample]
    return [
        *((engine, point) for point in sample),
        *(pytest.param(engine, point, marks=only_in_soak) for point in more),
    ]


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
    [
        *points("polars", POLARS, ALL_POLARS),
        *points("spark", SPARK, ALL_SPARK),
        *points("spark-sql", SPARK_SQL, ALL_SPARK_SQL),
    ],
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


@pytest.mark.parametrize(
    ("engine", "point"),
    points("polars", [(15, "before")], ALL_POLARS),
    ids=lambda value: value if isinstance(value, str) else f"{value[1]} write {value[0]}",
)
def test_runs_of_one_slice_are_killed_published_and_run_again_without_touching_each_other(
    tmp_path: Path, bucket: str, aws: str, engine: str, point: Point
) -> None:
    """Mini-batch `mb` is killed while it replaces itself; `early` came before it, `late` comes after."""
    target = f"s3://{bucket}/out"
    early, late = batch(tmp_path, bucket, "early"), batch(tmp_path, bucket, "late")
    publish(early, target, mini_batch="early")
    publish(batch(tmp_path, bucket, "old"), target)
    before = contributions(target)
    source = batch(tmp_path, bucket, "new", source_bytes=5)

    run_and_kill(source, target, aws, engine, point)
    killed = contributions(target)
    assert killed["early"] == before["early"]
    publish(late, target, mini_batch="late")
    others = contributions(target)
    assert [others[name] for name in ("early", "mb")] == [killed[name] for name in ("early", "mb")]
    assert sessions(target) == 9
    publish(source, target)

    after = contributions(target)
    assert [after[name] for name in ("early", "late")] == [
        others[name] for name in ("early", "late")
    ]
    assert (sessions(target), plain_sessions(bucket, "out")) == (9, 9)
    # The claim of the killed run may stay until that run can't live any more.
    assert [claim for claim in claims(target) if claim != (State.ABORTED, "mb")] == [
        (State.PUBLISHED, name) for name in ("early", "late", "mb")
    ]
