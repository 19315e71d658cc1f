"""A deployment of the pipeline: its package uploaded, the pipeline created or changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.aws.errors import aws_errors_named
from ndr_adapters.sagemaker.package import JobPackage, build_package
from ndr_adapters.sagemaker.pipeline import (
    PipelineSettings,
    build_delta_builder_pipeline,
    code_addresses,
    wheels_address,
)
from ndr_adapters.sagemaker.wheels import Wheel, fetch
from ndr_adapters.wheel_bundle import write_bundle
from ndr_core.publishing.location import S3Address

if TYPE_CHECKING:
    from sagemaker.workflow.pipeline import Pipeline


@frozen
class Deployment:
    """A pipeline's settings and the package that it runs."""

    settings: PipelineSettings
    package: JobPackage

    @classmethod
    def of(cls, code_prefix: str, wheels: tuple[Wheel, ...], **settings: Any) -> Deployment:
        """A deployment of the installed code with these wheels; settings that are None keep their default."""
        given = {key: value for key, value in settings.items() if value is not None}
        code = S3Address.parse(code_prefix, "code-prefix")
        return cls(PipelineSettings(code=code, **given), build_package(wheels))

    def definition(self) -> str:
        """The pipeline's definition as JSON; asks nothing of AWS."""
        return str(self._pipeline().definition())

    def upsert(self, notice: Callable[[str], object]) -> str:
        """Upload the package, create the pipeline or change it; gives its ARN."""
        pipeline = self._pipeline()
        self._upload(notice)
        with aws_errors_named(f"pipeline {self.settings.name}"):
            return str(pipeline.upsert(role_arn=self.settings.role_arn)["PipelineArn"])

    def _pipeline(self) -> Pipeline:
        return build_delta_builder_pipeline(self.settings, self.package)

    def _upload(self, notice: Callable[[str], object]) -> None:
        client = s3_client()
        contents = (self.package.script, self.package.archive)
        files = dict(zip(code_addresses(self.settings.code, self.package), contents, strict=True))
        wheels = wheels_address(self.settings.code, self.package)
        if wheels is not None:
            files[wheels] = write_bundle(fetch(self.package.wheels, notice))
        for address, content in files.items():
            with aws_errors_named(str(address)):
                client.put_object(Bucket=address.bucket, Key=address.key, Body=content)
            notice(f"{address}: uploaded")
