"""A deployment of the pipelines: their package uploaded, each created or changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.aws.errors import aws_errors_named
from ndr_adapters.sagemaker.package import DELTA_BUILDER, SCRIPTS, JobPackage, build_package
from ndr_adapters.sagemaker.pipeline import build_daily_pipeline, build_delta_builder_pipeline
from ndr_adapters.sagemaker.settings import PipelineSettings, code_address, wheels_address
from ndr_adapters.sagemaker.wheels import Wheel, fetch
from ndr_adapters.wheel_bundle import write_bundle
from ndr_core.errors import UsageError
from ndr_core.publishing.location import S3Address

if TYPE_CHECKING:
    from sagemaker.workflow.pipeline import Pipeline


@frozen
class Deployment:
    """The settings of pipelines and the package that they run."""

    settings: PipelineSettings
    package: JobPackage

    @classmethod
    def of(cls, code_prefix: str, wheels: tuple[Wheel, ...], **settings: Any) -> Deployment:
        """A deployment of the installed code with these wheels; settings that are None keep their default.

        Raises UsageError for settings that can't be deployed, and for feature jobs without wheels.
        """
        given = {key: value for key, value in settings.items() if value is not None}
        code = S3Address.parse(code_prefix, "code-prefix")
        made = PipelineSettings(code=code, **given)
        if made.has_features and not wheels:
            raise UsageError(
                "without-wheels: the feature jobs compute by Polars, which is in the wheels; take "
                "--without-features too, and the pipeline builds deltas alone"
            )
        return cls(made, build_package(wheels))

    def definition(self, daily: bool = False) -> str:
        """The definition of the pipeline of mini-batches, or of the daily one, as JSON; asks nothing of AWS.

        Raises UsageError for the daily one of a deployment without features.
        """
        if daily and not self.settings.has_features:
            raise UsageError("daily: there is no daily pipeline without features")
        build = build_daily_pipeline if daily else build_delta_builder_pipeline
        return str(build(self.settings, self.package).definition())

    def upsert(self, notice: Callable[[str], object]) -> tuple[str, ...]:
        """Upload the package, create the pipelines or change them; gives their ARNs."""
        pipelines = self._pipelines()
        self._upload(notice)
        return tuple(map(self._upserted, pipelines))

    def _pipelines(self) -> list[Pipeline]:
        build = [build_delta_builder_pipeline]
        if self.settings.has_features:
            build.append(build_daily_pipeline)
        return [each(self.settings, self.package) for each in build]

    def _upserted(self, pipeline: Pipeline) -> str:
        with aws_errors_named(f"pipeline {pipeline.name}"):
            return str(pipeline.upsert(role_arn=self.settings.role_arn)["PipelineArn"])

    def _upload(self, notice: Callable[[str], object]) -> None:
        client, code = s3_client(), self.settings.code
        files = {
            code_address(code, self.package, name): content
            for name, content in self.package.files().items()
        }
        scripts = SCRIPTS if self.settings.has_features else (DELTA_BUILDER,)
        for wheels in dict.fromkeys(map(self.package.wheels_of, scripts)):
            address = wheels_address(code, wheels)
            if address is not None:
                files[address] = write_bundle(fetch(wheels, notice))
        for address, content in files.items():
            with aws_errors_named(str(address)):
                client.put_object(Bucket=address.bucket, Key=address.key, Body=content)
            notice(f"{address}: uploaded")
