"""`ndr pipeline`: the jobs on SageMaker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ndr_adapters.sagemaker.package import build_package
from ndr_adapters.sagemaker.wheels import Wheel, fetch, pinned_wheels
from ndr_adapters.wheel_bundle import BUNDLE, write_bundle
from ndr_entrypoints.options import EXIT_CODES, PATH, writing

if TYPE_CHECKING:
    from ndr_adapters.sagemaker.deploy import Deployment

_WITHOUT_WHEELS = click.option(
    "--without-wheels",
    is_flag=True,
    help="Leave out the compiled packages (Polars and others): the delta job then runs on Spark SQL, and "
    "feature jobs do not run.",
)
_SETTINGS = (
    click.option(
        "--name",
        default="ndr-delta-builder",
        help="Name of the pipeline of mini-batches; the daily one is called NAME-daily.",
    ),
    click.option("--role-arn", required=True, help="Role of pipelines and jobs."),
    click.option("--code-prefix", required=True, help="s3://.. for the package of the jobs."),
    click.option("--job-spec-table", default="ndr-job-specs", help="DynamoDB table of JobSpecs."),
    click.option("--instance-type", default="ml.m5.xlarge", help="Of the delta job's instances."),
    click.option("--instance-count", type=int, default=1, help="Instances of the delta job."),
    click.option("--fg-a-job", default="fg_a", help="Job name of the JobSpec of FG-A."),
    click.option(
        "--history-job", default="pair_history", help="Job name of the JobSpec of pair history."
    ),
    click.option("--fg-b-job", default="fg_b", help="Job name of the JobSpec of FG-B."),
    click.option("--fg-c-job", default="fg_c", help="Job name of the JobSpec of FG-C."),
    click.option(
        "--features-instance-type",
        default="ml.m5.xlarge",
        help="Of the feature jobs, each of which runs on one instance.",
    ),
    click.option(
        "--without-features",
        is_flag=True,
        help="Build deltas alone: no windows and correlations after them, and no daily pipeline.",
    ),
    click.option("--max-runtime-seconds", type=int, default=3600, help="Then a job is stopped."),
    click.option("--volume-gb", type=int, default=30, help="Disk of an instance."),
    click.option(
        "--container-version",
        help="Version of the Spark image. Default: the one it is tested with.",
    ),
    click.option(
        "--kms-key", help="Key that encrypts the volumes of the jobs. If absent, none is named."
    ),
    click.option(
        *("--subnet", "subnets"),
        multiple=True,
        help="Subnet of the jobs, may be given several times. If absent, they run outside a VPC.",
    ),
    click.option(
        *("--security-group", "security_group_ids"),
        multiple=True,
        help="Of the jobs in their subnets, may be given several times. Absent without a subnet.",
    ),
    _WITHOUT_WHEELS,
)


def _with_settings(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_SETTINGS):
        command = option(command)
    return command


@click.group()
def pipeline() -> None:
    """Package the jobs and deploy them as SageMaker Pipelines."""


@pipeline.command(epilog=EXIT_CODES)
@click.option("-o", "--output", type=PATH, required=True, help="Folder to write all into.")
@_WITHOUT_WHEELS
def package(output: Path, without_wheels: bool) -> None:
    """Write what the jobs run from: their scripts, an archive of plain Python, the wheels of what is compiled."""
    made = build_package(_wheels(without_wheels))
    bundle = output / BUNDLE
    with writing(output):
        output.mkdir(parents=True, exist_ok=True)
        for name, content in made.files().items():
            (output / name).write_bytes(content)
        bundle.unlink(
            missing_ok=True
        )  # an earlier package may have had other wheels, or this one none
    click.echo(f"{output}: package {made.digest}, {len(made.archive):,} bytes", err=True)
    if made.wheels:
        content = write_bundle(fetch(made.wheels, _notice))
        with writing(bundle):
            bundle.write_bytes(content)
        click.echo(f"{bundle}: {len(made.wheels)} wheels, {len(content):,} bytes", err=True)


@pipeline.command(epilog=EXIT_CODES)
@_with_settings
@click.option("--daily", is_flag=True, help="Print that of the daily pipeline instead.")
def definition(daily: bool, **options: Any) -> None:
    """Print the definition of the pipeline of mini-batches as JSON; asks nothing of AWS."""
    click.echo(_deployment(options).definition(daily))


@pipeline.command(epilog=EXIT_CODES)
@_with_settings
def upsert(**options: Any) -> None:
    """Upload the package of the jobs, create the pipelines or change them."""
    deployment = _deployment(options)
    for arn in deployment.upsert(_notice):
        click.echo(f"{arn}: runs package {deployment.package.digest}", err=True)


def _deployment(options: dict[str, Any]) -> Deployment:
    # The SageMaker SDK comes with an extra and takes seconds to import: the help texts must do without it.
    from ndr_adapters.sagemaker.deploy import Deployment

    wheels = _wheels(options.pop("without_wheels"))
    has_features = not options.pop("without_features")
    return Deployment.of(wheels=wheels, has_features=has_features, **options)


def _wheels(without: bool) -> tuple[Wheel, ...]:
    return () if without else pinned_wheels()


def _notice(text: str) -> None:
    click.echo(text, err=True)
