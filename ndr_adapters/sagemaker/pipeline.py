"""The SageMaker Pipeline that runs the job: one Spark processing step, started with the run's parameters.

Nothing is uploaded here, and nothing is asked of AWS: `definition()` of the pipeline is plain text.
"""

from __future__ import annotations

import logging
import os
import re
import warnings
from typing import TYPE_CHECKING, Any, Final

import boto3
from attrs import frozen

from ndr_adapters.sagemaker.package import ARCHIVE, ENTRYPOINT, JobPackage
from ndr_adapters.sagemaker.wheels import digest_of
from ndr_adapters.wheel_bundle import BUNDLE
from ndr_core.errors import UsageError, shown
from ndr_core.publishing.location import S3Address

os.environ.setdefault("SAGEMAKER_SUPPRESS_V2_WARNING", "1")
for _name in ("sagemaker.config", "sagemaker.workflow.utilities", "botocore.credentials"):
    logging.getLogger(_name).setLevel(logging.ERROR)  # they tell what is as it should be
warnings.filterwarnings("ignore", "Running within a PipelineSession")

try:
    from sagemaker.network import NetworkConfig
    from sagemaker.spark.processing import PySparkProcessor
    from sagemaker.workflow.parameters import Parameter, ParameterInteger, ParameterString
    from sagemaker.workflow.pipeline import Pipeline
    from sagemaker.workflow.pipeline_context import PipelineSession
    from sagemaker.workflow.retry import (
        RetryPolicy,
        SageMakerJobExceptionTypeEnum,
        SageMakerJobStepRetryPolicy,
        StepExceptionTypeEnum,
        StepRetryPolicy,
    )
    from sagemaker.workflow.steps import ProcessingStep
except ImportError as error:
    raise UsageError(
        "pipelines need the SageMaker SDK: pip install 'ndr-delta-builder[sagemaker]'"
    ) from error

if TYPE_CHECKING:
    from sagemaker.session import Session

FRAMEWORK_VERSION: Final = "3.5"
PYTHON_VERSION: Final = "py312"
CONTAINER_VERSION: Final = "1.3"
"""Of the Spark image. Before 1.3, `python3` of the py312 image is Python 3.9."""

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
"""Parameters of the pipeline that the job is given as options of the same names."""
_DEFAULTS: Final = {
    "job_name": "delta_builder",
    "slice_start_ts": "",
    "slice_end_ts": "",
}
SDK_CONFIG: Final = {
    "SchemaVersion": "1.0",
    "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}},
}
"""The SDK tells its makers nothing of what is deployed."""
_STEP: Final = "DeltaBuilder"
_NAME: Final = re.compile(r"[A-Za-z0-9](-*[A-Za-z0-9]){0,255}")
_ROLE_ARN: Final = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[^\s]+")


@frozen
class PipelineSettings:
    """What one deployment of the pipeline is made with."""

    name: str
    role_arn: str
    """Role of the job, and of the pipeline itself."""
    code: S3Address
    """Prefix at which the job's package lies."""
    job_spec_table: str
    instance_type: str = "ml.m5.xlarge"
    instance_count: int = 1
    max_runtime_seconds: int = 3600
    volume_gb: int = 30
    container_version: str = CONTAINER_VERSION
    kms_key: str | None = None
    subnets: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        """Raise UsageError, naming the option, for what can't be deployed."""
        if not _NAME.fullmatch(self.name):
            raise UsageError(
                f"name: {shown(self.name)} may hold letters, digits and '-' only, 256 at most, "
                "a letter or digit first and last"
            )
        if not _ROLE_ARN.fullmatch(self.role_arn):
            raise UsageError(
                f"role-arn: {shown(self.role_arn)} is no ARN of a role, such as "
                "arn:aws:iam::123456789012:role/NAME"
            )
        for key in ("instance_count", "max_runtime_seconds", "volume_gb"):
            if getattr(self, key) < 1:
                raise UsageError(f"{key.replace('_', '-')}: {getattr(self, key)} is below 1")
        if self.security_group_ids and not self.subnets:
            raise UsageError("security-group: needs --subnet, in whose VPC the group is")


