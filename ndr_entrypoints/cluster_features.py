"""Feature jobs as they are deployed: JobSpecs in DynamoDB, deltas and features in S3, computed by Polars."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ndr_adapters.aws.clients import dynamodb_client
from ndr_adapters.cloudwatch.json_log import JsonLog
from ndr_adapters.dynamodb.job_specs import JobSpecLoader
from ndr_adapters.spark.runtime.wheels import provide_wheels
from ndr_adapters.wheel_bundle import FOR_BASELINES
from ndr_core.baselines.asked_date import asked_date
from ndr_core.baselines.daily import dates_to_make
from ndr_core.baselines.spec import FgBSpec
from ndr_core.correlations.due import due_after as correlations_due_after
from ndr_core.correlations.spec import FgCSpec
from ndr_core.errors import UsageError, after_publication
from ndr_core.features.running import FeatureRunner, FeatureRunSummary, NotPublishedError
from ndr_core.features.settings import FeatureStorage
from ndr_core.history.asked_day import asked_day
from ndr_core.history.spec import PairHistorySpec
from ndr_core.jobs.ports import JobSpecStore
from ndr_core.spec_kinds import SpecT
from ndr_core.times import day_start
from ndr_core.windows.due import due_after as windows_due_after
from ndr_core.windows.spec import FgASpec
from ndr_entrypoints.job_main import Undisturbed

if TYPE_CHECKING:
    from ndr_entrypoints.feature_jobs import FeatureWiring

LOOK_BACK_DAYS: Final = 40
"""Days up to that of a renewal in which it looks for what is stale: late records change windows of the next 31 days."""


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
    spec = _spec(FgASpec, job_spec_ddb_table_name, project_name, job_name, feature_spec_version)
    wired = _wired(spec.storage, log, undisturbed)
    anchors = windows_due_after(spec, wired.deltas, wired.features, delta_job_name, mini_batch_id)
    if not anchors:
        log.line(
            "INFO",
            f"no window is due by mini-batch {mini_batch_id} of job {delta_job_name}: other slices of its windows are "
            "not published yet, or all are built",
        )
    _run_each(log, (wired.windows(spec, anchor, run_id=run_id) for anchor in anchors), started)


def run_fg_c(
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
    """Compare the windows that a mini-batch has made due, as FG-A has built them, with what is usual.

    Each end of windows is a publication of its own. That there are none is no failure: the log says so. Raises what
    `FgCRunner.run` and loading the JobSpecs raise.
    """
    started = time.monotonic()
    key = (job_spec_ddb_table_name, project_name)
    spec = _spec(FgCSpec, *key, job_name, feature_spec_version)
    of_windows = _spec(FgASpec, *key, spec.inputs.fg_a_job, feature_spec_version)
    wired = _wired(spec.storage, log, undisturbed)
    batch = (delta_job_name, mini_batch_id)
    anchors = correlations_due_after(spec, of_windows, wired.deltas, wired.features, *batch)
    if not anchors:
        log.line(
            "INFO",
            f"no correlations are due by mini-batch {mini_batch_id} of job {delta_job_name}: none of its windows is "
            "built yet, or all are compared",
        )
    _run_each(log, (wired.correlations(spec, anchor, run_id=run_id) for anchor in anchors), started)


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
    spec = _spec(
        PairHistorySpec, job_spec_ddb_table_name, project_name, job_name, feature_spec_version
    )
    wired = _wired(spec.storage, log, undisturbed)
    _tell(log, [wired.history(spec, asked, run_id=run_id).run()], started)


def run_fg_b(
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
    """Sum up the windows of a local date, and make the baselines that are complete by then.

    Where the date can't be summed up, as something is not published, the baselines are made nevertheless: they are for
    windows to come. Raises what `SummaryRunner.run`, `BaselineRunner.run` and loading the JobSpec raise.
    """
    started = time.monotonic()
    spec = _spec(FgBSpec, job_spec_ddb_table_name, project_name, job_name, feature_spec_version)
    date = asked_date(spec.calendar, day, scheduled_ts)
    wired = _wired(spec.storage, log, undisturbed, needs=FOR_BASELINES)
    done: list[FeatureRunSummary] = []
    problem: NotPublishedError | None = None
    with _earlier_ones_told(log, done):
        try:
            done.append(wired.summary(spec, date, run_id=run_id).run())
        except NotPublishedError as error:
            problem = error
        for one in dates_to_make(spec, date, wired.features):
            done.append(wired.baselines(spec, one, run_id=run_id).run())
        if problem is not None:
            raise problem
    _tell(log, done, started)


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
    """Build again what is stale of FG-C, and of the jobs that it names down the chain, in the days up to a UTC day.

    What can't be built, as something that it needs is not published, is told, and the rest goes on. Raises what the
    runs and loading the JobSpecs raise otherwise.
    """
    started = time.monotonic()
    since = day_start(asked_day(day, scheduled_ts) - LOOK_BACK_DAYS)
    key = (job_spec_ddb_table_name, project_name)
    of_correlations = _spec(FgCSpec, *key, job_name, feature_spec_version)
    of_baselines = _spec(FgBSpec, *key, of_correlations.inputs.fg_b_job, feature_spec_version)
    spec = _spec(FgASpec, *key, of_correlations.inputs.fg_a_job, feature_spec_version)
    history = _spec(PairHistorySpec, *key, spec.inputs.history_job, feature_spec_version)
    wired = _wired(spec.storage, log, undisturbed, needs=FOR_BASELINES)
    done: list[FeatureRunSummary] = []
    not_renewed = 0
    with _earlier_ones_told(log, done):
        for one in wired.renew(
            spec,
            max(since, 0),
            history=history,
            baselines=of_baselines,
            correlations=of_correlations,
            run_id=run_id,
        ):
            if one.summary is None:
                not_renewed += 1
                log.notice(f"{one.run.job_name} {one.run.mini_batch_id} stays stale: {one.problem}")
            else:
                done.append(one.summary)
    _tell(log, done, started, not_renewed)


def _spec(cls: type[SpecT], table: str, *key: str) -> SpecT:
    """Load the JobSpec of a project, job and version, which must be of one kind."""
    specs: JobSpecStore[SpecT] = JobSpecLoader(dynamodb_client(), table, cls)
    return specs.load(*key)


def _wired(
    storage: FeatureStorage, log: JsonLog, undisturbed: Undisturbed, *, needs: Sequence[str] = ()
) -> FeatureWiring:
    """Wire between the prefixes of a JobSpec. `needs`: compiled modules, beside Polars.

    Raises SpecError where the prefixes are not given, UsageError where what is needed did not come with the job.
    """
    deltas, features = storage.deltas(), storage.features()
    if not provide_wheels(needs):
        lacking = " or ".join(("Polars", *needs))
        raise UsageError(
            f"there is no {lacking} here, by which feature jobs compute; `ndr pipeline upsert` deploys the wheels"
        )
    # A cluster has Polars only where its wheels came with the job.
    from ndr_entrypoints.feature_jobs import FeatureWiring

    return FeatureWiring.on_cluster(str(deltas), str(features), log, undisturbed, storage.kms_key)


def _run_each(log: JsonLog, runners: Iterable[FeatureRunner], started: float) -> None:
    """Do runs, each a publication of its own. Of one that fails the log says what was published before."""
    done: list[FeatureRunSummary] = []
    with _earlier_ones_told(log, done):
        for runner in runners:
            done.append(runner.run())
    _tell(log, done, started)


@contextmanager
def _earlier_ones_told(log: JsonLog, done: Sequence[FeatureRunSummary]) -> Iterator[None]:
    """Where the block fails or is stopped, say which publications it had made: what failed published nothing."""
    try:
        yield
    except BaseException:
        if done:
            names = ", ".join(one.manifest.facts.mini_batch_id for one in done)
            log.notice(f"published before, and they stay: {names}")
        raise


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
