"""The Spark SQL engine: lines are read and parsed once, into cells that feed all outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import reduce
from typing import ClassVar, Final

from attrs import field, frozen
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from ndr_adapters.full_disk import FullDiskError, full_disk_reason
from ndr_adapters.spark.runtime.files import file_to_blame, unfit_files
from ndr_adapters.spark.runtime.internals import activated, root_cause
from ndr_adapters.spark.runtime.paths import spark_address
from ndr_adapters.spark.runtime.progress import reading_metered
from ndr_adapters.spark.runtime.s3 import refuse_other_key
from ndr_adapters.spark.runtime.settings import session_for
from ndr_adapters.spark.runtime.stoppable import stoppable
from ndr_adapters.spark.sql import aggregate, quality
from ndr_adapters.spark.sql.careful import read_careful
from ndr_adapters.spark.sql.expr import quoted
from ndr_adapters.spark.sql.flags import amounts
from ndr_adapters.spark.sql.lines import read_lines
from ndr_adapters.spark.sql.plain import read_plain
from ndr_adapters.spark.sql.shuffled import by_host, held_in_shuffle, over_all_tasks
from ndr_adapters.spark.sql.skew import BusyHosts, busy_hosts, has_busy, is_busy
from ndr_adapters.spark.sql.tasks import INPUT_BYTES_PER_TASK, tasks_for
from ndr_adapters.spark.sql.views import HOST, role_views
from ndr_adapters.spark.sql.write import (
    rejected_files,
    staged_rows,
    write_quarantine,
    write_table,
)
from ndr_core.deltas.engine import EngineResult
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.deltas.tables import overflow_place
from ndr_core.errors import EngineReadError, OverflowingColumnError
from ndr_core.flows.outcome import BLANK, SKIPPED, UNFIT
from ndr_core.flows.source import InputBatch, InputFile
from ndr_core.jobs.choice import refuse_unable
from ndr_core.quality.repairs import MARKS, mark_column
from ndr_core.quality.unknown import most_frequent

_INPUT_BYTES_PER_RECORD: Final = 50
"""Compressed, about."""


@frozen
class SparkSqlEngine:
    """Builds deltas on Spark. The session is the caller's; settings are made in a new session beside it."""

    name: ClassVar[str] = "spark-sql"
    reading_share: ClassVar[float] = 0.4
    session: SparkSession
    settings: Mapping[str, str] = field(factory=dict)
    """Of file systems, e.g. how S3 is reached."""
    input_bytes_per_task: int = INPUT_BYTES_PER_TASK
    """Compressed; of tasks after the shuffle, where there are cores enough."""

    def unfit_files(self, batch: InputBatch) -> Mapping[InputFile, str]:
        return unfit_files(batch)

    def build(self, plan: DeltaPlan, batch: InputBatch, staging_root: str) -> EngineResult:
        refuse_unable(self.name, plan.input.beyond_sql)
        tasks = self.tasks(batch)
        session = session_for(self.session, tasks)
        for key, value in self.settings.items():
            session.conf.set(key, value)

        def work() -> EngineResult:
            refuse_other_key(session, spark_address(staging_root), self.settings)
            with activated(session):
                return self._build(session, tasks, plan, batch, staging_root)

        return stoppable(session, work)

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
            judged = flows_of(session, plan, batch, tasks)
            _step(session, "set aside what is not kept")
            dropped = quality.dropped(judged).localCheckpoint()
            write_quarantine(quality.quarantine(dropped, plan), root)
            flows = quality.settled(judged)
            _step(session, "find busy hosts")
            busy = busy_hosts(flows, plan, tasks, batch.size_bytes // _INPUT_BYTES_PER_RECORD)
            parts = _parts(flows, busy, plan, tasks)
            pairs = _united(part.pairs for part in parts)
            rows = _united(part.rows for part in parts)
            _step(session, "look for overflow")
            _refuse_overflow(rows, plan)
            _step(session, "write pairs")
            write_table(aggregate.pair_rows(pairs, plan), plan.pair, root)
            _step(session, "write deltas")
            write_table(aggregate.delta_rows(rows, plan), plan.delta, root)
            _step(session, "count")
            result = _result(rows, dropped, judged, session, plan, root)
            lines = (
                result.kept + sum(result.rejected.values()) + result.skipped + result.blank_lines
            )
            batch.meter.all_read(lines)
            return result
        except (Py4JError, PySparkException) as error:
            reason = full_disk_reason(error)
            if reason is not None:
                raise FullDiskError(_full_place(session, staging_root, error), reason) from error
            cause = root_cause(error)
            raise EngineReadError(
                f"spark-sql: {cause}", file_to_blame(session, batch, cause)
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


@frozen
class _Part:
    """What is built from the views of some of the hosts, held by the executors."""

    pairs: DataFrame
    rows: DataFrame


def _parts(flows: DataFrame, busy: BusyHosts, plan: DeltaPlan, tasks: int) -> list[_Part]:
    views = role_views(flows, plan)
    if not busy:
        return [_part(by_host(views), plan)]
    others = by_host(views.where(f"not {is_busy(busy)}"))
    views_of_busy = role_views(flows.where(has_busy(busy, plan)), plan).where(is_busy(busy))
    return [
        _part(others, plan),
        _part(over_all_tasks(views_of_busy, plan, tasks), plan, spread=True),
    ]


def _part(views: DataFrame, plan: DeltaPlan, *, spread: bool = False) -> _Part:
    session = views.sparkSession
    held = held_in_shuffle(views)
    _step(session, "shuffle views, aggregate pairs")
    pairs = aggregate.pair_table(held, plan).localCheckpoint()
    _step(session, "aggregate hosts")
    rows = aggregate.host_rows(held, pairs, plan, spread=spread)
    # Spread are the views of a few hosts only: their rows make one file.
    return _Part(pairs, (rows.coalesce(1) if spread else rows).localCheckpoint())


def _step(session: SparkSession, name: str) -> None:
    """Names the jobs to come, in Spark's UI and event log."""
    session.sparkContext.setJobDescription(f"ndr: {name}")


def _united(frames: Iterable[DataFrame]) -> DataFrame:
    return reduce(DataFrame.unionByName, frames)


def flows_of(session: SparkSession, plan: DeltaPlan, batch: InputBatch, tasks: int) -> DataFrame:
    """The judged records of a batch; its lines have been read once by then."""
    read = quality.with_moment(read_plain(read_lines(session, batch, tasks), plan), plan)
    with reading_metered(session, batch.meter):
        flows = quality.judge(read, plan).localCheckpoint()
    unfit = flows.where(f"outcome = {UNFIT}").select("line")
    if not unfit.isEmpty():
        again = quality.with_moment(read_careful(unfit, plan), plan)
        careful = quality.judge(again, plan).localCheckpoint()
        flows = flows.where(f"outcome != {UNFIT}").union(careful)
    if plan.deduplicate_on:
        flows = quality.mark_duplicates(flows, plan).localCheckpoint()
    return flows


def _full_place(session: SparkSession, staging_root: str, error: Exception) -> str:
    """Where a disk is full: Spark names the folder of a table that it writes, and no other one."""
    if staging_root in str(error):
        return staging_root
    return session.sparkContext.getConf().get("spark.local.dir") or "local folders of the executors"


def _refuse_overflow(rows: DataFrame, plan: DeltaPlan) -> None:
    names = [item.name for item in amounts(plan)]
    any_null = " or ".join(f"{quoted(name)} is null" for name in names)
    found = rows.where(any_null).select(*HOST, *(quoted(name) for name in names)).collect()
    roles = [role.name for role in plan.roles]
    for name in names:
        hit = sorted(
            (row["slice_start"], roles[row["role_number"]], row["host_ip"])
            for row in found
            if row[name] is None
        )
        if hit:
            raise OverflowingColumnError(name, overflow_place(*hit[0]))


def _result(
    rows: DataFrame,
    dropped: DataFrame,
    judged: DataFrame,
    session: SparkSession,
    plan: DeltaPlan,
    root: str,
) -> EngineResult:
    of_kept = quality.counts(rows).first()
    assert of_kept is not None  # an aggregate without groups has one row
    rejected: dict[str, int] = {}
    examples: dict[str, str] = {}
    others: dict[int, int] = {}
    for row in quality.dropped_counts(dropped).collect():
        if row["rule"] is None:
            others[row["outcome"]] = row["records"]
        else:
            rejected[row["rule"]] = row["records"]
            examples[row["rule"]] = row["example"]
    unknown: dict[str, dict[str, int]] = {}
    for row in quality.most_unknown(quality.unknown_values(judged)).collect():
        unknown.setdefault(row["field"], {})[row["value"]] = row["records"]
    return EngineResult(
        rows=staged_rows(session, plan.tables, root),
        kept=of_kept["kept"] or 0,
        rejected=rejected,
        marked={name: of_kept[mark_column(name)] or 0 for name in MARKS},
        blank_lines=others.get(BLANK, 0),
        rejected_files=dict.fromkeys(rejected_files(session, root), sum(rejected.values())),
        skipped=others.get(SKIPPED, 0),
        examples=examples,
        unknown=most_frequent(unknown),
    )
