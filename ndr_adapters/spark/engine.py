"""The Spark engine: lines are read and parsed once, into cells that feed all outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import reduce

from attrs import field, frozen
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from ndr_adapters.spark import aggregate, quality
from ndr_adapters.spark.careful import read_careful
from ndr_adapters.spark.expr import quoted
from ndr_adapters.spark.files import LONGEST_LINE, file_to_blame, unfit_files
from ndr_adapters.spark.parse import read_plain
from ndr_adapters.spark.paths import as_glob, spark_address
from ndr_adapters.spark.reading import UNFIT
from ndr_adapters.spark.session import NAMES_AS_WRITTEN, activated
from ndr_adapters.spark.shuffled import held_in_shuffle
from ndr_adapters.spark.skew import BusyHosts, busy_hosts, has_busy, is_busy
from ndr_adapters.spark.views import HOST, amounts, by_host, make_views, over_all_tasks
from ndr_adapters.spark.write import (
    fill_empty_partitions,
    staged_rows,
    write_quarantine,
    write_table,
)
from ndr_core.delta import DELTA_TABLE, PAIR_TABLE, DeltaPlan, overflow_place
from ndr_core.errors import EngineReadError, OverflowingColumnError
from ndr_core.ports import EngineResult, InputBatch, InputFile
from ndr_core.quality import REPAIR_RULES

_SETTINGS = {
    **NAMES_AS_WRITTEN,
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.caseSensitive": "true",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # A longer method is interpreted, never compiled, by the JVM; Spark then splits the work instead.
    "spark.sql.codegen.hugeMethodLimit": "8000",
    # What is grouped by host stays where it is: no broadcast, and no adaptive plan, of which a checkpoint
    # would not know how it is partitioned. The number of partitions is chosen from the input instead.
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.adaptive.enabled": "false",
    # Input of a task that reads: less than Spark's own 128 MiB, with which cores wait for the last task.
    "spark.sql.files.maxPartitionBytes": str(16 << 20),
    "spark.sql.files.openCostInBytes": str(1 << 20),
    # A longer line would fill the heap; `files.py` refuses a file that has one.
    "mapreduce.input.linerecordreader.line.maxlength": str(LONGEST_LINE),
    # Up to so many partitions, rows are written as they come rather than sorted by partition first.
    "spark.sql.maxConcurrentOutputFileWriters": "256",
    # A finished task puts its files in place itself: staging is private, so that no one sees a part of a job,
    # and in S3, where a rename is a copy, it saves one copy of each file.
    "mapreduce.fileoutputcommitter.algorithm.version": "2",
    "mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    # Histograms are collected per host: hash as long as memory allows, not for 128 hosts only.
    "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": "200000",
}
INPUT_BYTES_PER_TASK = 4 << 20
_MOST_INPUT_BYTES_PER_TASK = 32 << 20
"""Compressed; the views of a record take about ten times its room in the input, and two tasks share 2 GiB."""
_TASKS_PER_CORE = 2
"""So that a core whose task was short takes another one."""
_INPUT_BYTES_PER_RECORD = 50
"""Compressed, about."""


@frozen
class SparkEngine:
    """Builds deltas on Spark. The session is the caller's; settings are made in a session of its own."""

    session: SparkSession
    settings: Mapping[str, str] = field(
        factory=dict, metadata={"doc": "of file systems, e.g. how S3 is reached"}
    )
    input_bytes_per_task: int = field(
        default=INPUT_BYTES_PER_TASK,
        metadata={"doc": "compressed; of tasks after the shuffle, where there are cores enough"},
    )
    name: str = "spark"

    def unfit_files(self, batch: InputBatch) -> Mapping[InputFile, str]:
        return unfit_files(batch)

    def build(self, plan: DeltaPlan, batch: InputBatch, staging_root: str) -> EngineResult:
        tasks = self.tasks(batch)
        session = session_for(self.session, tasks)
        for key, value in self.settings.items():
            session.conf.set(key, value)
        with activated(session):
            return self._build(session, tasks, plan, batch, staging_root)

    def _build(
        self,
        session: SparkSession,
        tasks: int,
        plan: DeltaPlan,
        batch: InputBatch,
        staging_root: str,
    ) -> EngineResult:
        root = spark_address(staging_root)
        described = session.sparkContext.getLocalProperty("spark.job.description")
        try:
            _step(session, "read and judge")
            flows = flows_of(session, plan, batch, tasks)
            _step(session, "set aside what is not kept")
            dropped = quality.dropped(flows).localCheckpoint()
            write_quarantine(dropped.where("rule is not null"), root)
            _step(session, "find busy hosts")
            busy = busy_hosts(flows, plan, tasks, batch.size_bytes // _INPUT_BYTES_PER_RECORD)
            parts = _parts(flows, busy, plan, tasks)
            pairs = _united(part.pairs for part in parts)
            rows = _united(part.rows for part in parts)
            _step(session, "look for overflow")
            _refuse_overflow(rows, plan)
            _step(session, "write pairs")
            write_table(aggregate.pair_rows(pairs, plan), plan, root, PAIR_TABLE)
            _step(session, "write deltas")
            write_table(aggregate.delta_rows(rows, plan), plan, root, DELTA_TABLE)
            fill_empty_partitions(session, plan, root)
            _step(session, "count")
            return _result(rows, dropped, staged_rows(session, root))
        except (Py4JError, PySparkException) as error:
            cause = _root_cause(error)
            raise EngineReadError(
                f"spark: {cause}", file_to_blame(session, batch, cause)
            ) from error
        finally:
            # A call that a signal interrupted may have broken the connection.
            with suppress(Py4JError):
                session.sparkContext.setJobDescription(described)  # type: ignore[arg-type]  # None unsets it

    def tasks(self, batch: InputBatch) -> int:
        """Tasks after the shuffle, hence files per output partition."""
        partitions = int(self.session.conf.get("spark.sql.shuffle.partitions") or 1)
        cores = self.session.sparkContext.defaultParallelism
        return tasks_for(batch.size_bytes, self.input_bytes_per_task, partitions, cores)


def tasks_for(input_bytes: int, bytes_per_task: int, partitions: int, cores: int) -> int:
    """Few tasks for a small batch, and no more than keep all cores busy: in S3, each file costs its task some seconds.

    `partitions`: what the session is set to, which only a large batch exceeds.
    """
    wanted = min(partitions, _TASKS_PER_CORE * cores, -(-input_bytes // bytes_per_task))
    return max(1, wanted, -(-input_bytes // _MOST_INPUT_BYTES_PER_TASK))


@frozen
class _Part:
    """What is built from the views of some of the hosts, held by the executors."""

    pairs: DataFrame
    rows: DataFrame


def _parts(flows: DataFrame, busy: BusyHosts, plan: DeltaPlan, tasks: int) -> list[_Part]:
    views = make_views(flows, plan)
    if not busy:
        return [_part(by_host(views), plan)]
    others = by_host(views.where(f"not {is_busy(busy)}"))
    views_of_busy = make_views(flows.where(has_busy(busy, plan)), plan).where(is_busy(busy))
    return [
        _part(others, plan),
        _part(over_all_tasks(views_of_busy, plan, tasks), plan, spread=True),
    ]


def _part(views: DataFrame, plan: DeltaPlan, *, spread: bool = False) -> _Part:
    session = views.sparkSession
    held = held_in_shuffle(views)
    _step(session, "shuffle views, aggregate pairs")
    pairs = aggregate.pair_table(held).localCheckpoint()
    _step(session, "aggregate hosts")
    rows = aggregate.host_rows(held, pairs, plan, spread=spread)
    # Spread are the views of a few hosts only: their rows make one file.
    return _Part(pairs, (rows.coalesce(1) if spread else rows).localCheckpoint())


def _step(session: SparkSession, name: str) -> None:
    """Names the jobs to come, in Spark's UI and event log."""
    session.sparkContext.setJobDescription(f"ndr: {name}")


def _united(frames: Iterable[DataFrame]) -> DataFrame:
    return reduce(DataFrame.unionByName, frames)


def session_for(session: SparkSession, partitions: int) -> SparkSession:
    """A session of its own beside the given one, with the settings that the plans rely on."""
    own = session.newSession()
    for key, value in _SETTINGS.items():
        own.conf.set(key, value)
    own.conf.set("spark.sql.shuffle.partitions", str(partitions))
    return own


def flows_of(session: SparkSession, plan: DeltaPlan, batch: InputBatch, tasks: int) -> DataFrame:
    """The judged and repaired records of a batch; its lines have been read once by then."""
    read = read_plain(_text(session, batch, tasks), plan.spec)
    flows = quality.judge(read, plan).localCheckpoint()
    unfit = flows.where(f"outcome = {UNFIT}").select("line")
    if not unfit.isEmpty():
        careful = quality.judge(read_careful(unfit, plan.spec), plan).localCheckpoint()
        flows = flows.where(f"outcome != {UNFIT}").union(careful)
    if plan.spec.quality.deduplicate_on:
        flows = quality.mark_duplicates(flows, plan).localCheckpoint()
    return quality.repaired(flows)


def _text(session: SparkSession, batch: InputBatch, tasks: int) -> DataFrame:
    """The lines of a batch, as Spark's text reader gives them."""
    if not batch.files:
        return session.range(0).selectExpr("cast(null as string) as value")
    paths = [as_glob(spark_address(uri)) for uri in batch.uris]
    text = session.read.option("lineSep", "\n").text(paths)
    cores = session.sparkContext.defaultParallelism
    largest = max(file.size_bytes for file in batch.files)
    if tasks > 1 and largest * cores > batch.size_bytes:
        # One task has to unpack a gzip file; its lines are read by all, rather than by that one while others idle.
        return text.repartition(tasks, "value")
    return text


def _root_cause(error: Exception) -> str:
    """The innermost message of a Java stack trace, which names what Spark stumbled over."""
    lines = str(error).splitlines() or [type(error).__name__]
    causes = [line for line in lines if line.startswith("Caused by:")]
    return (causes[-1] if causes else lines[0]).removeprefix("Caused by: ")


def _refuse_overflow(rows: DataFrame, plan: DeltaPlan) -> None:
    names = [item.name for item in amounts(plan)]
    any_null = " or ".join(f"{quoted(name)} is null" for name in names)
    found = rows.where(any_null).select(*HOST, *(quoted(name) for name in names)).collect()
    roles = [role.name for role in plan.spec.roles]
    for name in names:
        hit = sorted(
            (row["slice_start"], roles[row["role_number"]], row["host_ip"])
            for row in found
            if row[name] is None
        )
        if hit:
            raise OverflowingColumnError(name, overflow_place(*hit[0]))


def _result(rows: DataFrame, dropped: DataFrame, staged: dict[str, int]) -> EngineResult:
    of_kept = aggregate.counts(rows).first()
    assert of_kept is not None  # an aggregate without groups has one row
    by_rule = {row["rule"]: row["count"] for row in dropped.groupBy("rule").count().collect()}
    return EngineResult(
        rows=staged,
        kept=of_kept["kept"] or 0,
        rejected={rule: records for rule, records in by_rule.items() if rule is not None},
        repaired={rule.name: of_kept[f"repair:{rule.name}"] or 0 for rule in REPAIR_RULES},
        blank_lines=by_rule.get(None, 0),
    )
