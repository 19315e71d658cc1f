"""Steps of pipelines: a job on the Spark image, with the package that it runs from.

Nothing is uploaded here, and nothing is asked of AWS.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import boto3
from attrs import frozen

from ndr_adapters.sagemaker.package import ARCHIVE, JobPackage
from ndr_adapters.sagemaker.settings import PipelineSettings, code_address, wheels_address
from ndr_core.errors import UsageError

os.environ.setdefault("SAGEMAKER_SUPPRESS_V2_WARNING", "1")
for _name in ("sagemaker.config", "sagemaker.workflow.utilities", "botocore.credentials"):
    logging.getLogger(_name).setLevel(logging.ERROR)  # they tell what is as it should be
warnings.filterwarnings("ignore", "Running within a PipelineSession")

try:
    from sagemaker.network import NetworkConfig
    from sagemaker.spark.processing import PySparkProcessor
    from sagemaker.workflow.parameters import Parameter, ParameterInteger, ParameterString
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

SDK_CONFIG: Final = {
    "SchemaVersion": "1.0",
    "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}},
}
"""The SDK tells its makers nothing of what is deployed."""


@frozen
class Instances:
    """What a step runs on: parameters of its pipeline, or fixed values."""

    type: Parameter
    count: Parameter | int


@frozen
class Steps:
    """Makes the steps of a deployment's pipelines."""

    settings: PipelineSettings
    package: JobPackage
    session: Session

    def step(
        self,
        name: str,
        script: str,
        options: Mapping[str, Parameter],
        instances: Instances,
        after: Sequence[ProcessingStep] = (),
    ) -> ProcessingStep:
        """Give a step that runs a script of the package with these options, once the steps before have succeeded."""
        settings = self.settings
        processor = PySparkProcessor(
            base_job_name=settings.name,
            framework_version=FRAMEWORK_VERSION,
            py_version=PYTHON_VERSION,
            container_version=settings.container_version,
            role=settings.role_arn,
            instance_type=instances.type,
            instance_count=instances.count,
            volume_size_in_gb=settings.volume_gb,
            volume_kms_key=settings.kms_key,
            max_runtime_in_seconds=settings.max_runtime_seconds,
            network_config=_network(settings),
            # boto3 and Polars do not look at AWS_REGION, which SageMaker sets.
            env={"AWS_DEFAULT_REGION": self.session.boto_region_name},
            sagemaker_session=self.session,
        )
        wheels = wheels_address(settings.code, self.package.wheels_of(script))
        arguments: list[Any] = []
        for option, parameter in options.items():
            arguments += [f"--{option.replace('_', '-')}", parameter]
        return ProcessingStep(
            name=name,
            step_args=processor.run(
                submit_app=str(code_address(settings.code, self.package, script)),
                submit_py_files=[str(code_address(settings.code, self.package, ARCHIVE))],
                submit_files=[str(wheels)] if wheels else None,
                arguments=arguments,
            ),
            retry_policies=_retry_policies(),
            depends_on=[step.name for step in after] or None,
        )


def text(name: str, default: str | None = None) -> ParameterString:
    """Give a parameter of a pipeline that is text; one without a default must be given."""
    if default is None:
        return ParameterString(name=name)
    return ParameterString(name=name, default_value=default)


def number(name: str, default: int) -> ParameterInteger:
    """Give a parameter of a pipeline that is a whole number."""
    return ParameterInteger(name=name, default_value=default)


def pipeline_session(settings: PipelineSettings) -> PipelineSession:
    """Give a session of the SDK in the region of the environment. Raises UsageError where there is none."""
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
