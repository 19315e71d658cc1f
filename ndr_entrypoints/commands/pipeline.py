"""`ndr pipeline`: the job on SageMaker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ndr_entrypoints.options import PATH

if TYPE_CHECKING:
    from ndr_adapters.sagemaker.package import JobPackage
    from ndr_adapters.sagemaker.pipeline import PipelineSettings

_SETTINGS = (
    click.option("--name", default="ndr-delta-builder", show_default=True),
    click.option("--role-arn", required=True, help="Role of pipeline and job."),
    click.option("--code-prefix", required=True, help="s3://.. for the job's package."),
    click.option("--job-spec-table", default="ndr-job-specs", show_default=True),
    click.option("--instance-type", default="ml.m5.xlarge", show_default=True),
    click.option("--instance-count", type=int, default=1, show_default=True),
    click.option("--max-runtime-seconds", type=int, default=3600, show_default=True),
    click.option("--volume-gb", type=int, default=30, show_default=True),
    click.option("--container-version", help="Of the Spark image; default: the tested one."),
    click.option("--kms-key", help="Key that encrypts the job's volumes."),
    click.option("--subnet", "subnets", multiple=True, help="May be given several times."),
    click.option("--security-group", "security_group_ids", multiple=True),
)


def _with_settings(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_SETTINGS):
        command = option(command)
    return command


@click.group()
def pipeline() -> None:
    """Package the job and deploy it as a SageMaker Pipeline."""


@pipeline.command()
@click.option("--output", type=PATH, required=True, help="Folder.")
def package(output: Path) -> None:
    """Write the script and the archive that the job runs from."""
    from ndr_adapters.sagemaker.package import ARCHIVE, ENTRYPOINT, build_package

    made = build_package()
    output.mkdir(parents=True, exist_ok=True)
    (output / ENTRYPOINT).write_bytes(made.script)
    (output / ARCHIVE).write_bytes(made.archive)
    click.echo(f"{output}: package {made.digest}, {len(made.archive):,} bytes", err=True)


@pipeline.command()
@_with_settings
def definition(**options: Any) -> None:
    """Print the definition of the pipeline as JSON; asks nothing of AWS."""
    from ndr_adapters.sagemaker.package import build_package
    from ndr_adapters.sagemaker.pipeline import build_delta_builder_pipeline

    made = build_package()
    click.echo(build_delta_builder_pipeline(_settings(options), made).definition())


@pipeline.command()
@_with_settings
def upsert(**options: Any) -> None:
    """Upload the job's package, create the pipeline or change it."""
    from ndr_adapters.aws.errors import aws_errors_named
    from ndr_adapters.sagemaker.package import build_package
    from ndr_adapters.sagemaker.pipeline import build_delta_builder_pipeline

    settings = _settings(options)
    made = build_package()
    _upload(settings, made)
    found = build_delta_builder_pipeline(settings, made)
    with aws_errors_named(f"pipeline {settings.name}"):
        answer = found.upsert(role_arn=settings.role_arn)
    click.echo(f"{answer['PipelineArn']}: runs package {made.digest}", err=True)


def _settings(options: dict[str, Any]) -> PipelineSettings:
    from ndr_adapters.sagemaker.pipeline import PipelineSettings
    from ndr_core.s3_address import S3Address

    given = {key: value for key, value in options.items() if value is not None}
    code = S3Address.parse(given.pop("code_prefix"), "code-prefix")
    return PipelineSettings(code=code, **given)


def _upload(settings: PipelineSettings, package: JobPackage) -> None:
    from ndr_adapters.aws.clients import s3_client
    from ndr_adapters.aws.errors import aws_errors_named
    from ndr_adapters.sagemaker.pipeline import code_addresses

    client = s3_client()
    contents = (package.script, package.archive)
    for address, content in zip(code_addresses(settings.code, package), contents, strict=True):
        with aws_errors_named(str(address)):
            client.put_object(Bucket=address.bucket, Key=address.key, Body=content)
        click.echo(f"{address}: uploaded", err=True)