def code_addresses(code: S3Address, package: JobPackage) -> tuple[S3Address, S3Address]:
    """Where the script and the archive of a package lie: equal packages at equal places."""
    place = code / package.digest
    return place / ENTRYPOINT, place / ARCHIVE


def wheels_address(code: S3Address, package: JobPackage) -> S3Address | None:
    """Where the wheels of a package lie, None if it has none: other code with the same wheels finds them there."""
    return code / digest_of(package.wheels) / BUNDLE if package.wheels else None


def build_delta_builder_pipeline(
    settings: PipelineSettings, package: JobPackage, session: Session | None = None
) -> Pipeline:
    """The pipeline, neither created nor uploaded.

    `session`: a session of the SDK, default one for pipelines in the region of the environment. Raises
    UsageError where no region is set, or the SDK refuses a setting.
    """
    try:
        return _pipeline(settings, package, session or _session(settings))
    except ValueError as error:
        raise UsageError(f"pipeline {settings.name}: {' '.join(str(error).split())}") from error


def _pipeline(settings: PipelineSettings, package: JobPackage, session: Session) -> Pipeline:
    script, archive = code_addresses(settings.code, package)
    wheels = wheels_address(settings.code, package)
    defaults = {**_DEFAULTS, "job_spec_ddb_table_name": settings.job_spec_table}
    parameters: dict[str, Parameter] = {
        name: ParameterString(name=name, default_value=defaults[name])
        if name in defaults
        else ParameterString(name=name)
        for name in RUN_PARAMETERS
    }
    instance_type = ParameterString(name="instance_type", default_value=settings.instance_type)
    instance_count = ParameterInteger(name="instance_count", default_value=settings.instance_count)
    processor = PySparkProcessor(
        base_job_name=settings.name,
        framework_version=FRAMEWORK_VERSION,
        py_version=PYTHON_VERSION,
        container_version=settings.container_version,
        role=settings.role_arn,
        instance_type=instance_type,
        instance_count=instance_count,
        volume_size_in_gb=settings.volume_gb,
        volume_kms_key=settings.kms_key,
        max_runtime_in_seconds=settings.max_runtime_seconds,
        network_config=_network(settings),
        # boto3 and Polars do not look at AWS_REGION, which SageMaker sets.
        env={"AWS_DEFAULT_REGION": session.boto_region_name},
        sagemaker_session=session,
    )
    options: list[Any] = []
    for name, parameter in parameters.items():
        options += [f"--{name.replace('_', '-')}", parameter]
    step = ProcessingStep(
        name=_STEP,
        step_args=processor.run(
            submit_app=str(script),
            submit_py_files=[str(archive)],
            submit_files=[str(wheels)] if wheels else None,
            arguments=options,
        ),
        retry_policies=_retry_policies(),
    )
    return Pipeline(
        name=settings.name,
        parameters=[*parameters.values(), instance_type, instance_count],
        steps=[step],
        sagemaker_session=session,
    )


def _session(settings: PipelineSettings) -> PipelineSession:
    boto_session = boto3.Session()
    if boto_session.region_name is None:
        raise UsageError("pipeline: no AWS region; set AWS_DEFAULT_REGION")
    # A bucket of its own choice would be made in the account by the SDK.
    return PipelineSession(
        boto_session=boto_session, default_bucket=settings.code.bucket, sagemaker_config=SDK_CONFIG
    )


def _network(settings: PipelineSettings) -> NetworkConfig | None:
    if not settings.subnets:
        return None
    return NetworkConfig(
        subnets=list(settings.subnets),
        security_group_ids=list(settings.security_group_ids),
        encrypt_inter_container_traffic=True,
    )


def _retry_policies() -> list[RetryPolicy]:
    """What is nobody's fault is tried again; a job that failed by itself is not: its log says why."""
    return [
        StepRetryPolicy(
            exception_types=[StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING],
            interval_seconds=10,
            backoff_rate=2.0,
            max_attempts=5,
        ),
        SageMakerJobStepRetryPolicy(
            exception_types=[
                SageMakerJobExceptionTypeEnum.CAPACITY_ERROR,
                SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT,
                SageMakerJobExceptionTypeEnum.INTERNAL_ERROR,
            ],
            interval_seconds=60,
            backoff_rate=2.0,
            max_attempts=3,
        ),
    ]
