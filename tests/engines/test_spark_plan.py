"""The Spark plan, guarded without a clock: what is read once and what is shuffled."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from ndr_adapters.local.source import FolderSource
from ndr_adapters.spark.runtime.settings import session_for
from ndr_adapters.spark.sql import aggregate
from ndr_adapters.spark.sql.engine import SparkSqlEngine, flows_of
from ndr_adapters.spark.sql.shuffled import by_host, held_in_shuffle, over_all_tasks
from ndr_adapters.spark.sql.skew import busy_hosts, is_busy
from ndr_adapters.spark.sql.views import role_views
from ndr_core.flows.source import InputBatch, InputFile
from tests.makers import flow, make_plan, write_batch
from tests.support import spark_session

PLAN = make_plan(bounds=("2025-03-01T10:00:00Z", "2025-03-01T10:15:00Z"))


@pytest.fixture
def session() -> SparkSession:
    return session_for(spark_session(), partitions=3)


def plan_of(frame: DataFrame) -> str:
    return str(frame._jdf.queryExecution().executedPlan().toString())


def views_of(session: SparkSession, batch: InputBatch) -> DataFrame:
    return by_host(role_views(flows_of(session, PLAN, batch, tasks=1), PLAN))


def count(node: str, frame: DataFrame) -> int:
    """Nodes of that name in the physical plan."""
    return len(re.findall(rf"(?<![A-Za-z]){node}(?![A-Za-z])", plan_of(frame)))


def tasks_run(session: SparkSession, query: Callable[[], object], group: str) -> int:
    """Tasks that a query runs; stages whose output is still there run none."""
    session.sparkContext.setJobGroup(group, group)
    try:
        query()
    finally:
        for name in ("spark.jobGroup.id", "spark.job.description"):
            session.sparkContext.setLocalProperty(name, None)  # type: ignore[arg-type]  # unsets it
    tracker = session.sparkContext.statusTracker()
    jobs = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(group)]
    stages = [tracker.getStageInfo(stage) for job in jobs if job for stage in job.stageIds]
    return sum(stage.numCompletedTasks for stage in stages if stage)


def test_one_shuffle_feeds_every_output(session: SparkSession, tmp_path: Path) -> None:
    lines = [flow(source_ip=f"10.0.0.{n}") for n in range(50)]
    source = FolderSource(write_batch(tmp_path / "in", [lines[:25], lines[25:]]))
    batch = InputBatch(source.files(print), source.blocks, ())
    views = views_of(session, batch)
    assert count("Exchange", views) == 1
    held = held_in_shuffle(views)
    pairs = aggregate.pair_table(held, PLAN).localCheckpoint()
    rows = aggregate.host_rows(held, pairs, PLAN)
    outputs = [
        aggregate.pair_rows(pairs, PLAN),
        aggregate.delta_rows(rows, PLAN),
    ]
    for output in outputs:
        assert count("Exchange", output) == 0
    for frame in [views, held, pairs, *outputs]:
        assert "Python" not in plan_of(frame)  # no record leaves the JVM


def test_views_are_shuffled_once_and_then_read_from_the_files_of_the_shuffle(
    session: SparkSession, tmp_path: Path
) -> None:
    source = FolderSource(write_batch(tmp_path / "in", [[flow(source_bytes=n) for n in range(9)]]))
    held = held_in_shuffle(views_of(session, InputBatch(source.files(print), source.blocks, ())))
    pairs = []
    tasks = [
        # A query of its own each time: Spark would keep the shuffle of one that is run again.
        tasks_run(session, lambda: pairs.append(aggregate.pair_table(held, PLAN).count()), group)
        for group in ("first use", "second use")
    ]
    assert pairs == [2, 2]
    assert tasks[0] > tasks[1] == 3 + 1  # the aggregation's and, over them, the count's


def test_lines_are_read_once_and_carefully_only_where_needed(
    session: SparkSession, tmp_path: Path
) -> None:
    source = FolderSource(write_batch(tmp_path / "in", [[flow(), "bad", flow()]]))
    views = views_of(session, InputBatch(source.files(print), source.blocks, ()))
    # By now the text has been read and decoded into a checkpoint, of which two parts are left to unite.
    assert count("FileScan", views) == 0
    assert count("Union", views) == 1
    clean = FolderSource(write_batch(tmp_path / "clean", [[flow(), flow()]]))
    plain = views_of(session, InputBatch(clean.files(print), clean.blocks, ()))
    assert count("Union", plain) == 0
    assert "from_json" not in plan_of(plain)


@pytest.mark.parametrize(("mebibytes", "tasks"), [(0, 1), (5, 2), (50, 4), (500, 16)])
def test_tasks_grow_with_the_input_beyond_what_the_session_is_set_to(
    mebibytes: int, tasks: int
) -> None:
    file = InputFile("file:///a.json.gz", mebibytes << 20)
    batch = InputBatch((file,), lambda _file, _read: iter(()), ())
    assert SparkSqlEngine(spark_session()).tasks(batch) == tasks
    session = spark_session().newSession()
    # As Spark has it: more than two cores need.
    session.conf.set("spark.sql.shuffle.partitions", "200")
    assert SparkSqlEngine(session).tasks(batch) == tasks


def test_the_lines_of_a_large_file_are_read_by_all_tasks(
    session: SparkSession, tmp_path: Path
) -> None:
    lines = [flow(source_bytes=n) for n in range(120)]
    one = FolderSource(write_batch(tmp_path / "one", [lines]))
    even = FolderSource(write_batch(tmp_path / "even", [lines[n::4] for n in range(4)]))
    sizes = {
        name: [len(rows) for rows in flows.rdd.glom().collect()]
        for name, source in (("one", one), ("even", even))
        for flows in [
            flows_of(session, PLAN, InputBatch(source.files(print), source.blocks, ()), tasks=3)
        ]
    }
    assert len(sizes["one"]) == 3
    assert 0 < max(sizes["one"]) < 2 * min(sizes["one"])
    assert {size % 30 for size in sizes["even"]} == {0}  # files stay whole where they are many


def test_the_records_of_a_busy_host_are_spread_over_all_tasks(
    session: SparkSession, tmp_path: Path
) -> None:
    busy = [flow(source_ip="10.0.0.1", source_bytes=n) for n in range(100)]
    others = [flow(source_ip=f"10.0.1.{n}", destination_ip=f"192.0.2.{n}") for n in range(100)]
    source = FolderSource(write_batch(tmp_path / "in", [busy + others]))
    flows = flows_of(session, PLAN, InputBatch(source.files(print), source.blocks, ()), tasks=3)
    assert busy_hosts(flows, PLAN, tasks=1, records=200) == {}
    found = busy_hosts(flows, PLAN, tasks=3, records=200)
    assert found == {0: ["10.0.0.1"], 1: ["192.0.2.7"]}
    spread_views = over_all_tasks(
        role_views(flows, PLAN).where(is_busy(found)), PLAN, 3
    ).localCheckpoint()
    sizes = [len(rows) for rows in spread_views.rdd.glom().collect()]
    assert sum(sizes) == 201  # of the others, 10.0.1.7 had asked for 192.0.2.7, too
    assert max(sizes) < 3 * min(sizes)
    pairs = aggregate.pair_table(spread_views, PLAN)
    assert pairs.count() == 3
    for frame in (pairs, aggregate.host_rows(spread_views, pairs, PLAN, spread=True)):
        assert "Python" not in plan_of(frame)


def test_histograms_stay_exact_where_the_aggregation_falls_back_to_sorting(
    session: SparkSession, tmp_path: Path
) -> None:
    session.conf.set("spark.sql.objectHashAggregate.sortBased.fallbackThreshold", "2")
    lines = [flow(source_ip=f"10.0.0.{n % 7}", source_bytes=n % 5) for n in range(140)]
    source = FolderSource(write_batch(tmp_path / "in", [lines]))
    views = views_of(session, InputBatch(source.files(print), source.blocks, ())).localCheckpoint()
    rows = aggregate.host_rows(views, aggregate.pair_table(views, PLAN), PLAN)
    histograms = {
        tuple((cell["bucket"], cell["count"]) for cell in row["bytes_sent_hist"])
        for row in rows.where("role_number = 0").collect()
    }
    assert histograms == {tuple((value, 4) for value in range(5))}
