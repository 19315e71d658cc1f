"""Feature jobs as they are deployed: JobSpecs in DynamoDB, deltas and features in S3, Polars on one machine."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from ndr_adapters.aws.clients import dynamodb_client, s3_client
from ndr_adapters.cloudwatch.json_log import JsonLog
from ndr_adapters.dynamodb.job_specs import JobSpecLoader
from ndr_adapters.s3.published import S3Tables
from ndr_adapters.s3.sink import S3Writer
from ndr_adapters.spark.runtime.wheels import provide_wheels
from ndr_core.errors import UsageError, after_publication
from ndr_core.features.running import Chosen, FeatureRunSummary
from ndr_core.features.settings import FeatureStorage
from ndr_core.history.asked_day import asked_day
from ndr_core.history.engine import HistoryEngine
from ndr_core.history.job import HistoryRunner
from ndr_core.history.spec import PairHistorySpec
from ndr_core.jobs.ports import JobSpecStore
from ndr_core.times import day_of, day_start
from ndr_core.version import __version__
from ndr_core.windows.due import due_after
from ndr_core.windows.engine import WindowEngine
from ndr_core.windows.job import FgARunner
from ndr_core.windows.renew import renew
from ndr_core.windows.spec import FgASpec
from ndr_core.windows.stale import find_stale
from ndr_entrypoints.job_main import Undisturbed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LOOK_BACK_DAYS: Final = 40
"""Days up to that of a renewal in which it looks for what is stale: late records change windows of the next 31 days."""

_REASON: Final = "feature jobs compute on one machine"


def run_fg_a(
    log: JsonLog,
    *,
    undisturbed: Undisturbed,
    project_name: str,
    job_name: str,
    delta_job_name: str,
    mini_batch_id: str,
    feature_spec_version: str,
    run_id: str,
    job_spec_ddb_table_name: str,
) -> None:
    """Build the windows that a mini-batch has made due, each end of windows a publication of its own.

    That none is due is no failure: the log says so. Raises what `FgARunner.run` and loading the JobSpec raise.
    """
    started = time.monotonic()
    spec = _fg_a_spec(job_spec_ddb_table_name, project_name, job_name, feature_spec_version)
    job = _FeatureJob.of(spec.storage, run_id, log, undisturbed)
    anchors = due_after(spec, job.deltas, job.features, delta_job_name, mini_batch_id)
    if not anchors:
        log.line(
            "INFO",
            f"no window is due by mini-batch {mini_batch_id} of job {delta_job_name}: other slices of its windows are "
            "not published yet, or all are built",
        )
    _tell(log, [job.build_windows(spec, anchor) for anchor in anchors], started)


def run_history(
    log: JsonLog,
    *,
    undisturbed: Undisturbed,
    project_name: str,
    job_name: str,
    feature_spec_version: str,
    run_id: str,
    job_spec_ddb_table_name: str,
    day: str | None,
    scheduled_ts: str | None,
) -> None:
    """Build the pair history of a UTC day. Raises what `HistoryRunner.run` and loading the JobSpec raise."""
    started = time.monotonic()
    asked = asked_day(day, scheduled_ts)
    spec = _history_spec(job_spec_ddb_table_name, project_name, job_name, feature_spec_version)
    job = _FeatureJob.of(spec.storage, run_id, log, undisturbed)
    _tell(log, [job.build_day(spec, asked)], started)


def run_renewal(
    log: JsonLog,
    *,
    undisturbed: Undisturbed,
    project_name: str,
    job_name: str,
    feature_spec_version: str,
    run_id: str,
    job_spec_ddb_table_name: str,
    day: str | None,
    scheduled_ts: str | None,
) -> None:
    """Build again what is stale of FG-A, and of the history that it names, in the days up to a UTC day.

    What can't be built, as something that it needs is not published, is told, and the rest goes on. Raises what the
    runs and loading the JobSpecs raise otherwise.
    """
    started = time.monotonic()
    since = day_start(asked_day(day, scheduled_ts) - LOOK_BACK_DAYS)
    key = (job_spec_ddb_table_name, project_name)
    spec = _fg_a_spec(*key, job_name, feature_spec_version)
    history = _history_spec(*key, spec.inputs.history_job, feature_spec_version)
    job = _FeatureJob.of(spec.storage, run_id, log, undisturbed)
    stale = find_stale(spec, job.deltas, job.features, max(since, 0))
    renewed = list(
        renew(
            stale,
            lambda run: job.build_day(history, day_of(run.start), run.allows_missing),
            lambda run: job.build_windows(spec, run.start, run.allows_missing),
        )
    )
    left = [one for one in renewed if one.summary is None]
    for one in left:
        log.notice(f"{one.run.job_name} {one.run.mini_batch_id} stays stale: {one.problem}")
    _tell(log, [one.summary for one in renewed if one.summary is not None], started, len(left))


def _fg_a_spec(table: str, *key: str) -> FgASpec:
    specs: JobSpecStore[FgASpec] = JobSpecLoader(dynamodb_client(), table, FgASpec)
    return specs.load(*key)


def _history_spec(table: str, *key: str) -> PairHistorySpec:
    specs: JobSpecStore[PairHistorySpec] = JobSpecLoader(dynamodb_client(), table, PairHistorySpec)
    return specs.load(*key)


@frozen
class _FeatureJob:
    """Where a feature job reads and writes, and what all its runs have in common."""

    client: S3Client
    deltas: S3Tables
    features: S3Tables
    sink: S3Writer
    run_id: str
    log: JsonLog
    undisturbed: Undisturbed

    @classmethod
    def of(
        cls, storage: FeatureStorage, run_id: str, log: JsonLog, undisturbed: Undisturbed
    ) -> _FeatureJob:
        """At the prefixes of a JobSpec. Raises SpecError where they are not given."""
        deltas, features = storage.deltas(), storage.features()
        client = s3_client()
        return cls(
            client,
            S3Tables(client, deltas),
            S3Tables(client, features),
            S3Writer(client, features),
            run_id,
            log,
            undisturbed,
        )

    def build_windows(
        self, spec: FgASpec, anchor: int, allows_missing: bool = False
    ) -> FeatureRunSummary:
        """Build the windows that end at an anchor, us. Raises as `FgARunner.run`."""
        return FgARunner(
            spec=spec,
            anchor=anchor,
            start_engine=lambda _: Chosen(_WithPolars.imported().windows(self.client), _REASON),
            allows_missing=allows_missing,
            **self._ports(),
        ).run()

    def build_day(
        self, spec: PairHistorySpec, day: int, allows_missing: bool = False
    ) -> FeatureRunSummary:
        """Build the history of a day, in days since 1970-01-01. Raises as `HistoryRunner.run`."""
        return HistoryRunner(
            spec=spec,
            day=day,
            start_engine=lambda _: Chosen(_WithPolars.imported().history(self.client), _REASON),
            allows_missing=allows_missing,
            **self._ports(),
        ).run()

    def _ports(self) -> dict[str, Any]:
        return {
            "run_id": self.run_id,
            "deltas": self.deltas,
            "features": self.features,
            "sink": self.sink,
            "log": self.log,
            "code_version": __version__,
            "undisturbed": self.undisturbed,
        }


@frozen
class _WithPolars:
    """What is there where Polars is."""

    windows: Callable[[S3Client], WindowEngine]
    history: Callable[[S3Client], HistoryEngine]

    @classmethod
    def imported(cls) -> _WithPolars:
        """Raises UsageError where Polars did not come with the job."""
        if not provide_wheels():
            raise UsageError(
                "there is no Polars here, by which feature jobs compute; `ndr pipeline upsert` deploys its wheels"
            )
        # A cluster has Polars only where its wheels came with the job.
        from ndr_entrypoints.start_features import history_engine, window_engine

        return cls(window_engine, history_engine)


def _tell(
    log: JsonLog, done: Sequence[FeatureRunSummary], started: float, not_renewed: int = 0
) -> None:
    """Write what was published, for metrics."""
    rows: Counter[str] = Counter()
    for one in done:
        for table in one.manifest.tables:
            rows[table] += sum(one.manifest.rows(table).values())
    with after_publication("what it counted could not be logged"):
        log.feature_metrics(rows, len(done), time.monotonic() - started, not_renewed)
