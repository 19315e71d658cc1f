"""`ndr pipeline`: the job on SageMaker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ndr_adapters.sagemaker.package import ARCHIVE, ENTRYPOINT, build_package
from ndr_entrypoints.options import PATH

if TYPE_CHECKING:
    from ndr_adapters.sagemaker.deploy import Deployment

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
    made = build_package()
    output.mkdir(parents=True, exist_ok=True)
    (output / ENTRYPOINT).write_bytes(made.script)
    (output / ARCHIVE).write_bytes(made.archive)
    click.echo(f"{output}: package {made.digest}, {len(made.archive):,} bytes", err=True)


@pipeline.command()
@_with_settings
def definition(**options: Any) -> None:
    """Print the definition of the pipeline as JSON; asks nothing of AWS."""
    click.echo(_deployment(options).definition())


@pipeline.command()
@_with_settings
def upsert(**options: Any) -> None:
    """Upload the job's package, create the pipeline or change it."""
    deployment = _deployment(options)
    arn = deployment.upsert(lambda text: click.echo(text, err=True))
    click.echo(f"{arn}: runs package {deployment.package.digest}", err=True)


def _deployment(options: dict[str, Any]) -> Deployment:
    # The SageMaker SDK comes with an extra and takes seconds to import: the help texts must do without it.
    from ndr_adapters.sagemaker.deploy import Deployment

    return Deployment.of(**options)
