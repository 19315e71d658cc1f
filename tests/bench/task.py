"""One task of a benchmark, in a process of its own: prints the seconds of each repeat as JSON.

Modules are imported by the task that needs them, so that no task waits for the packages of another.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from attrs import field, frozen

from tests.bench.processor import Processor

START_US, END_US = 1_740_823_200_000_000, 1_740_824_100_000_000

Work = Callable[[Path], object]
"""Does the task once, and writes what it makes to a folder."""


@contextmanager
def polars_floor(batch: Path) -> Iterator[Work]:
    """Decode every field of every line, by Polars' own reader."""
    import polars as pl

    from ndr_core.flows.record import FLOW_FIELDS, FieldKind

    schema = {
        one.name: pl.Int64 if one.kind is FieldKind.INTEGER else pl.String for one in FLOW_FIELDS
    }
    scanned = pl.scan_ndjson(sorted(batch.glob("*.gz")), schema=schema)
    yield lambda _: scanned.select(pl.all().count()).collect(engine="streaming")


@contextmanager
def spark_floor(batch: Path) -> Iterator[Work]:
    """Decode every field of every line, by Spark's own reader."""
    from ndr_adapters.spark.runtime.session import local_session
    from ndr_core.flows.record import FLOW_FIELDS, FieldKind

    session = local_session()
    schema = ", ".join(
        f"{one.name} {'bigint' if one.kind is FieldKind.INTEGER else 'string'}"
        for one in FLOW_FIELDS
    )
    counts = [f"count({one.name})" for one in FLOW_FIELDS]
    yield lambda _: session.read.schema(schema).json(str(batch)).selectExpr(*counts).collect()


@contextmanager
def spark_naive(batch: Path) -> Iterator[Work]:
    """The usual way to write it, see `naive_spark`."""
    from ndr_adapters.spark.runtime.session import local_session
    from tests.bench.naive_spark import naive_job

    session = local_session()
    yield lambda output: naive_job(session, batch, output / "deltas")


@contextmanager
def duckdb_counts(batch: Path) -> Iterator[Work]:
    """The base counts alone, see `duck`."""
    from tests.bench import duck

    yield lambda output: duck.build(batch, output)


@contextmanager
def clickhouse_by_hand(batch: Path) -> Iterator[Work]:
    """All columns of both tables but the timing of pairs, see `clickhouse`."""
    from tests.bench import clickhouse

    with clickhouse.session() as session:
        yield lambda output: clickhouse.build(session, batch, output)


@contextmanager
def ours(engine: str, batch: Path) -> Iterator[Work]:
    """Read, judge, build and publish: the whole product."""
    from ndr_core.deltas.job import DeltaBuilderRunner
    from ndr_core.deltas.spec_reader import parse_job_spec
    from ndr_core.jobs.ports import QuietLog
    from ndr_core.jobs.run import RuntimeParams
    from ndr_entrypoints.wiring import Wiring

    # By the start, as the others cut: all sessions of the batch lie in one slice then.
    said = {"project_name": "bench", "delta": {"moment": "event_start"}}
    spec = parse_job_spec(said | {"input": {"preset": "paloalto"}})

    def job(output: Path) -> None:
        wiring = Wiring.between(str(batch), str(output))
        DeltaBuilderRunner(
            spec=spec,
            params=RuntimeParams("bench", "bench", START_US, END_US),
            source=wiring.source,
            start_engine=lambda files: wiring.start(engine, spec, files),
            sink=wiring.sink,
            log=QuietLog(),
        ).run()

    yield job


@frozen
class Task:
    """What a benchmark measures."""

    prepare: Callable[[Path], AbstractContextManager[Work]]
    """Start what the task needs for a batch, and give its work."""
    computes: str
    """How much of what the product computes."""
    missing: Callable[[], str | None] = field(default=lambda: None)
    """Why it can't be run here and what to do, if it can't."""


def _whole_job(engine: str) -> Task:
    def missing() -> str | None:
        from ndr_entrypoints.wiring import ENGINES

        return None if engine in ENGINES else f"there is no engine {engine}"

    return Task(lambda batch: ours(engine, batch), "all", missing)


def engines() -> tuple[str, ...]:
    """The engines whose whole job can be measured here."""
    suffix = ": ours"
    return tuple(
        name.removesuffix(suffix)
        for name, task in TASKS.items()
        if name.endswith(suffix) and task.missing() is None
    )


def _chdb_missing() -> str | None:
    return None if find_spec("chdb") else "chdb is not installed; by hand: `pip install chdb`"


TASKS: Final[dict[str, Task]] = {
    "polars: parse floor": Task(polars_floor, "nothing: it parses"),
    "polars: ours": _whole_job("polars"),
    "spark: parse floor": Task(spark_floor, "nothing: it parses"),
    "spark: ours": _whole_job("spark"),
    "spark-sql: ours": _whole_job("spark-sql"),
    "spark: the usual way": Task(spark_naive, "39 measures, no pairs"),
    "duckdb: base counts": Task(duckdb_counts, "9 measures, no pairs"),
    "clickhouse: by hand": Task(
        clickhouse_by_hand, "all but quality rules and the timing of pairs", _chdb_missing
    ),
}


def main(task: str, batch: str, warm_ups: str, repeats: str) -> None:
    """Do a task some times, then some times on the clock: prints pairs of wall and processor seconds."""
    processor = Processor()
    processor.start()
    found = []
    with TASKS[task].prepare(Path(batch)) as work:
        for _ in range(int(warm_ups) + int(repeats)):
            with tempfile.TemporaryDirectory() as output:
                started, used = time.perf_counter(), processor.seconds()
                work(Path(output))
                found.append((time.perf_counter() - started, processor.seconds() - used))
    print(json.dumps(found[int(warm_ups) :]))


if __name__ == "__main__":
    main(*sys.argv[1:])
