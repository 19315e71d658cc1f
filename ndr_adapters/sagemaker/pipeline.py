"""The SageMaker Pipelines that run the jobs: one for each mini-batch, and one for each day.

Nothing is uploaded here, and nothing is asked of AWS: `definition()` of a pipeline is plain text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from ndr_adapters.sagemaker.package import (
    DELTA_BUILDER,
    FG_A_BUILDER,
    FG_B_BUILDER,
    FG_C_BUILDER,
    PAIR_HISTORY,
    STALE_RENEWAL,
    JobPackage,
)
from ndr_adapters.sagemaker.settings import PipelineSettings
from ndr_adapters.sagemaker.steps import Instances, Steps, number, pipeline_session, text
from ndr_core.errors import UsageError

# After the steps, which say what to install where the SDK is missing.
from sagemaker.workflow.parameters import Parameter  # isort: skip
from sagemaker.workflow.pipeline import Pipeline  # isort: skip

if TYPE_CHECKING:
    from sagemaker.session import Session

RUN_PARAMETERS: Final = (
    "project_name",
    "job_name",
    "mini_batch_id",
    "mini_batch_s3_prefix",
    "feature_spec_version",
    "run_id",
    "job_spec_ddb_table_name",
    "slice_start_ts",
    "slice_end_ts",
)
"""Parameters of the pipeline of mini-batches that the delta job is given as options of the same names."""

DAILY_PARAMETERS: Final = (
    "project_name",
    "feature_spec_version",
    "run_id",
    "job_spec_ddb_table_name",
    "day",
    "scheduled_ts",
)
"""Parameters of the daily pipeline that its jobs are given as options of the same names."""

_DEFAULTS: Final = {
    "job_name": "delta_builder",
    "slice_start_ts": "",
    "slice_end_ts": "",
    "day": "",
    "scheduled_ts": "",
}


def build_delta_builder_pipeline(
    settings: PipelineSettings, package: JobPackage, session: Session | None = None
) -> Pipeline:
    """Give the pipeline of mini-batches, neither created nor uploaded: the deltas of one, then the windows due by it,
    then their correlations.

    `session`: a session of the SDK, default one for pipelines in the region of the environment. Raises
    UsageError where no region is set, or the SDK refuses a setting.
    """
    return _made(settings, package, session, settings.name, _of_mini_batches)


def build_daily_pipeline(
    settings: PipelineSettings, package: JobPackage, session: Session | None = None
) -> Pipeline:
    """Give the daily pipeline likewise: the pair history of a day, its summary and baselines, then what is stale.

    History and baselines do not read each other: where one fails, the other is built nevertheless.
    """
    return _made(settings, package, session, settings.daily_name, _of_days)


def _made(
    settings: PipelineSettings,
    package: JobPackage,
    session: Session | None,
    name: str,
    make: Callable[[str, Steps], Pipeline],
) -> Pipeline:
    try:
        return make(name, Steps(settings, package, session or pipeline_session(settings)))
    except ValueError as error:
        raise UsageError(f"pipeline {name}: {' '.join(str(error).split())}") from error


def _of_mini_batches(name: str, made: Steps) -> Pipeline:
    settings = made.settings
    run = _texts(settings, RUN_PARAMETERS)
    instance_type = text("instance_type", settings.instance_type)
    instance_count = number("instance_count", settings.instance_count)
    parameters = [*run.values(), instance_type, instance_count]
    delta = made.step("DeltaBuilder", DELTA_BUILDER, run, Instances(instance_type, instance_count))
    steps = [delta]
    if settings.has_features:
        fg_a_job = text("fg_a_job_name", settings.fg_a_job)
        fg_c_job = text("fg_c_job_name", settings.fg_c_job)
        one_instance = _one_instance(settings)
        parameters += [fg_a_job, fg_c_job, one_instance.type]
        options = {
            **_part(run, "project_name", "feature_spec_version", "run_id"),
            **_part(run, "job_spec_ddb_table_name", "mini_batch_id"),
            "delta_job_name": run["job_name"],
        }
        of_windows, of_correlations = ({**options, "job_name": job} for job in (fg_a_job, fg_c_job))
        fg_a = made.step("FgABuilder", FG_A_BUILDER, of_windows, one_instance, [delta])
        fg_c = made.step("FgCBuilder", FG_C_BUILDER, of_correlations, one_instance, [fg_a])
        steps += [fg_a, fg_c]
    return Pipeline(name=name, parameters=parameters, steps=steps, sagemaker_session=made.session)


def _of_days(name: str, made: Steps) -> Pipeline:
    settings = made.settings
    run = _texts(settings, DAILY_PARAMETERS)
    history_job = text("history_job_name", settings.history_job)
    fg_b_job = text("fg_b_job_name", settings.fg_b_job)
    fg_c_job = text("fg_c_job_name", settings.fg_c_job)
    instances = _one_instance(settings)
    history = made.step("PairHistory", PAIR_HISTORY, {**run, "job_name": history_job}, instances)
    baselines = made.step("FgBBuilder", FG_B_BUILDER, {**run, "job_name": fg_b_job}, instances)
    of_chain = {**run, "job_name": fg_c_job}
    renewal = made.step("StaleRenewal", STALE_RENEWAL, of_chain, instances, [history, baselines])
    return Pipeline(
        name=name,
        parameters=[*run.values(), history_job, fg_b_job, fg_c_job, instances.type],
        steps=[history, baselines, renewal],
        sagemaker_session=made.session,
    )


def _texts(settings: PipelineSettings, names: tuple[str, ...]) -> dict[str, Parameter]:
    defaults = {**_DEFAULTS, "job_spec_ddb_table_name": settings.job_spec_table}
    return {name: text(name, defaults.get(name)) for name in names}


def _part(parameters: Mapping[str, Parameter], *names: str) -> dict[str, Parameter]:
    return {name: parameters[name] for name in names}


def _one_instance(settings: PipelineSettings) -> Instances:
    """What a feature job runs on: Polars computes it on one machine."""
    return Instances(text("features_instance_type", settings.features_instance_type), 1)
