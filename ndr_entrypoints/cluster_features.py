"""Feature jobs as they are deployed: JobSpecs in DynamoDB, deltas and features in S3, Polars on one machine."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

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
from ndr_core.version import __version__
from ndr_core.windows.due import due_after
from ndr_core.windows.engine import WindowEngine
from ndr_core.windows.job import FgARunner
from ndr_core.windows.spec import FgASpec
from ndr_entrypoints.job_main import Undisturbed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_REASON = "feature jobs compute on one machine"


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
    specs: JobSpecStore[FgASpec] = JobSpecLoader(
        dynamodb_client(), job_spec_ddb_table_name, FgASpec
    )
    spec = specs.load(project_name, job_name, feature_spec_version)
    places = _Places.of(spec.storage)
    anchors = due_after(spec, places.deltas, places.features, delta_job_name, mini_batch_id)
    if not anchors:
        log.line(
            "INFO",
            f"no window is due by mini-batch {mini_batch_id} of job {delta_job_name}: other slices of its windows are "
            "not published yet, or all are built",
        )
    done = [
        FgARunner(
            spec=spec,
            anchor=anchor,
            run_id=run_id,
            deltas=places.deltas,
            features=places.features,
            sink=places.sink,
            start_engine=lambda _: Chosen(_window_engine(places.client), _REASON),
            log=log,
            code_version=__version__,
            undisturbed=undisturbed,
        ).run()
        for anchor in anchors
    ]
    _tell(log, done, started)


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
    specs: JobSpecStore[PairHistorySpec] = JobSpecLoader(
        dynamodb_client(), job_spec_ddb_table_name, PairHistorySpec
    )
    spec = specs.load(project_name, job_name, feature_spec_version)
    places = _Places.of(spec.storage)
    done = HistoryRunner(
        spec=spec,
        day=asked,
        run_id=run_id,
        deltas=places.deltas,
        features=places.features,
        sink=places.sink,
        start_engine=lambda _: Chosen(_history_engine(places.client), _REASON),
        log=log,
        code_version=__version__,
        undisturbed=undisturbed,
    ).run()
    _tell(log, [done], started)


@frozen
class _Places:
    """Where a feature job reads and writes."""

    client: S3Client
    deltas: S3Tables
    features: S3Tables
    sink: S3Writer

    @classmethod
    def of(cls, storage: FeatureStorage) -> _Places:
        """The prefixes of a JobSpec. Raises SpecError where they are not given."""
        deltas, features = storage.deltas(), storage.features()
        client = s3_client()
        return cls(
            client, S3Tables(client, deltas), S3Tables(client, features), S3Writer(client, features)
        )


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
        from ndr_entrypoints.start_polars import history_engine, window_engine

        return cls(window_engine, history_engine)


def _window_engine(client: S3Client) -> WindowEngine:
    return _WithPolars.imported().windows(client)


def _history_engine(client: S3Client) -> HistoryEngine:
    return _WithPolars.imported().history(client)


def _tell(log: JsonLog, done: Sequence[FeatureRunSummary], started: float) -> None:
    """Write what was published, for metrics."""
    rows: Counter[str] = Counter()
    for one in done:
        for table in one.manifest.tables:
            rows[table] += sum(one.manifest.rows(table).values())
    with after_publication("what it counted could not be logged"):
        log.feature_metrics(rows, len(done), time.monotonic() - started)
